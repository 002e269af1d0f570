// The invariants of the whole machine, computed from the bits themselves. The storm checks them
// after every batch, restore() before it trusts a snapshot.
import { coldRow, cpus, row } from './arena';
import {
  AUDIT_BALANCE,
  AUDIT_IRR_SUMMARY,
  AUDIT_ISR_SUMMARY,
  AUDIT_LOW_VECTOR,
  AUDIT_STORM_STATE,
  AUDIT_TMR_SUMMARY,
  AUDIT_WAKE_LIST,
  NONE,
  PATTERN_ALLBUTSELF,
  VIA_CALL,
} from './codes';
import { isListed, listedCpu } from './lapic/wake';
import * as L from './layout';

/** Bits set in 16 words. */
export function countBits(words: usize): u32 {
  let sum: u64 = 0;
  for (let at: usize = 0; at < 32; at += 8) sum += popcnt<u64>(load<u64>(words + at));
  return <u32>sum;
}

/** Which of 16 words are not 0. */
function classesOf(words: usize): u32 {
  let classes: u32 = 0;
  for (let c: u32 = 0; c < 16; c++) {
    if (load<u16>(words + ((<usize>c) << 1)) != 0) classes |= 1 << c;
  }
  return classes;
}

// attempted = delivered + coalesced + rejected + pending, per target.
function balances(at: usize): bool {
  const settled =
    load<u64>(at, L.R_DELIVERED) + load<u64>(at, L.R_COALESCED) + load<u64>(at, L.R_REJECTED);
  return load<u64>(at, L.R_ATTEMPTED) == settled + countBits(at + L.R_IRR);
}

function auditCpu(cpu: u32): i32 {
  const at = row(cpu);
  const classes = load<u64>(at, L.R_CLASSES);
  if (!balances(at)) return AUDIT_BALANCE;
  if (classesOf(at + L.R_IRR) != (<u32>classes & 0xffff)) return AUDIT_IRR_SUMMARY;
  if (classesOf(at + L.R_ISR) != (<u32>(classes >> L.CLASSES_ISR_SHIFT) & 0xffff)) {
    return AUDIT_ISR_SUMMARY;
  }
  if (classesOf(coldRow(cpu) + L.C_TMR) != <u32>(classes >> L.CLASSES_TMR_SHIFT)) {
    return AUDIT_TMR_SUMMARY;
  }
  return (<u32>classes & 0x10001) != 0 ? AUDIT_LOW_VECTOR : 0;
}

/** First CPU that breaks an invariant (which one: H_AUDIT), or NONE. */
export function audit(): i32 {
  store<u32>(L.H_AUDIT, 0);
  let listed: u32 = 0;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const fault = auditCpu(cpu);
    if (fault != 0) {
      store<u32>(L.H_AUDIT, fault);
      return cpu;
    }
    if (isListed(cpu)) listed++;
  }
  const fault = !wakeListIsSound(listed) ? AUDIT_WAKE_LIST : stormIsSound() ? 0 : AUDIT_STORM_STATE;
  store<u32>(L.H_AUDIT, fault);
  return fault == 0 ? NONE : 0;
}

/** As many entries as flagged CPUs, all in range and flagged. */
function wakeListIsSound(listed: u32): bool {
  const count = load<u32>(L.H_WAKE_COUNT);
  if (count != listed) return false;
  for (let i: u32 = 0; i < count; i++) {
    const cpu = listedCpu(i);
    if (cpu >= cpus || !isListed(cpu)) return false;
  }
  return true;
}

/** Every index that the storm engine follows stays inside its table. */
function stormIsSound(): bool {
  const vectors = load<u32>(L.S_VECTOR_COUNT);
  return (
    vectors <= 256 &&
    load<u32>(L.S_VECTOR_NEXT) <= (vectors == 0 ? 0 : vectors - 1) &&
    load<u32>(L.S_SOURCE_NEXT) < cpus &&
    load<u32>(L.S_TARGET) < cpus &&
    (cpus == 1 || load<u32>(L.S_SIZE) < cpus) &&
    load<u32>(L.S_STRIDE) <= cpus &&
    load<u32>(L.S_PATTERN) <= <u32>PATTERN_ALLBUTSELF &&
    load<u32>(L.S_VIA) <= <u32>VIA_CALL
  );
}
