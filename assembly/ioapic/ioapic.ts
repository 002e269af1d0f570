// I/O APICs: redirection entries, pins, remote IRR, EOI. 82093AA data sheet; version 0x20 adds the EOI
// register (ICH data sheets).
import { matchesDestination } from '../bus/match';
import { ioapicSend, REJECTED } from '../bus/serial';
import {
  BRAKE_ON_WRITE,
  DELIVERY_EXTINT,
  DELIVERY_LOWEST,
  DELIVERY_SIPI,
  F_BRAKE_RESET,
  F_IOAPIC_ABSENT,
  F_IOAPIC_BITS,
  F_IOAPIC_POLARITY,
  F_REMOTE_IRR,
  F_STORM_BRAKE,
  ICR_ASSERT,
  ICR_DELIVERY,
  ICR_LEVEL,
  ICR_LOGICAL,
  ICR_VECTOR,
  IOAPIC_RAW,
  NONE,
  REMOTE_IRR_NOT_REFUSED,
  REMOTE_IRR_SENT,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { devices, Pin } from '../memory/records';
import { ioapicAt, ioapicCount, ioapicVersion, pinAt, pins } from '../memory/rows';
import { noteReturn } from '../record/returned';

const REG_ID: u32 = 0;
const REG_VERSION: u32 = 1;
const REG_ARB: u32 = 2;
const REG_ENTRIES: u32 = 0x10;
const OFFSET_SELECT: u32 = 0;
const OFFSET_WINDOW: u32 = 0x10;
const OFFSET_EOI: u32 = 0x40;
const VERSION_WITH_EOI: u32 = 0x20;

const ENTRY_PENDING: u64 = 0x1000;
const ENTRY_ACTIVE_LOW: u64 = 0x2000;
const ENTRY_REMOTE_IRR: u64 = 0x4000;
const ENTRY_LEVEL: u64 = 0x8000;
const ENTRY_MASKED: u64 = 0x10000;
const WRITABLE_LOW: u64 = 0x1afff;
const WRITABLE_HIGH: u64 = 0xff00000000000000;
const READ_ONLY: u64 = ENTRY_PENDING | ENTRY_REMOTE_IRR;
const BRAKE_NS: u64 = 10_000_000;

function entryOf(at: Pin): u64 {
  return at.entry;
}

function setEntry(at: Pin, entry: u64): void {
  at.entry = entry;
}

function delivery(entry: u64): u32 {
  return <u32>(entry >> 8) & 7;
}

/** Level applies to fixed and lowest priority; other modes are edge whatever the entry says. */
function entryIsLevel(entry: u64): bool {
  return (entry & ENTRY_LEVEL) != 0 && delivery(entry) <= <u32>DELIVERY_LOWEST;
}

/** KVM and QEMU never look at the polarity: their lines carry what is asserted. */
function isActive(at: Pin): bool {
  const high = at.line != 0;
  const inverted = (entryOf(at) & ENTRY_ACTIVE_LOW) != 0 && model(F_IOAPIC_POLARITY) != 0; // bug: kvm-looks-at-the-polarity
  return inverted ? !high : high;
}

/** The entry of the 8259 pair's output: an ExtINT at pin 0 of the first I/O APIC is a level. */
function isVirtualWire(n: u32, pin: u32): bool {
  return n == 0 && pin == 0 && delivery(entryOf(pinAt(n, pin))) == DELIVERY_EXTINT;
}

/** Command of an entry in ICR format. */
function command(entry: u64): u32 {
  const level: u32 = entryIsLevel(entry) ? ICR_LEVEL : 0;
  return (<u32>entry & (ICR_VECTOR | ICR_DELIVERY | ICR_LOGICAL)) | ICR_ASSERT | level;
}

/** Whether a level entry waits for an EOI after a message that so many took, or that addressed NONE. */
function isBusy(taken: i32): bool {
  const rule = model(F_REMOTE_IRR);
  if (rule == <u32>REMOTE_IRR_SENT) return true;
  return rule == <u32>REMOTE_IRR_NOT_REFUSED ? taken != 0 : taken > 0;
}

/** Sends a pin's message; a rejected one stays pending in its entry. Whether it went through. */
function send(n: u32, pin: u32): bool {
  const at = pinAt(n, pin);
  const entry = entryOf(at);
  const mode = delivery(entry);
  if (mode == 3 || mode == DELIVERY_SIPI || isVirtualWire(n, pin)) return true;
  const taken = ioapicSend(n, <u32>(entry >> 56), command(entry));
  if (taken == REJECTED) {
    setEntry(at, entryOf(at) | ENTRY_PENDING);
    return false;
  }
  const settled = entryOf(at) & ~ENTRY_PENDING;
  setEntry(at, entryIsLevel(entry) && isBusy(taken) ? settled | ENTRY_REMOTE_IRR : settled);
  return true;
}

/** A level pin that is active, unmasked, and not waiting for an EOI sends. */
function serveLevel(n: u32, pin: u32): void {
  const at = pinAt(n, pin);
  const entry = entryOf(at);
  if (!entryIsLevel(entry) || (entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR | ENTRY_PENDING)) != 0)
    return; // bug: remote-irr-does-not-stop-a-level-pin
  if (isActive(at)) send(n, pin);
}

