// Who takes a lowest-priority message. SDM 3A "Lowest Priority Delivery Mode".

import { apr } from '../lapic/registers';
import { hasSlot } from '../lapic/row';
import { isSoftwareEnabled } from '../lapic/state';
import { cpus } from '../memory/arena';
import {
  F_LOWEST_PRIORITY,
  LOWEST_APR_ARB,
  LOWEST_APR_ID,
  LOWEST_FIRST,
  NONE,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { apicId, coldRow, irrOf, isrOf, row } from '../memory/rows';
import { matchesDestination } from './match';

/** SVR bit 9: focus processor checking disabled. */
const SVR_NO_FOCUS: u32 = 0x200;

/** The focus processor has the vector pending or in service. */
function isFocus(cpu: u32, vector: u32): bool {
  if ((coldRow(cpu).svr & SVR_NO_FOCUS) != 0) return false;
  return irrOf(cpu).has(vector) || isrOf(cpu).has(vector);
}

function usesApr(): bool {
  const rule = model(F_LOWEST_PRIORITY);
  return rule == <u32>LOWEST_APR_ARB || rule == <u32>LOWEST_APR_ID;
}

/** Smaller is better; ties go to the larger of tieBreak(). */
function priority(cpu: u32): u32 {
  if (usesApr()) return apr(cpu);
  return <u32>(row(cpu).classes >> (L.CLASSES_TPR_SHIFT + 4)) & 15;
}

function tieBreak(cpu: u32): u32 {
  const rule = model(F_LOWEST_PRIORITY);
  if (rule == <u32>LOWEST_APR_ARB) return coldRow(cpu).arb;
  return rule == <u32>LOWEST_APR_ID ? apicId(cpu) : 0;
}

function isCandidate(cpu: u32, vector: u32): bool {
  return isSoftwareEnabled(cpu) && hasSlot(cpu, vector);
}

export function focusOf(source: i32, dest: u32, low: u32): i32 {
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (!matchesDestination(cpu, source, dest, low) || !isSoftwareEnabled(cpu)) continue;
    if (isFocus(cpu, low & 0xff)) return cpu;
  }
  return NONE;
}

/** The CPU that takes it, NONE when no candidate is addressed. */
export function chooseLowest(source: i32, dest: u32, low: u32): i32 {
  if (usesApr()) {
    const focus = focusOf(source, dest, low);
    if (focus != NONE) return focus; // bug: the-focus-processor-is-not-asked
  }
  const first = model(F_LOWEST_PRIORITY) == <u32>LOWEST_FIRST;
  let chosen: i32 = NONE;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (!matchesDestination(cpu, source, dest, low)) continue;
    if (first) return cpu;
    if (!isCandidate(cpu, low & 0xff)) continue;
    if (chosen == NONE || isBetter(cpu, chosen)) chosen = cpu;
  }
  return chosen;
}

function isBetter(cpu: u32, than: u32): bool {
  if (priority(cpu) != priority(than)) return priority(cpu) < priority(than);
  return tieBreak(cpu) > tieBreak(than);
}
