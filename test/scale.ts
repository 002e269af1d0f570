// How much the fuzz tests do, in one place.
//   FUZZ_SEEDS  machines of the hardware fuzz; the others take fixed shares of it. Fast 120, slow 1500.
//   FUZZ_SEED   the first seed
//   FUZZ_STEPS  operations on each machine

/** The number of hardware machines from which on every rule must have been exercised. */
export const WHOLE = 1500;

/** Shares of FUZZ_SEEDS, by what one machine costs. */
export const SHARE = { hardware: 1, reference: 4 / 15, timed: 1 / 25 } as const;

function setting(name: string, usual: number): number {
  const text = process.env[name];
  if (!text) return usual;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new RangeError(`${name}: got "${text}", allowed an integer from 1`);
}

/** The seeds of one fuzz test, from FUZZ_SEED on. */
export function seeds(share: number): number[] {
  const first = setting('FUZZ_SEED', 1);
  const count = Math.max(1, Math.round(share * setting('FUZZ_SEEDS', 120)));
  return Array.from({ length: count }, (_, i) => first + i);
}

export function steps(usual: number): number {
  return setting('FUZZ_STEPS', usual);
}
