// JSON from outside against a schema: what, got, allowed.
import * as v from 'valibot';
import { usage } from '../core/errors.js';

/** @internal @throws UsageError for the first thing that does not fit */
export function check<S extends v.GenericSchema>(
  what: string,
  schema: S,
  value: unknown,
): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issue = deepest(result.issues[0]);
  const keys = issue.path?.map((item) => String(item.key)) ?? [];
  const path = keys.join('.');
  if (issue.expected === 'never') {
    const parent = [what, ...keys.slice(0, -1)].join('.');
    throw usage(parent, `a field "${keys.at(-1)}"`, fieldsOf(schema, keys.slice(0, -1)));
  }
  throw usage(
    path ? `${what}.${path}` : what,
    shown(issue.input, issue.received),
    issue.expected ?? issue.message,
  );
}

/** The fields that the object at `path` of a schema may have. */
function fieldsOf(schema: unknown, path: readonly string[]): string {
  let at = plain(schema);
  for (const key of path) at = plain(at?.item ?? at?.entries?.[key]);
  return Object.keys(at?.entries ?? {}).join(', ') || 'what the schema names';
}

interface AnySchema {
  wrapped?: AnySchema;
  pipe?: AnySchema[];
  item?: AnySchema;
  entries?: Record<string, AnySchema>;
}

/** Without what is optional or piped around it. */
function plain(schema: unknown): AnySchema | undefined {
  let at = schema as AnySchema | undefined;
  while (at?.wrapped || at?.pipe) at = at.wrapped ?? at.pipe![0];
  return at;
}

/** Of a union's issues the one that got furthest. */
function deepest(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown> {
  const inner = issue.issues?.filter((other) => other.path !== undefined);
  return inner?.length === 1
    ? deepest({ ...inner[0]!, path: [...(issue.path ?? []), ...inner[0]!.path!] as never })
    : issue;
}

function shown(input: unknown, received: string): unknown {
  return typeof input === 'object' ? received : input;
}

/** JSON with // and block comments and trailing commas. */
export function parseCommented(text: string): unknown {
  let out = '';
  let at = 0;
  while (at < text.length) {
    const char = text[at]!;
    if (char === '"') {
      const end = stringEnd(text, at);
      out += text.slice(at, end);
      at = end;
    } else if (char === '/' && text[at + 1] === '/') {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else if (char === '/' && text[at + 1] === '*') {
      const end = text.indexOf('*/', at + 2);
      out += text.slice(at, end < 0 ? text.length : end).replace(/[^\n]/g, ' ');
      at = end < 0 ? text.length : end + 2;
    } else if (
      char === ',' &&
      /^,\s*(?:(?:\/\/[^\n]*\n|\/\*[\s\S]*?\*\/)\s*)*[}\]]/.test(text.slice(at, at + 4096))
    ) {
      at++;
    } else {
      out += char;
      at++;
    }
  }
  return JSON.parse(out);
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}
