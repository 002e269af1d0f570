// ExtINT on its way to a CPU: which pins and entries ask for one. Whoever changes what it depends on calls
// news() afterwards, so that a CPU that has one to take is on the wake list.

import { extintEntryReaches } from '../ioapic/ioapic';
import { asksExtint } from '../lapic/lint';
import { cpus } from '../memory/arena';
import { LVT_LINT0, LVT_LINT1 } from '../memory/codes';
import * as L from '../memory/layout';
import { coldRow } from '../memory/rows';
import { picOutput } from '../pic/pic';
import { kickCpu } from '../record/wake';

// SDM 3A "Local Vector Table": ExtINT reaches the CPU without IRR, ISR or priority.
export function extintAsserted(cpu: u32): bool {
  if ((coldRow(cpu).latch & L.LATCH_EXTINT) != 0) return true;
  if (asksExtint(cpu, LVT_LINT0) || asksExtint(cpu, LVT_LINT1)) return true;
  return picOutput() && extintEntryReaches(cpu);
}

/** Wakes the CPU when it has an ExtINT to take. */
export function news(cpu: u32): void {
  if (extintAsserted(cpu)) kickCpu(cpu);
}

/** Wakes the CPUs that the 8259 pair's output reaches now. */
export function newsOfAll(): void {
  if (!picOutput()) return;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) news(cpu);
}
