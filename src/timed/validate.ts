// JSON from outside against a schema: what, got, allowed.
import * as v from 'valibot';
import { meant } from '../core/check.js';
import { usage } from '../core/errors.js';

/** @internal @throws UsageError for the first thing that does not fit */
export function check<S extends v.GenericSchema>(
  what: string,
  schema: S,
  value: unknown,
): v.InferOutput<S> {
  refuseInherited(what, value, 0);
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issue = deepest(result.issues[0]);
  const keys = issue.path?.map((item) => String(item.key)) ?? [];
  const path = keys.join('.');
  if (issue.expected === 'never') {
    throw unknownField(what, schema, keys);
  }
  throw usage(
    path ? `${what}.${path}` : what,
    shown(issue.input, issue.received),
    issue.expected ?? issue.message,
    meant(issue.input, (issue.expected ?? '').match(/(?<=")[^"]+(?=")/g) ?? []),
  );
}

function unknownField(what: string, schema: unknown, keys: readonly string[]): Error {
  const parent = [what, ...keys.slice(0, -1)].join('.');
  const fields = fieldsOf(schema, keys.slice(0, -1));
  const allowed = fields.join(', ') || 'what the schema names';
  return usage(parent, `a field "${keys.at(-1)}"`, allowed, meant(keys.at(-1), fields));
}

/** The fields that the object at `path` of a schema may have. */
function fieldsOf(schema: unknown, path: readonly string[]): string[] {
  let at = plain(schema);
  for (const key of path) at = plain(at?.item ?? at?.entries?.[key]);
  return Object.keys(at?.entries ?? {});
}

const DEEP = 16;

/** Fields that every object inherits, such as "constructor": the schema takes them for known. */
function refuseInherited(what: string, value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null || depth > DEEP) return;
  for (const key of Object.keys(value)) {
    if (key in Object.prototype) throw usage(what, `a field "${key}"`, 'fields of the schema');
    refuseInherited(`${what}.${key}`, (value as Record<string, unknown>)[key], depth + 1);
  }
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
