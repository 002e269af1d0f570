// Whether a row agrees with itself. Debug builds ask after each step of an interrupt, the audit after each
// batch of a storm.
import { classesOf, countBits } from '../memory/bits';
import * as L from '../memory/layout';
import { coldRow, irrOf, isrOf, row, tmrOf } from '../memory/rows';

/** attempted = delivered + coalesced + rejected + discarded + pending. */
export function balances(cpu: u32): bool {
  const at = row(cpu);
  const settled = at.delivered + at.coalesced + at.rejected + coldRow(cpu).discarded;
  return at.attempted == settled + countBits(irrOf(cpu));
}

export function irrAgrees(cpu: u32): bool {
  return classesOf(irrOf(cpu)) == (<u32>row(cpu).classes & 0xffff);
}

export function isrAgrees(cpu: u32): bool {
  return classesOf(isrOf(cpu)) == (<u32>(row(cpu).classes >> L.CLASSES_ISR_SHIFT) & 0xffff);
}

export function tmrAgrees(cpu: u32): bool {
  return classesOf(tmrOf(cpu)) == <u32>(row(cpu).classes >> L.CLASSES_TMR_SHIFT);
}

/** In debug builds: every summary is what its bits say, and nothing is lost. */
export function assertSound(cpu: u32): void {
  if (ASC_NO_ASSERT) return;
  assert(balances(cpu), 'attempted is not the sum of what became of them');
  assert(irrAgrees(cpu), 'the IRR and its summary disagree');
  assert(isrAgrees(cpu), 'the ISR and its summary disagree');
  assert(tmrAgrees(cpu), 'the TMR and its summary disagree');
}
