// The wake list: each CPU that got news since the list was last taken, once, in order of
// arrival. Embedders poll it instead of being called per IPI; the storm engine drains it.

import { news, wake } from '../memory/arena';
import * as L from '../memory/layout';
import { lists } from '../memory/records';
import { row } from '../memory/rows';

/** Flag in the class summary: this CPU is on the list. */
export const LISTED: u64 = (<u64>1) << L.CLASSES_LISTED_SHIFT;

/** While set, nobody is listed: the storm runs the one target's handlers right after the send. */
let quiet: bool = false;

export function setQuiet(on: bool): void {
  quiet = on;
}

/** While set, news goes into the ring, which its reader empties without a call; nobody is listed. */
let isRingOpen: bool = false;

function enterRing(cpu: u32): void {
  const head = load<u32>(news);
  store<u32>(news + L.NEWS_ENTRIES + ((<usize>(head & (L.NEWS_SIZE - 1))) << 2), cpu);
  store<u32>(news, head + 1);
}

/** Opens or closes the ring; what was listed goes into it. */
export function openRing(on: bool): void {
  isRingOpen = false;
  if (on) {
    const count = takeWakeList();
    for (let i: u32 = 0; i < count; i++) enterRing(listedCpu(i));
  }
  isRingOpen = on;
}

/** Lists `cpu` unless it is listed; returns its class summary with the flag set. */
export function kick(cpu: u32, classes: u64): u64 {
  if (quiet || (classes & LISTED) != 0) return classes;
  if (isRingOpen) {
    enterRing(cpu);
    return classes;
  }
  const count = lists.wakeCount;
  store<u32>(wake + ((<usize>count) << 2), cpu);
  lists.wakeCount = count + 1;
  return classes | LISTED;
}

/** Lists a CPU whose row is in memory. */
export function kickCpu(cpu: u32): void {
  const at = row(cpu);
  at.classes = kick(cpu, at.classes);
}

export function listedCpu(index: u32): u32 {
  return load<u32>(wake + ((<usize>index) << 2));
}

/** Takes the first `count` entries off the list, which are unlisted. */
export function dropListed(count: u32): void {
  const left = lists.wakeCount - count;
  memory.copy(wake, wake + ((<usize>count) << 2), (<usize>left) << 2);
  lists.wakeCount = left;
}

export function unlist(cpu: u32): void {
  const at = row(cpu);
  at.classes &= ~LISTED;
}

export function isListed(cpu: u32): bool {
  return (row(cpu).classes & LISTED) != 0;
}

/** Empties the list; its entries stay readable until the next kick(). */
export function takeWakeList(): u32 {
  const count = lists.wakeCount;
  for (let i: u32 = 0; i < count; i++) unlist(listedCpu(i));
  lists.wakeCount = 0;
  return count;
}
