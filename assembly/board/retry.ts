// The serial bus tries again what was rejected: senders and I/O APIC pins by arbitration priority.
// SDM 3A "APIC Bus Arbitration Mechanism and Protocol".
import { attempt, clocksOf, hasSerialBus, REJECTED, rotate, SHORT_CLOCKS } from '../bus/serial';
import { pendingPin, retryPin } from '../ioapic/ioapic';
import { bump, bumpBy, coldRow, cpus, row } from '../memory/arena';
import { NONE } from '../memory/codes';
import * as L from '../memory/layout';
import { arbitrationOf, ioapicAt, ioapicCount } from '../memory/rows';

/** Sender with the highest arbitration priority: a CPU, cpus + I/O APIC, or NONE. */
function winner(): i32 {
  let best: i32 = NONE;
  let priority: i32 = -1;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if ((load<u32>(coldRow(cpu), L.C_LATCH) & L.LATCH_BUS) == 0) continue;
    const own = <i32>load<u32>(arbitrationOf(cpu));
    if (own <= priority) continue;
    best = cpu;
    priority = own;
  }
  for (let n: u32 = 0; n < ioapicCount(); n++) {
    if (pendingPin(n) == NONE) continue;
    const own = <i32>load<u32>(ioapicAt(n), L.IO_ARB_ID);
    if (own <= priority) continue;
    best = cpus + n;
    priority = own;
  }
  return best;
}

function nextClocks(sender: u32): u64 {
  if (sender >= cpus) return SHORT_CLOCKS;
  const cold = coldRow(sender);
  return clocksOf(sender, load<u32>(cold, L.C_BUS_DEST), load<u32>(cold, L.C_BUS_LOW));
}

/** Whether it went through. */
function retryCpu(cpu: u32): bool {
  const cold = coldRow(cpu);
  const result = attempt(cpu, load<u32>(cold, L.C_BUS_DEST), load<u32>(cold, L.C_BUS_LOW));
  if (result == REJECTED) return false;
  store<u32>(cold, load<u32>(cold, L.C_LATCH) & ~L.LATCH_BUS, L.C_LATCH);
  store<u32>(L.H_BUS_WAITING, load<u32>(L.H_BUS_WAITING) - 1);
  rotate(arbitrationOf(cpu));
  return true;
}

/** Repeats of a rejected message change nothing but these counters: no one else wins the bus. */
function repeatRejection(clocks: u64, cost: u64): void {
  const times = clocks / cost;
  bumpBy(L.H_BUS_RETRIES, times);
  bumpBy(L.H_BUS_MESSAGES, times);
  bumpBy(L.H_BUS_CLOCKS, times * cost);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (load<u32>(coldRow(cpu), L.C_TURNED_AWAY) == 0) continue;
    bumpBy(row(cpu) + L.R_ATTEMPTED, times);
    bumpBy(row(cpu) + L.R_REJECTED, times);
  }
}

/** Lets the bus retry for `clocks` of its clock. */
export function runBus(clocks: u64): void {
  if (!hasSerialBus()) return;
  while (true) {
    const sender = winner();
    if (sender == NONE) return;
    const cost = nextClocks(sender);
    if (cost > clocks) return;
    clocks -= cost;
    bump(L.H_BUS_RETRIES);
    const done = <u32>sender < cpus ? retryCpu(sender) : retryPin(sender - cpus);
    if (!done) return repeatRejection(clocks, cost);
  }
}
