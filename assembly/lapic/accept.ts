// Acceptance on a row that is not plain: legal vectors, and the refusal of the others.

import { ESR_RECEIVE_ILLEGAL, F_LOW_VECTORS, LOW_ERROR } from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { row } from '../memory/rows';
import { collect } from './esr';
import { reject } from './row';
import { acceptLegal, refusesNew } from './slow';
import { isHardwareEnabled } from './state';

/** Accepts on any row. An illegal vector is refused, and collected as an error where it is looked at. */
export function acceptSlow(cpu: u32, vector: u32, level: bool): void {
  const illegal = vector < <u32>L.FIRST_LEGAL_VECTOR && model(F_LOW_VECTORS) == <u32>LOW_ERROR; // bug: vector-15-is-accepted
  if (!illegal) return acceptLegal(cpu, vector, level);
  row(cpu).attempted++;
  reject(cpu, vector);
  if (isHardwareEnabled(cpu) && !refusesNew(cpu)) collect(cpu, ESR_RECEIVE_ILLEGAL);
}
