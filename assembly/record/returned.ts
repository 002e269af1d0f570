// Level pins that their own EOI made send again. Whoever runs handlers until there are none left asks whether
// there is an end to it: time stands still meanwhile, and nobody lowers the pin.

const RETURNS_MAX: u32 = 100_000;
/** A LINT pin, with its CPU << 8; else I/O APIC << 8 | pin. */
export const RETURNED_LINT: u64 = (<u64>1) << 63;

let returns: u32 = 0;
let latest: u64 = 0;

export function forgetReturns(): void {
  returns = 0;
}

export function noteReturn(pin: u64): void {
  returns++;
  latest = pin;
}

export function isEndless(): bool {
  return returns >= RETURNS_MAX;
}

/** The pin that sent again last. */
export function latestReturn(): u64 {
  return latest;
}
