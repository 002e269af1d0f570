// The wake list: each CPU that got news since the list was last taken, once, in order of
// arrival. Embedders poll it instead of being called per IPI; the storm engine drains it.
import { row, wake } from '../memory/arena';
import * as L from '../memory/layout';

/** Flag in the class summary: this CPU is on the list. */
export const LISTED: u64 = (<u64>1) << L.CLASSES_LISTED_SHIFT;

/** While set, nobody is listed: the storm runs the one target's handlers right after the send. */
let quiet: bool = false;

export function setQuiet(on: bool): void {
  quiet = on;
}

/** Lists `cpu` unless it is listed; returns its class summary with the flag set. */
export function kick(cpu: u32, classes: u64): u64 {
  if (quiet || (classes & LISTED) != 0) return classes;
  const count = load<u32>(L.H_WAKE_COUNT);
  store<u32>(wake + ((<usize>count) << 2), cpu);
  store<u32>(L.H_WAKE_COUNT, count + 1);
  return classes | LISTED;
}

/** Lists a CPU whose row is in memory. */
export function kickCpu(cpu: u32): void {
  const at = row(cpu);
  store<u64>(at, kick(cpu, load<u64>(at, L.R_CLASSES)), L.R_CLASSES);
}

export function listedCpu(index: u32): u32 {
  return load<u32>(wake + ((<usize>index) << 2));
}

export function unlist(cpu: u32): void {
  const at = row(cpu);
  store<u64>(at, load<u64>(at, L.R_CLASSES) & ~LISTED, L.R_CLASSES);
}

export function isListed(cpu: u32): bool {
  return (load<u64>(row(cpu), L.R_CLASSES) & LISTED) != 0;
}

/** Empties the list; its entries stay readable until the next tell(). */
export function takeWakeList(): u32 {
  const count = load<u32>(L.H_WAKE_COUNT);
  for (let i: u32 = 0; i < count; i++) unlist(listedCpu(i));
  store<u32>(L.H_WAKE_COUNT, 0);
  return count;
}