/** Drives a pin. 82093AA: edge fires on the active transition unless masked, then it is lost. */
export function setIrq(n: u32, pin: u32, high: bool): void {
  const at = pinAt(n, pin);
  const before = isActive(at);
  at.line = high ? 1 : 0;
  const after = isActive(at);
  const entry = entryOf(at);
  if (entryIsLevel(entry)) serveLevel(n, pin);
  else if (after && !before && (entry & (ENTRY_MASKED | ENTRY_PENDING)) == 0) send(n, pin);
}

// EOI of a level vector: every matching pin's remote IRR is cleared before any is served again.
function endIn(n: u32, vector: u32): void {
  const count = pins(n);
  for (let pin: u32 = 0; pin < count; pin++) {
    const at = pinAt(n, pin);
    if (!isEnded(at, vector)) continue;
    setEntry(at, entryOf(at) & ~ENTRY_REMOTE_IRR);
    at.served |= SERVE_AGAIN;
  }
  for (let pin: u32 = 0; pin < count; pin++) {
    const at = pinAt(n, pin);
    if ((at.served & SERVE_AGAIN) == 0) continue;
    at.served ^= SERVE_AGAIN;
    serveAgain(n, pin);
  }
}

/** Marks a pin between the two passes, in its count. */
const SERVE_AGAIN: u32 = 0x80000000;

function isEnded(at: Pin, vector: u32): bool {
  const entry = entryOf(at);
  if ((<u32>entry & 0xff) != vector || !entryIsLevel(entry)) return false;
  return model(F_REMOTE_IRR) != <u32>REMOTE_IRR_SENT || (entry & ENTRY_REMOTE_IRR) != 0;
}

/**
 * KVM and QEMU let a pin rest when so many EOIs in a row find it active: nothing else is held back by that.
 * Linux arch/x86/kvm/ioapic.c __kvm_ioapic_update_eoi(); QEMU hw/intc/ioapic.c ioapic_eoi_broadcast().
 */
function serveAgain(n: u32, pin: u32): void {
  const at = pinAt(n, pin);
  if (!isActive(at) || (entryOf(at) & ENTRY_MASKED) != 0) {
    at.served = 0;
    return;
  }
  const limit = model(F_STORM_BRAKE);
  if (limit == 0) {
    noteReturn((n << 8) | pin);
    return serveLevel(n, pin);
  }
  at.served++;
  if (at.served < limit) return serveLevel(n, pin);
  at.served = 0;
  brake(n);
}

/** One delay for each I/O APIC: it begins with the first pin that rests. */
function brake(n: u32): void {
  const at = ioapicAt(n);
  if (at.brake != 0) return;
  at.brake = devices.now + BRAKE_NS;
  devices.braked += 1;
}

/** Time of the next brake that lets go, not after `until`; 0 for none. */
export function nextBrake(until: u64): u64 {
  let first: u64 = 0;
  if (devices.braked == 0) return first;
  for (let n: u32 = 0; n < ioapicCount(); n++) {
    const at = ioapicAt(n).brake;
    if (at != 0 && at <= until && (first == 0 || at < first)) first = at;
  }
  return first;
}

/** Lets go of the brakes that end at `time`: every level pin that is due sends. */
export function releaseBrakes(time: u64): void {
  for (let n: u32 = 0; n < ioapicCount(); n++) {
    if (ioapicAt(n).brake != time) continue;
    ioapicAt(n).brake = 0;
    devices.braked -= 1;
    for (let pin: u32 = 0; pin < pins(n); pin++) serveLevel(n, pin);
  }
}

export function broadcastEoi(vector: u32): void {
  for (let n: u32 = 0; n < ioapicCount(); n++) endIn(n, vector);
}

