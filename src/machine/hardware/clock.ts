// Virtual time: timers, the brake of I/O APIC pins, the serial bus of P6 models.

import { checkWide } from '../../core/check.js';
import { usage } from '../../core/errors.js';
import { L } from '../../core/memory.js';
import type { CoreExports } from '../../core/wasm.js';

const FIRINGS_MAX = 20_000_000;

export function clockNow(core: CoreExports): bigint {
  return new DataView(core.memory.buffer).getBigUint64(L.H_NOW, true);
}

const NEVER = (1n << 64n) - 1n;
const KHZ_NS = 1_000_000n;

function kilohertz(mhz: number): bigint {
  return BigInt(Math.round(mhz * 1000));
}

/** When advance() has something to do next. */
export function nextEvent(core: CoreExports, busMHz: number): bigint | undefined {
  const clock = BigInt.asUintN(64, core.nextEvent());
  const clocks = core.clocksToRetry();
  const khz = kilohertz(busMHz);
  const bus = clocks === 0n ? NEVER : clockNow(core) + (clocks * KHZ_NS + khz - 1n) / khz;
  const next = clock < bus ? clock : bus;
  return next === NEVER ? undefined : next;
}

/** The time-stamp counter. */
export function tscNow(core: CoreExports): bigint {
  const khz = new DataView(core.memory.buffer).getUint32(L.H_TSC_KHZ, true);
  return (clockNow(core) * BigInt(khz)) / KHZ_NS;
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
  const reached = core.advance(until, FIRINGS_MAX, (span * kilohertz(busMHz)) / KHZ_NS);
  done();
  if (reached === 1) return;
  throw usage(
    'ns',
    `${ns}, in which timers fire more than ${FIRINGS_MAX} times`,
    'fewer',
    'advance in smaller steps or give the timers longer periods',
  );
}
