// The invariants of the whole machine, computed from the bits themselves. The storm checks them
// after every batch, restore() before it trusts a snapshot.
import { refresh } from '../lapic/refresh';
import { cold, coldRow, cpus, row, rows } from '../memory/arena';
import { classesOf, countBits } from '../memory/bits';
import {
  AUDIT_BALANCE,
  AUDIT_DEVICES,
  AUDIT_IRR_SUMMARY,
  AUDIT_ISR_SUMMARY,
  AUDIT_LOW_VECTOR,
  AUDIT_REGISTERS,
  AUDIT_TMR_SUMMARY,
  AUDIT_WAKE_LIST,
  F_LOW_VECTORS,
  HANDLER_SMI,
  LOW_DISPATCHED,
  LOW_ERROR,
  NONE,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { ioapicAt, ioapicCount, pinAt, pins } from '../memory/rows';
import { isListed, listedCpu } from '../record/wake';

function coldOf(at: usize): usize {
  return cold + ((at - rows) << (L.COLD_SHIFT - L.ROW_SHIFT));
}

// attempted = delivered + coalesced + rejected + discarded + pending, per target.
function balances(at: usize): bool {
  const discarded = load<u64>(coldOf(at), L.C_DISCARDED);
  const settled =
    load<u64>(at, L.R_DELIVERED) + load<u64>(at, L.R_COALESCED) + load<u64>(at, L.R_REJECTED);
  return load<u64>(at, L.R_ATTEMPTED) == settled + discarded + countBits(at + L.R_IRR);
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
  const rule = model(F_LOW_VECTORS);
  const low: u32 = rule == <u32>LOW_ERROR ? 0x10001 : rule == <u32>LOW_DISPATCHED ? 0 : 0x10000;
  return (<u32>classes & low) != 0 ? AUDIT_LOW_VECTOR : 0;
}

/** Whatever is used as an index or a shift is within its bounds; flags are what they follow from. */
function registersAreSound(cpu: u32): bool {
  const at = coldRow(cpu);
  const before = load<u64>(row(cpu), L.R_CLASSES);
  refresh(cpu);
  const flagsAgree = load<u64>(row(cpu), L.R_CLASSES) == before;
  const base = load<u64>(at, L.C_BASE);
  const mode = (base >> 10) & 3;
  return (
    flagsAgree &&
    mode != 1 &&
    load<u32>(at, L.C_DEPTH) <= <u32>L.HANDLERS_MAX &&
    load<u32>(at, L.C_DIVIDE) <= 0xb &&
    load<u32>(at, L.C_ARB) <= 15 &&
    load<u32>(at, L.C_SIPI) <= 255 &&
    load<u32>(at, L.C_DISPATCHED) <= 255 &&
    load<u32>(at, L.C_XAPIC_ID) <= 255 &&
    load<u32>(at, L.C_LATCH) <= <u32>LATCHES &&
    handlersAreSound(at)
  );
}

const LATCHES: u32 = 0x7fff;

function handlersAreSound(at: usize): bool {
  for (let i: u32 = 0; i < load<u32>(at, L.C_DEPTH); i++) {
    const kind: u32 = (load<u16>(at + L.C_HANDLERS + ((<usize>i) << 1)) >> 8) & 15;
    if (kind == 0 || kind > <u32>HANDLER_SMI) return false;
  }
  return true;
}

/** Counts that loops trust agree with what they count. */
function devicesAreSound(): bool {
  let odd: u32 = 0;
  let timers: u32 = 0;
  let waiting: u32 = 0;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const at = coldRow(cpu);
    const latch = load<u32>(at, L.C_LATCH);
    if ((latch & L.LATCH_ODD) != 0) odd++;
    if ((latch & L.LATCH_BUS) != 0) waiting++;
    const expiry = load<u64>(at, L.C_EXPIRY);
    if (expiry != 0) timers++;
    if (expiry != 0 && expiry < load<u64>(L.H_NOW)) return false;
  }
  return (
    odd == load<u32>(L.H_ODD) &&
    timers == load<u32>(L.H_TIMERS) &&
    waiting == load<u32>(L.H_BUS_WAITING) &&
    load<u64>(L.H_NOW) >> 63 == 0 &&
    pinsAreSound() &&
    picsAreSound()
  );
}

function pinsAreSound(): bool {
  let braked: u32 = 0;
  for (let n: u32 = 0; n < ioapicCount(); n++) {
    if (load<u32>(ioapicAt(n), L.IO_ARB_ID) > 15 || load<u32>(ioapicAt(n), L.IO_ID) > 15)
      return false;
    for (let pin: u32 = 0; pin < pins(n); pin++) {
      const brake = load<u64>(pinAt(n, pin), L.PIN_BRAKE);
      if (brake != 0) braked++;
      if (brake != 0 && brake < load<u64>(L.H_NOW)) return false;
      if ((load<u64>(pinAt(n, pin), L.PIN_ENTRY) & ENTRY_ILLEGAL) != 0) return false;
    }
  }
  return braked == load<u32>(L.H_BRAKED);
}

/** Bits that no redirection entry has. */
const ENTRY_ILLEGAL: u64 = 0x00fffffffffe0000;

function picsAreSound(): bool {
  for (let chip: usize = 0; chip < 2; chip++) {
    const at = <usize>L.H_PIC + chip * L.PIC_BYTES;
    if (load<u8>(at, L.P_LOWEST) > 7 || load<u8>(at, L.P_ICW) > 4) return false;
  }
  return true;
}

/** First CPU whose registers, or 0 when the devices, are not as the rest relies on; or NONE. */
export function auditHardware(): i32 {
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (registersAreSound(cpu)) continue;
    store<u32>(L.H_AUDIT, AUDIT_REGISTERS);
    return cpu;
  }
  if (devicesAreSound()) return NONE;
  store<u32>(L.H_AUDIT, AUDIT_DEVICES);
  return 0;
}

/** First CPU that breaks an invariant of its rows or of the wake list (which one: H_AUDIT), or NONE. */
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
  if (wakeListIsSound(listed)) return NONE;
  store<u32>(L.H_AUDIT, AUDIT_WAKE_LIST);
  return 0;
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
