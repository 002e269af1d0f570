// The serial bus tries again what was rejected: senders and I/O APIC pins by arbitration priority.
// SDM 3A "APIC Bus Arbitration Mechanism and Protocol".
import { attempt, clocksOf, hasSerialBus, REJECTED, rotate, SHORT_CLOCKS } from '../bus/serial';
import { pendingPin, retryPin } from '../ioapic/ioapic';
import { cpus } from '../memory/arena';
import { NONE } from '../memory/codes';
import * as L from '../memory/layout';
import { devices } from '../memory/records';
import { arbiterOf, coldRow, ioapicAt, ioapicCount, row } from '../memory/rows';

/** Sender with the highest arbitration priority: a CPU, cpus + I/O APIC, or NONE. */
function winner(): i32 {
  let best: i32 = NONE;
  let priority: i32 = -1;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if ((coldRow(cpu).latch & L.LATCH_BUS) == 0) continue;
    const own = <i32>arbiterOf(cpu).id;
    if (own <= priority) continue;
    best = cpu;
    priority = own;
  }
  for (let n: u32 = 0; n < ioapicCount(); n++) {
    if (pendingPin(n) == NONE) continue;
    const own = <i32>ioapicAt(n).arbId;
    if (own <= priority) continue;
    best = cpus + n;
    priority = own;
  }
  return best;
}

function nextClocks(sender: u32): u64 {
  if (sender >= cpus) return SHORT_CLOCKS;
  const cold = coldRow(sender);
  return clocksOf(sender, cold.busDest, cold.busLow);
}

/** Clocks until the bus tries again what was rejected, 0: nothing was. */
export function clocksToRetry(): u64 {
  if (!hasSerialBus()) return 0;
  const sender = winner();
  return sender == NONE ? 0 : nextClocks(sender);
}

/** Whether it went through. */
function retryCpu(cpu: u32): bool {
  const cold = coldRow(cpu);
  const result = attempt(cpu, cold.busDest, cold.busLow);
  if (result == REJECTED) return false;
  cold.latch &= ~L.LATCH_BUS;
  devices.busWaiting -= 1;
  rotate(arbiterOf(cpu));
  return true;
}

/** Repeats of a rejected message change nothing but these counters: no one else wins the bus. */
function repeatRejection(clocks: u64, cost: u64): void {
  const times = clocks / cost;
  devices.busRetries += times;
  devices.busMessages += times;
  devices.busClocks += times * cost;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (coldRow(cpu).turnedAway == 0) continue;
    row(cpu).attempted += times;
    row(cpu).rejected += times;
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
    devices.busRetries++;
    const done = <u32>sender < cpus ? retryCpu(sender) : retryPin(sender - cpus);
    if (!done) return repeatRejection(clocks, cost);
  }
}
