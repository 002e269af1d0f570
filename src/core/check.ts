// Checks of what callers give: each returns the value, or throws a UsageError that names it.
import { checkInteger, usage } from './errors.js';
import { nearest } from './nearest.js';

/** Every option that an object may have; the compiler sees to it that none is missing. */
export type KeysOf<T> = { readonly [K in keyof T]-?: true };

/** A plain object: no array, Map, Promise or buffer, which would pass for one without options. */
export function checkRecord<T>(what: string, value: T, allowed: string): T & object {
  const plain =
    typeof value === 'object' &&
    value !== null &&
    Object.prototype.toString.call(value) === '[object Object]';
  if (!plain) throw usage(what, value, allowed);
  return value;
}

/** An object with these options and no others. */
export function checkOptions<T extends object>(what: string, given: T, known: KeysOf<T>): T {
  const names = Object.keys(known);
  checkRecord(what, given, `an object with ${names.join(', ')}`);
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(known, key)) throw usage(what, key, names.join(', '), meant(key, names));
  }
  return given;
}

/** One of the names of a table. */
export function checkName<T extends string>(
  what: string,
  value: unknown,
  table: Readonly<Record<T, unknown>>,
): T {
  return checkOneOf(what, value, Object.keys(table) as T[]);
}

/** One of a list of names. */
export function checkOneOf<T extends string>(what: string, value: unknown, names: readonly T[]): T {
  if ((names as readonly unknown[]).includes(value)) return value as T;
  throw usage(what, value, names.join(', '), meant(value, names));
}

/** `did you mean NAME?`, or nothing when no allowed name is near. */
export function meant(value: unknown, names: readonly string[]): string | undefined {
  const near = typeof value === 'string' ? nearest(value, names) : undefined;
  return near && `did you mean ${near}?`;
}

/** A finite number, fractions too. */
export function checkNumber(what: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw usage(what, value, `a number ${min}-${max}`);
}

export function checkBoolean(what: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw usage(what, value, 'true, false');
  return value;
}

// biome-ignore lint/complexity/noBannedTypes: any function will do
export function checkFunction<T extends Function>(what: string, value: T): T {
  if (typeof value !== 'function') throw usage(what, value, 'a function');
  return value;
}

/**
 * What a register of `bits` holds, given as an unsigned number or as the negative one that JavaScript's
 * bit operators make of it: `0xff << 24` is -16777216, and is taken as 0xff000000.
 */
export function checkRegister(what: string, value: unknown, bits: 8 | 16 | 32 = 32): number {
  const span = 2 ** bits;
  if (Number.isInteger(value) && (value as number) >= -span / 2 && (value as number) < span) {
    return (value as number) < 0 ? (value as number) + span : (value as number);
  }
  const next = typeof value === 'bigint' ? 'a number, not a BigInt' : undefined;
  throw usage(what, value, `${bits} bits: an integer ${-span / 2}-${span - 1}`, next);
}

const WIDE = 0xffff_ffff_ffff_ffffn;

/** 64 bits, as a BigInt or as a number up to 2^53-1. */
export function checkWide(what: string, value: unknown): bigint {
  if (typeof value === 'bigint' && value >= 0n && value <= WIDE) return value;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return BigInt(value as number);
  const next =
    typeof value === 'number' && value < 0 ? 'x >>> 0 makes 32 bits of a negative x' : undefined;
  throw usage(what, value, '0-0xffffffffffffffff, a BigInt or an integer up to 2^53-1', next);
}

/** Bytes: a Uint8Array (also Node's Buffer), of this realm or another. */
export function checkBytes(what: string, value: unknown, allowed: string): Uint8Array {
  if (ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]')
    return value as Uint8Array;
  const buffer = Object.prototype.toString.call(value).endsWith('ArrayBuffer]');
  throw usage(what, value, allowed, buffer ? 'wrap it: new Uint8Array(buffer)' : undefined);
}

/** A list without holes: an array, a typed array, or what looks like one; at most `most` long. */
export function checkList<T>(what: string, value: ArrayLike<T>, most: number): T[] {
  const length = typeof value === 'object' && value !== null ? value.length : undefined;
  if (length === undefined) throw usage(what, value, 'an array');
  checkInteger(`${what}.length`, length, 0, most);
  return Array.from({ length }, (_, i) => value[i] as T);
}

/** The same object, frozen with all that it holds. */
export function freezeDeep<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) freezeDeep(inner);
  return Object.freeze(value);
}

/** Fields that were set in a constructor and stay: checks rest on them. */
export function lockFields<T extends object>(object: T, ...names: (keyof T)[]): void {
  for (const name of names) {
    Object.defineProperty(object, name, { writable: false, configurable: false });
  }
}
