// The invariants of the whole machine, computed from the bits themselves. The storm checks them
// after every batch, restore() before it trusts a snapshot.

import { isOpen, outboxCount } from '../bus/outbox';
import { refresh } from '../lapic/refresh';
import { balances, irrAgrees, isrAgrees, tmrAgrees } from '../lapic/sound';
import { cpus } from '../memory/arena';
import {
  AUDIT_BALANCE,
  AUDIT_DEVICES,
  AUDIT_IRR_SUMMARY,
  AUDIT_ISR_SUMMARY,
  AUDIT_LOW_VECTOR,
  AUDIT_REGISTERS,
  AUDIT_TMR_SUMMARY,
  AUDIT_WAKE_LIST,
  F_IOAPIC_BITS,
  F_LOW_VECTORS,
  F_STORM_BRAKE,
  HANDLER_SMI,
  IOAPIC_RAW,
  LOW_DISPATCHED,
  LOW_ERROR,
  NONE,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { devices, lists } from '../memory/records';
import { coldRow, handlerSlot, ioapicAt, ioapicCount, pinAt, pins, row } from '../memory/rows';
import { ended, NOTHING } from '../record/ended';
import { isListed, listedCpu } from '../record/wake';

function auditCpu(cpu: u32): i32 {
  if (!balances(cpu)) return AUDIT_BALANCE;
  if (!irrAgrees(cpu)) return AUDIT_IRR_SUMMARY;
  if (!isrAgrees(cpu)) return AUDIT_ISR_SUMMARY;
  if (!tmrAgrees(cpu)) return AUDIT_TMR_SUMMARY;
  const rule = model(F_LOW_VECTORS);
  const low: u32 = rule == <u32>LOW_ERROR ? 0x10001 : rule == <u32>LOW_DISPATCHED ? 0 : 0x10000;
  return (<u32>row(cpu).classes & low) != 0 ? AUDIT_LOW_VECTOR : 0;
}

/** Whatever is used as an index or a shift is within its bounds; flags are what they follow from. */
function registersAreSound(cpu: u32): bool {
  const at = coldRow(cpu);
  const before = row(cpu).classes;
  refresh(cpu);
  const flagsAgree = row(cpu).classes == before;
  const base = at.base;
  const mode = (base >> 10) & 3;
  return (
    flagsAgree &&
    mode != 1 &&
    at.depth <= <u32>L.HANDLERS_MAX &&
    at.divide <= 0xb &&
    at.arb <= 15 &&
    at.sipi <= 255 &&
    at.dispatched <= 255 &&
    at.xapicId <= 255 &&
    at.latch <= <u32>LATCHES &&
    handlersAreSound(cpu)
  );
}

/** Every latch: LATCH_SMM is the highest. */
const LATCHES: u32 = 2 * L.LATCH_SMM - 1;

/** Every handler is of a kind that there is; SMM lasts as long as its one handler. */
function handlersAreSound(cpu: u32): bool {
  let smis = 0;
  for (let i: u32 = 0; i < coldRow(cpu).depth; i++) {
    const kind: u32 = (load<u16>(handlerSlot(cpu, i)) >> 8) & 15;
    if (kind == 0 || kind > <u32>HANDLER_SMI) return false;
    if (kind == HANDLER_SMI) smis++;
  }
  return smis == ((coldRow(cpu).latch & L.LATCH_SMM) != 0 ? 1 : 0);
}

/** Counts that loops trust agree with what they count. */
function devicesAreSound(): bool {
  let odd: u32 = 0;
  let timers: u32 = 0;
  let waiting: u32 = 0;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const at = coldRow(cpu);
    const latch = at.latch;
    if ((latch & L.LATCH_ODD) != 0) odd++;
    if ((latch & L.LATCH_BUS) != 0) waiting++;
    const expiry = at.expiry;
    if (expiry != 0) timers++;
    if (expiry != 0 && expiry < devices.now) return false;
  }
  return (
    odd == devices.odd &&
    timers == devices.timers &&
    waiting == devices.busWaiting &&
    devices.now >> 63 == 0 &&
    pinsAreSound() &&
    picsAreSound()
  );
}

function pinsAreSound(): bool {
  let braked: u32 = 0;
  const illegal: u64 = model(F_IOAPIC_BITS) == <u32>IOAPIC_RAW ? 0 : ENTRY_ILLEGAL;
  for (let n: u32 = 0; n < ioapicCount(); n++) {
    if (ioapicAt(n).arbId > 15 || ioapicAt(n).id > 15) return false;
    const brake = ioapicAt(n).brake;
    if (brake != 0) braked++;
    if (brake != 0 && brake < devices.now) return false;
    for (let pin: u32 = 0; pin < pins(n); pin++) {
      if ((pinAt(n, pin).entry & illegal) != 0) return false;
      if (pinAt(n, pin).served > <u32>model(F_STORM_BRAKE)) return false;
    }
  }
  return braked == devices.braked;
}

/** Bits that no redirection entry has, where it has only those of the data sheet. */
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
    lists.audit = AUDIT_REGISTERS;
    return cpu;
  }
  if (devicesAreSound()) return NONE;
  lists.audit = AUDIT_DEVICES;
  return 0;
}

/** First CPU that breaks an invariant of its rows or of the wake list (which one: H_AUDIT), or NONE. */
export function audit(): i32 {
  lists.audit = 0;
  let listed: u32 = 0;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const fault = auditCpu(cpu);
    if (fault != 0) {
      lists.audit = fault;
      return cpu;
    }
    if (isListed(cpu)) listed++;
  }
  if (wakeListIsSound(listed)) return NONE;
  lists.audit = AUDIT_WAKE_LIST;
  return 0;
}

/** As many entries as flagged CPUs, all in range and flagged. */
function wakeListIsSound(listed: u32): bool {
  const count = lists.wakeCount;
  if (count != listed) return false;
  for (let i: u32 = 0; i < count; i++) {
    const cpu = listedCpu(i);
    if (cpu >= cpus || !isListed(cpu)) return false;
  }
  return true;
}

/** In debug builds, when a command ends: nothing is left in the outbox, to an EOI, or on one side of the list. */
export function assertSettled(): void {
  if (ASC_NO_ASSERT) return;
  assert(!isOpen && outboxCount == 0, 'the outbox is open, or holds a message');
  assert(ended == NOTHING, 'an EOI was not finished');
  let listed: u32 = 0;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) if (isListed(cpu)) listed++;
  assert(wakeListIsSound(listed), 'LISTED and the wake list disagree');
}

/** The result of a command that has ended. */
export function settled(result: i32): i32 {
  assertSettled();
  return result;
}
