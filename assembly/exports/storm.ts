// What the host may call of storms, and the invariants.
import { assertSettled, auditHardware, audit as auditRows, settled } from '../board/audit';
import { newsIfAsserted, newsIfWaiting } from '../cpu/blocking';
import { cpus } from '../memory/arena';
import { AUDIT_STORM_STATE, ENDLESS, NONE } from '../memory/codes';
import { lists, outcome } from '../memory/records';
import { eventHash as hashOf } from '../record/hash';
import { forgetReturns, isEndless, latestReturn } from '../record/returned';
import { stormIsSound } from '../storm/sound';
import * as engine from '../storm/storm';

/** 0, or ENDLESS with the pin in H_RESULT: bit 63 a LINT pin, with its CPU << 8; else I/O APIC << 8 | pin. */
export function drain(): i32 {
  forgetReturns();
  engine.drain();
  return settled(endOf(0));
}

/** After drains, which take vectors only and every CPU off the list: lists those for which something waits. */
export function listWaiting(): void {
  for (let cpu: u32 = 0; cpu < cpus; cpu++) newsIfWaiting(cpu);
  assertSettled();
}

/** `result`, or ENDLESS: a level pin came back with every EOI. Whoever has something left is listed. */
function endOf(result: i32): i32 {
  if (!isEndless()) return result;
  outcome.result = latestReturn();
  for (let cpu: u32 = 0; cpu < cpus; cpu++) newsIfAsserted(cpu);
  return ENDLESS;
}

// --- storm ---

/** Sends `count` times; the storm's parameters are in the header. NONE, the CPU that broke an invariant, or ENDLESS. */
export function storm(count: u32): i32 {
  engine.runStorm(count);
  return settled(endOf(audit()));
}

/** First CPU that breaks an invariant of storms (which one: H_AUDIT), or NONE. */
export function audit(): i32 {
  const culprit = auditRows();
  if (culprit != NONE || stormIsSound()) return culprit;
  lists.audit = AUDIT_STORM_STATE;
  return 0;
}

/** The same of everything that a snapshot holds. */
export function auditAll(): i32 {
  const culprit = audit();
  return culprit != NONE ? culprit : auditHardware();
}

export function eventHash(): u64 {
  return hashOf(cpus);
}
