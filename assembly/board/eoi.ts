// The whole of an EOI: what the local APIC does, then what that leaves to do on the bus, in the I/O APICs
// and at the LINT pins.

import { serialEoi } from '../bus/serial';
import { broadcastEoi } from '../ioapic/ioapic';
import { Lapic, runPlainHandlers } from '../lapic/lapic';
import { endLintLevel } from '../lapic/lint';
import { settle } from '../lapic/slow';
import { SVR_SUPPRESS, tmrIsLevel } from '../lapic/state';
import { EFFECT_EOI, F_EOI_SUPPRESSION, NONE } from '../memory/codes';
import { model } from '../memory/model';
import { coldRow } from '../memory/rows';
import { effect } from '../record/effects';
import { ended, NOTHING, takeEnded } from '../record/ended';
import { isEndless } from '../record/returned';
import { kickCpu, unlist } from '../record/wake';

/** EOI of `cpu`: the vector that it ended, or NONE. */
export function eoi(cpu: u32): i32 {
  const vector = Lapic.eoi(cpu);
  finishEoi();
  return vector;
}

/** Does what an EOI on a row that isn't plain has left to do. */
export function finishEoi(): void {
  if (ended != NOTHING) finish(takeEnded());
}

// SDM 3A "Signaling Interrupt Servicing Completion": the EOI of a level vector is broadcast to the
// I/O APICs, unless suppressed by SVR bit 12.
function finish(what: i64): void {
  const cpu = <u32>(what >> 32);
  const vector = <i32>what;
  const level = vector != NONE && tmrIsLevel(cpu, vector);
  effect(EFFECT_EOI, cpu, vector, level ? 1 : 0);
  if (level) {
    const suppressed = (coldRow(cpu).svr & SVR_SUPPRESS) != 0; // bug: eoi-suppression-is-ignored
    if (!suppressed || model(F_EOI_SUPPRESSION) == 0) serveEoi(cpu, vector);
    endLintLevel(cpu, vector);
  }
  settle(cpu);
}

function serveEoi(cpu: u32, vector: u32): void {
  serialEoi(cpu);
  broadcastEoi(vector);
}

/** What the PPR lets through, each handled. A class so that asc inlines the choice: the plain half stays small. */
export class Handlers {
  @inline static run(cpu: u32): void {
    if (!runPlainHandlers(cpu)) runSlowHandlers(cpu);
  }
}

/** Dispatch and EOI, one after the other, on a row that is not plain; until a level pin comes back without end. */
function runSlowHandlers(cpu: u32): void {
  unlist(cpu);
  while (!isEndless()) {
    if (Lapic.dispatch(cpu) == NONE) return;
    eoi(cpu);
  }
  kickCpu(cpu);
}
