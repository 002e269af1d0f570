// What a row's flags follow from: call after whatever they depend on has changed.

import { F_SLOTS, SLOTS_NONE } from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { outcome } from '../memory/records';
import { row } from '../memory/rows';
import { kickCpu } from '../record/wake';
import { Lapic } from './lapic';
import { settle } from './slow';
import { dispatchesLow, isEarly, isHeld, isSoftwareEnabled, usesIer } from './state';

/** Computes HOLD and SLOW of a row anew; call after whatever they depend on has changed. */
export function refresh(cpu: u32): void {
  const at = row(cpu);
  const hold = isHeld(cpu) || isEarly() || usesIer(cpu);
  const slow =
    hold ||
    dispatchesLow() ||
    !isSoftwareEnabled(cpu) ||
    outcome.trace != 0 ||
    model(F_SLOTS) != <u32>SLOTS_NONE;
  const HOLD = (<u64>1) << L.CLASSES_HOLD_SHIFT;
  const SLOW = (<u64>1) << L.CLASSES_SLOW_SHIFT;
  let classes = at.classes & ~(HOLD | SLOW);
  if (hold) classes |= HOLD;
  if (slow) classes |= SLOW;
  at.classes = classes;
}

/** The same, and what follows from it: early dispatch, the wake list. */
export function refreshAndKick(cpu: u32): void {
  refresh(cpu);
  settle(cpu);
  if (Lapic.eligible(cpu)) kickCpu(cpu);
}
