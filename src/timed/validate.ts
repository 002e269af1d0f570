// JSON from outside against a schema: what, got, allowed.
import * as v from 'valibot';
import { meant } from '../core/check.js';
import { type UsageError, usage } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import { inWords, plain, schemaAt } from './words.js';

/** @internal @throws UsageError for the first thing that does not fit */
export function check<S extends v.GenericSchema>(
  what: string,
  schema: S,
  value: unknown,
): v.InferOutput<S> {
  refuseOdd(what, schema, value, 0);
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
  const allowed = inWords(schemaAt(schema, keys)) ?? issue.expected ?? issue.message;
  const words = issue.expected?.match(/(?<=")[^"]+(?=")/g) ?? [];
  return usage(where(keys), input === undefined ? 'nothing' : input, allowed, meant(input, words));
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

/** What the schema lets through: fields that every object inherits, and arrays without a field for objects. */
function refuseOdd(what: string, schema: unknown, value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null || depth > DEEP) return;
  const inside = plain(schema);
  if (Array.isArray(value) && inside?.entries) throw usage(what, value, 'an object');
  for (const key of Object.keys(value)) {
    if (key in Object.prototype) throw usage(what, `a field "${key}"`, 'fields of the schema');
    const field = schemaAt(inside, [key]);
    refuseOdd(`${what}.${key}`, field, (value as Record<string, unknown>)[key], depth + 1);
  }
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
