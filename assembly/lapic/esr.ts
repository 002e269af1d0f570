// The Error Status Register. SDM 3A "Error Handling".

import {
  ESR_ILLEGAL_REGISTER,
  ESR_LATCH,
  ESR_RAW,
  ESR_RECEIVE_ILLEGAL,
  F_ESR,
  LVT_ERROR,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { coldRow, row } from '../memory/rows';
import { reject } from './row';
import { acceptLegal } from './slow';
import { LVT_MASKED, lvt } from './state';

/** Collects an error until ESR is written. A bit that was clear raises the error interrupt. */
export function collect(cpu: u32, bit: u32): void {
  const cold = coldRow(cpu);
  const kind = model(F_ESR);
  if (kind == <u32>ESR_RAW && bit == <u32>ESR_ILLEGAL_REGISTER) {
    cold.esr |= bit;
  }
  if (kind != <u32>ESR_LATCH) return;
  const pending = cold.esrPending;
  if ((pending & bit) != 0) return;
  cold.esrPending = pending | bit;
  raise(cpu);
}

/** The error interrupt. Its own illegal vector is one more error, not one more interrupt. */
function raise(cpu: u32): void {
  const entry = lvt(cpu, LVT_ERROR);
  if ((entry & LVT_MASKED) != 0) return;
  const vector = entry & 0xff;
  if (vector >= <u32>L.FIRST_LEGAL_VECTOR) return acceptLegal(cpu, vector, false);
  row(cpu).attempted++;
  reject(cpu, vector);
  const cold = coldRow(cpu);
  cold.esrPending |= ESR_RECEIVE_ILLEGAL;
}

/** A write of any value makes what has been collected visible, and starts anew. */
export function latchErrors(cpu: u32): void {
  if (model(F_ESR) != <u32>ESR_LATCH) return;
  const cold = coldRow(cpu);
  cold.esr = cold.esrPending;
  cold.esrPending = 0; // bug: esr-reads-show-what-is-pending
}
