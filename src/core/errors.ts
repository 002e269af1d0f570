// The errors that ipistorm throws, and the checks that throw them.

/** Error for an option or argument outside its range: what, got, allowed, next step. */
export class UsageError extends RangeError {
  override name = 'UsageError';
}

/** Builds the house style's sentence: `cpus: got 5000, allowed 1-255 in ...; use an x2APIC mode`. */
export function usage(what: string, got: unknown, allowed: string, next?: string): UsageError {
  const shown = typeof got === 'string' ? JSON.stringify(got.slice(0, 80)) : String(got);
  return new UsageError(`${what}: got ${shown}, allowed ${allowed}${next ? `; ${next}` : ''}`);
}

/** A simulated machine broke an invariant of the hardware: a bug in ipistorm, never in the input. */
export class InvariantError extends Error {
  override name = 'InvariantError';
}

export function checkInteger(what: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw usage(what, value, `an integer ${min}-${max}`);
  }
  return value;
}
