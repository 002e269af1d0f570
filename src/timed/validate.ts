// JSON from outside against a schema: what, got, allowed.
import * as v from 'valibot';
import { meant } from '../core/check.js';
import { type UsageError, usage } from '../core/errors.js';
import { nearest } from '../core/nearest.js';

/** @internal @throws UsageError for the first thing that does not fit */
export function check<S extends v.GenericSchema>(
  what: string,
  schema: S,
  value: unknown,
): v.InferOutput<S> {
  refuseInherited(what, value, 0);
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw refusal(what, schema, value, deepest(result.issues[0]));
}

function refusal(
  what: string,
  schema: unknown,
  value: unknown,
  issue: v.BaseIssue<unknown>,
): UsageError {
  const keys = issue.path?.map((item) => String(item.key)) ?? [];
  const [last, parent] = [keys.at(-1), keys.slice(0, -1)];
  const where = (path: readonly string[]) => [what, ...path].join('.');
  const { input } = issue;
  if (issue.expected === 'never' && input !== undefined) {
    const fields = fieldsOf(schema, parent);
    return usage(where(parent), `a field "${last}"`, list(fields), meant(last, fields));
  }
  if (input === undefined && issue.expected === `"${last}"`) {
    return lacking(where(parent), last!, at(value, parent), fieldsOf(schema, parent));
  }
  const fields = issue.type === 'union' && isRecord(input) ? fieldsOf(schema, keys) : [];
  if (fields.length > 0) {
    const names = Object.keys(input as object);
    const strange = names.find((name) => !fields.includes(name));
    const near = meant(strange, fields);
    return usage(where(keys), `the fields ${list(names)}`, `one of ${list(fields)}`, near);
  }
  const allowed = issue.expected ?? issue.message;
  const words = allowed.match(/(?<=")[^"]+(?=")/g) ?? [];
  return usage(where(keys), shown(input, issue.received), allowed, meant(input, words));
}

/** A field that has to be there; perhaps it is, mistyped. */
function lacking(what: string, name: string, parent: unknown, fields: string[]): UsageError {
  const strange = isRecord(parent) ? Object.keys(parent).filter((f) => !fields.includes(f)) : [];
  const near = nearest(name, strange);
  const next = near === undefined ? undefined : `did you mean ${name} with "${near}"?`;
  return usage(what, `no field "${name}"`, 'an object that has one', next);
}

const list = (names: readonly string[]): string => names.join(', ') || 'none';

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((v, key) => (v as Record<string, unknown> | undefined)?.[key], value);
}

/** The fields that the object at `path` of a schema may have; all of them, where there is a choice. */
function fieldsOf(schema: unknown, path: readonly string[]): string[] {
  let here = plain(schema);
  for (const key of path) here = plain(here?.item ?? here?.entries?.[key]);
  const choices = (here?.options ?? []).filter((option) => typeof option === 'object');
  const objects = [here, ...choices.map(plain)];
  return objects.flatMap((object) => Object.keys(object?.entries ?? {}));
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
  options?: AnySchema[];
  getter?: (input: unknown) => AnySchema;
  entries?: Record<string, AnySchema>;
}

/** Without what is optional, lazy or piped around it. */
function plain(schema: unknown): AnySchema | undefined {
  let here = schema as AnySchema | undefined;
  while (here?.wrapped || here?.pipe || here?.getter) {
    here = here.wrapped ?? here.pipe?.[0] ?? here.getter?.(undefined);
  }
  return here;
}

/** Of a union's issues the one that got furthest: into a field that is there and may be. */
function deepest(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown> {
  const inside = issue.issues?.filter(({ path, expected }) => path && expected !== 'never');
  const there = inside?.filter(({ path }) =>
    Object.hasOwn(Object(issue.input), String(path![0].key)),
  );
  const next = there?.length === 1 ? there[0]! : undefined;
  if (!next) return issue;
  return deepest({ ...next, path: [...(issue.path ?? []), ...next.path!] as never });
}

function shown(input: unknown, received: string): unknown {
  return typeof input === 'object' ? received : input;
}
