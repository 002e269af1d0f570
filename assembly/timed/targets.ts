// Whom an operation goes to, among targetFirst to targetLast of its workload.
import { clearCpu, clearMask, nextCpu, setCpu, testCpu } from '../linux/cpumask';
import { cpus } from '../memory/arena';
import { cpuMask, Mask, me, nodeRow, self } from './arena';
import {
  TO_ALL,
  TO_CONTIGUOUS,
  TO_EACH,
  TO_FIXED,
  TO_NEXT,
  TO_OTHERS,
  TO_PAIR,
  TO_RANDOM,
  TO_RANDOM_SET,
} from './codes';
import { draw, drawBelow } from './costs';
import { Workload } from './records';

export function target(work: Workload): u32 {
  const how = work.targets;
  const first = work.targetFirst;
  const last = work.targetLast;
  if (how == <u32>TO_FIXED) return work.target;
  if (how == <u32>TO_NEXT) return self >= last || self < first ? first : self + 1;
  if (how == <u32>TO_PAIR) return (self ^ 1) < cpus ? self ^ 1 : self;
  if (how == <u32>TO_RANDOM) return randomOther(first, last);
  if (how == <u32>TO_EACH) return nextInTurn(first, last);
  return self;
}

/** Any CPU of the range but this one. */
function randomOther(first: u32, last: u32): u32 {
  const inside = self >= first && self <= last;
  const range = last - first + 1;
  if (inside && range == 1) return self;
  const pick = first + drawBelow(inside ? range - 1 : range);
  return inside && pick >= self ? pick + 1 : pick;
}

function nextInTurn(first: u32, last: u32): u32 {
  for (let tries: u32 = 0; tries < 2; tries++) {
    const turn = me.turn;
    const cpu = first + turn > last ? first : first + turn;
    me.turn = cpu - first + 1;
    if (cpu != self) return cpu;
  }
  return self;
}

// smp_call_function_any(): this CPU if it may, else one of its node, else the first.
export function anyOf(work: Workload): u32 {
  if (work.here != 0) return self;
  const mask = cpuMask(self, Mask.Targets);
  const first = nextCpu(mask, 0);
  for (let cpu = first; cpu >= 0; cpu = nextCpu(mask, cpu + 1)) {
    if (nodeRow(cpu).socket == me.socket) return cpu;
  }
  return first < 0 ? self : first;
}

/** Fills a mask of this CPU: Mask.Targets for a call, Mask.Receivers for a bare send. */
export function fillTargets(work: Workload, which: u32): void {
  const mask = cpuMask(self, which);
  const how = work.targets;
  const first = work.targetFirst;
  const last = work.targetLast;
  clearMask(mask);
  // A send without a copy has emptied the mask that this CPU keeps (FAULT_NO_COPY).
  if (which == Mask.Receivers && me.maskLost != 0) return;
  if (how == <u32>TO_RANDOM_SET || how == <u32>TO_CONTIGUOUS) {
    fillSome(mask, work, how == <u32>TO_RANDOM_SET);
  } else if (how == <u32>TO_OTHERS || how == <u32>TO_ALL) {
    for (let cpu = first; cpu <= last; cpu++) if (cpu != self) setCpu(mask, cpu);
  } else {
    const cpu = target(work);
    if (cpu != self) setCpu(mask, cpu);
  }
  const chance = work.cond;
  if (chance != 0) keepSome(mask, chance);
}

/** As many CPUs as the workload says: chosen at random, or those after this one. */
function fillSome(mask: usize, work: Workload, random: bool): void {
  const first = work.targetFirst;
  const last = work.targetLast;
  const inside = self >= first && self <= last;
  const size = min(work.size, last - first + (inside ? 0 : 1));
  let cpu = self;
  for (let made: u32 = 0; made < size; made++) {
    cpu = random ? first + drawBelow(last - first + 1) : wrap(cpu + 1, first, last);
    while (cpu == self || testCpu(mask, cpu)) cpu = wrap(cpu + 1, first, last);
    setCpu(mask, cpu);
  }
}

/** on_each_cpu_cond(): only CPUs that meet the condition, each with the same chance. */
function keepSome(mask: usize, chance: u64): void {
  for (let cpu = nextCpu(mask, 0); cpu >= 0; cpu = nextCpu(mask, cpu + 1)) {
    if (draw() >> 32 >= chance) clearCpu(mask, cpu);
  }
}

function wrap(cpu: u32, first: u32, last: u32): u32 {
  return cpu > last || cpu < first ? first : cpu;
}
