// What the host may call of storms, and the invariants.
import { assertSettled, auditHardware, audit as auditRows, settled } from '../board/audit';
import { cpus } from '../memory/arena';
import { AUDIT_STORM_STATE, NONE } from '../memory/codes';
import { lists } from '../memory/records';
import { eventHash as hashOf } from '../record/hash';
import { stormIsSound } from '../storm/sound';
import * as engine from '../storm/storm';

export function drain(): void {
  engine.drain();
  assertSettled();
}

// --- storm ---

/** Sends `count` times; the storm's parameters are in the header. NONE, or the CPU that broke an invariant. */
export function storm(count: u32): i32 {
  engine.runStorm(count);
  return settled(audit());
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