/** Lowest pin whose message the bus rejected, or NONE. */
export function pendingPin(n: u32): i32 {
  for (let pin: u32 = 0; pin < pins(n); pin++) {
    if ((entryOf(pinAt(n, pin)) & ENTRY_PENDING) != 0) return pin;
  }
  return NONE;
}

/** Sends the pending message again. A masked entry drops it. Whether it went through. */
export function retryPin(n: u32): bool {
  const pin = pendingPin(n);
  const at = pinAt(n, pin);
  setEntry(at, entryOf(at) & ~ENTRY_PENDING);
  return (entryOf(at) & ENTRY_MASKED) != 0 || send(n, pin);
}

/** Whether the virtual-wire entry (ExtINT at pin 0) reaches a CPU. */
export function extintEntryReaches(cpu: u32): bool {
  if (ioapicCount() == 0 || !isVirtualWire(0, 0)) return false;
  const entry = entryOf(pinAt(0, 0));
  if ((entry & ENTRY_MASKED) != 0) return false;
  return matchesDestination(cpu, NONE, <u32>(entry >> 56), <u32>entry & ICR_LOGICAL);
}

export function resetIoapic(n: u32): void {
  const at = ioapicAt(n);
  const id = at.id;
  memory.fill(changetype<usize>(at), 0, L.IOAPIC_BYTES);
  at.id = id;
  at.arb = id;
  at.arbId = id;
  for (let pin: u32 = 0; pin < pins(n); pin++) setEntry(pinAt(n, pin), ENTRY_MASKED);
}

export function readIoapic(n: u32, offset: u32): u32 {
  const at = ioapicAt(n);
  if (offset == OFFSET_SELECT) return at.select;
  return offset == OFFSET_WINDOW ? readWindow(n, at.select) : 0;
}

function readWindow(n: u32, reg: u32): u32 {
  const at = ioapicAt(n);
  if (reg == REG_ID) return at.id << 24;
  if (reg == REG_VERSION) return ioapicVersion(n) | ((pins(n) - 1) << 16);
  if (reg == REG_ARB) return at.arb << 24;
  const pin = (reg - REG_ENTRIES) >> 1;
  if (reg < REG_ENTRIES || pin >= pins(n)) return model(F_IOAPIC_ABSENT) != 0 ? u32.MAX_VALUE : 0;
  const entry = entryOf(pinAt(n, pin));
  return (reg & 1) != 0 ? <u32>(entry >> 32) : <u32>entry;
}

export function writeIoapic(n: u32, offset: u32, value: u32): void {
  const at = ioapicAt(n);
  if (offset == OFFSET_SELECT) at.select = value & 0xff;
  else if (offset == OFFSET_WINDOW) writeWindow(n, at.select, value);
  else if (offset == OFFSET_EOI && ioapicVersion(n) >= VERSION_WITH_EOI) endIn(n, value & 0xff);
}

function writeWindow(n: u32, reg: u32, value: u32): void {
  const at = ioapicAt(n);
  if (reg == REG_ID) {
    at.id = (value >> 24) & 15;
    at.arb = (value >> 24) & 15;
    at.arbId = (value >> 24) & 15;
    return;
  }
  const pin = (reg - REG_ENTRIES) >> 1;
  if (reg < REG_ENTRIES || pin >= pins(n)) return;
  if ((reg & 1) != 0) writeEntryHigh(n, pin, value);
  else writeEntryLow(n, pin, value);
}

/** Bits of an entry that a write keeps. */
function writable(): u64 {
  return model(F_IOAPIC_BITS) == <u32>IOAPIC_RAW ? ~READ_ONLY : WRITABLE_HIGH | WRITABLE_LOW;
}

function writeEntryHigh(n: u32, pin: u32, value: u32): void {
  const at = pinAt(n, pin);
  setEntry(at, (entryOf(at) & 0xffffffff) | (((<u64>value) << 32) & writable()));
  entryWritten(n, pin);
}

/** An entry that becomes edge loses its remote IRR: an EOI for chips without an EOI register. */
function writeEntryLow(n: u32, pin: u32, value: u32): void {
  const at = pinAt(n, pin);
  const kept = writable() & 0xffffffff;
  let entry = (entryOf(at) & ~kept) | (value & kept);
  if ((entry & ENTRY_LEVEL) == 0) entry &= ~ENTRY_REMOTE_IRR; // bug: edge-entries-keep-remote-irr
  setEntry(at, entry);
  entryWritten(n, pin);
}

function entryWritten(n: u32, pin: u32): void {
  if (model(F_BRAKE_RESET) == <u32>BRAKE_ON_WRITE) pinAt(n, pin).served = 0;
  serveLevel(n, pin);
}
