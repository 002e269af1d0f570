// Virtual time: timers, the brake of I/O APIC pins, the serial bus of P6 models.

import { checkWide } from '../../core/check.js';
import { usage } from '../../core/errors.js';
import { L } from '../../core/memory.js';
import type { CoreExports } from '../../core/wasm.js';

const FIRINGS_MAX = 20_000_000;

export function clockNow(core: CoreExports): bigint {
  return new DataView(core.memory.buffer).getBigUint64(L.H_NOW, true);
}

/** Lets `ns` pass, then calls `done`. @throws UsageError when timers fire too often in it */
export function advanceClock(
  core: CoreExports,
  ns: number | bigint,
  busMHz: number,
  done: () => void,
): void {
  const span = checkWide('ns', ns);
  const until = clockNow(core) + span;
  if (until >= 1n << 63n) throw usage('ns', ns, 'a clock below 2^63 ns');
  const reached = core.advance(
    until,
    FIRINGS_MAX,
    (span * BigInt(Math.round(busMHz * 1000))) / 1_000_000n,
  );
  done();
  if (reached === 1) return;
  throw usage(
    'ns',
    `${ns}, in which timers fire more than ${FIRINGS_MAX} times`,
    'fewer',
    'advance in smaller steps or give the timers longer periods',
  );
}
