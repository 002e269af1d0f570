// The errors that ipistorm throws, and the check that most need.

/** Error for an option or argument outside its range: what, got, allowed, next step. */
export class UsageError extends RangeError {
  override name = 'UsageError';
}

/** Builds the house style's sentence: `cpus: got 5000, allowed 1-255 in ...; use an x2APIC mode`. */
export function usage(what: string, got: unknown, allowed: string, next?: string): UsageError {
  return new UsageError(`${what}: got ${shown(got)}, allowed ${allowed}${next ? `; ${next}` : ''}`);
}

/** A value in a few words, whatever it is. */
function shown(got: unknown): string {
  if (typeof got === 'string') return JSON.stringify(got.slice(0, 80));
  if (typeof got === 'function') return 'a function';
  if (typeof got !== 'object' || got === null) return String(got);
  if (Array.isArray(got)) return `an array of ${got.length}`;
  const name = Object.prototype.toString.call(got).slice(8, -1);
  return name === 'Object' ? 'an object' : `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
}

/** A simulated machine broke an invariant of the hardware: a bug in ipistorm, never in the input. */
export class InvariantError extends Error {
  override name = 'InvariantError';
}

export function checkInteger(what: string, value: unknown, min: number, max: number): number {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) {
    return value as number;
  }
  const next = typeof value === 'bigint' ? 'a number, not a BigInt' : undefined;
  throw usage(what, value, `an integer ${min}-${max}`, next);
}
