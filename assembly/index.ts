// What the host may call. Arguments are checked here, once, so that nothing inside has to;
// BAD_ARGUMENT means that nothing happened.

import * as arena from './arena';
import { apicId, coldRow, cpus, logCapacity, maskArg, maskOnline, plan, row } from './arena';
import { countBits, audit as runAudit, auditAll as runAuditAll } from './audit';
import { buildClusters } from './bus/clusters';
import { cpuOf as directoryCpuOf, enterAll } from './bus/directory';
import { sendIcr } from './bus/icr';
import { external, REDIRECT } from './bus/message';
import { hasSerialBus, runBus } from './bus/serial';
import {
  BAD_ARGUMENT,
  CLUSTER_F_PLAIN,
  F_CLUSTER_F,
  F_ID_BITS,
  F_IPI_TRIGGER,
  F_LOGICAL_ONES,
  F_LOWEST_PRIORITY,
  F_SLOTS,
  FLAG_COUNT_VECTORS,
  FLAG_EARLY_ISR,
  LOWEST_HASH,
  LVT_CMCI,
  LVT_LINT0,
  MODE_XAPIC_CLUSTER,
  MODE_XAPIC_FLAT,
  NONE,
  ONES_EVERYONE,
  OP_ALL,
  OP_ALLBUTSELF,
  OP_CALL_MANY,
  OP_CALL_SINGLE,
  OP_IRQ_WORK,
  OP_MASK,
  OP_MASK_ALLBUTSELF,
  OP_RESCHEDULE,
  OP_SELF,
  OP_SEND_IPI,
  SLOTS_NONE,
  START_ENABLED,
  TRIGGER_EDGE,
} from './codes';
import { eoiWritten, isSpurious, returnFromHandler, STRAY, takeNext } from './cpu/cpu';
import { LAYOUT_FINGERPRINT } from './fingerprint';
import {
  ioapicCount,
  pins,
  readIoapic as readIo,
  resetIoapic,
  setIrq,
  writeIoapic as writeIo,
} from './ioapic/ioapic';
import * as access from './lapic/access';
import { eventHash as hashOf } from './lapic/hash';
import { dispatchVector, Lapic, ppr as pprOf, setTpr as writeTpr } from './lapic/lapic';
import { extintAsserted, fall, setPin } from './lapic/lint';
import { deliverLocal } from './lapic/lvt';
import { clearLatch, latch, setLatch } from './lapic/outputs';
import {
  offerLazyEoi as offerLazy,
  post,
  syncPosted as syncRequests,
  useLazyEoi as useLazy,
  withdrawLazyEoi as withdrawLazy,
} from './lapic/posted';
import { REG_SVR, readRegister } from './lapic/registers';
import {
  enableBySoftware,
  initReset as initCpu,
  normalise,
  noteOddness,
  powerOnCpu,
  writeBase,
  writeLdr,
} from './lapic/reset';
import { isHardwareEnabled, refresh, refreshAndWake } from './lapic/special';
import { resumeCount, runTimers as runClock } from './lapic/timer';
import { takeWakeList as takeAll } from './lapic/wake';
import * as L from './layout';
import { setCpu } from './linux/cpumask';
import * as driver from './linux/driver';
import * as smp from './linux/smp';
import { model } from './model';
import { picOutput as picAsserts, resetPics } from './pic/pic';
import {
  acknowledgePicLine,
  drivePicLine,
  readPicPort,
  tellExtint,
  writePicPort,
} from './pic/wiring';
import * as engine from './storm/storm';

export function fingerprint(): u32 {
  return LAYOUT_FINGERPRINT;
}

/**
 * Step 1 of creation: lays out and grows the memory. The host then writes the APIC ids, the model's
 * flags and the I/O APICs' sizes.
 */
export function create(
  count: u32,
  mode: u32,
  driverCode: u32,
  era: u32,
  flags: u32,
  ioapicCount: u32,
): i32 {
  if (arena.cpus != 0 || count == 0 || count > <u32>L.CPUS_MAX) return BAD_ARGUMENT;
  if (ioapicCount > <u32>L.IOAPIC_MAX) return BAD_ARGUMENT;
  const status = plan(count, mode, (flags & FLAG_COUNT_VECTORS) != 0, ioapicCount);
  if (status != 0) return status;
  store<u32>(L.H_DRIVER, driverCode);
  store<u32>(L.H_ERA, era);
  store<u32>(L.H_FLAGS, flags);
  store<u32>(L.H_EARLY, (flags & FLAG_EARLY_ISR) != 0 ? 1 : 0);
  return 0;
}

/** Step 2: directory, clusters, online mask, power-on. NONE, or the first CPU with a taken id. */
export function commit(start: u32): i32 {
  const duplicate = enterAll();
  if (duplicate != NONE) return duplicate;
  store<u32>(L.H_SLOW_MODEL, hasFastDecode() ? 0 : 1);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (apicId(cpu) >> 20 != 0) store<u32>(L.H_WIDE_IDS, 1);
    setCpu(maskOnline, cpu);
  }
  buildClusters();
  powerOnAll();
  if (start == <u32>START_ENABLED) {
    for (let cpu: u32 = 0; cpu < cpus; cpu++) enableBySoftware(cpu, usualLdr(cpu));
  }
  return NONE;
}

/** Whether the model's destinations are those of the fast decode. */
function hasFastDecode(): bool {
  return (
    model(F_LOWEST_PRIORITY) != <u32>LOWEST_HASH &&
    model(F_LOGICAL_ONES) == <u32>ONES_EVERYONE &&
    model(F_CLUSTER_F) == <u32>CLUSTER_F_PLAIN &&
    model(F_IPI_TRIGGER) == <u32>TRIGGER_EDGE &&
    model(F_ID_BITS) == 8 &&
    model(F_SLOTS) == <u32>SLOTS_NONE
  );
}

/** What system software writes; flat as Linux does (1 << cpu), cluster with four members each. */
function usualLdr(cpu: u32): u32 {
  if (arena.mode == <u32>MODE_XAPIC_FLAT) return (<u32>1) << (cpu & 7);
  if (arena.mode == <u32>MODE_XAPIC_CLUSTER) return ((cpu >> 2) << 4) | ((<u32>1) << (cpu & 3));
  return 0;
}

/** Every CPU, the I/O APICs and the 8259s as after power-on; counters and time go on. */
export function powerOnAll(): void {
  resetPics();
  for (let n: u32 = 0; n < ioapicCount(); n++) resetIoapic(n);
  store<u32>(L.H_BRAKED, 0);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) powerOnCpu(cpu);
}

export function cpuOf(id: u32): i32 {
  return directoryCpuOf(id);
}

// --- local APIC ---

export function accept(cpu: u32, vector: u32, level: u32): i32 {
  if (cpu >= cpus || vector > 255) return BAD_ARGUMENT;
  Lapic.accept(cpu, vector, level != 0);
  return 0;
}

export function acknowledge(cpu: u32): i32 {
  return cpu < cpus ? Lapic.dispatch(cpu) : BAD_ARGUMENT;
}

export function acknowledgeVector(cpu: u32, vector: u32): i32 {
  return cpu < cpus && vector < 256 ? dispatchVector(cpu, vector) : BAD_ARGUMENT;
}

export function eoi(cpu: u32): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  eoiWritten(cpu);
  return <i32>load<i64>(L.H_RESULT);
}

export function intr(cpu: u32): i32 {
  return cpu < cpus ? (Lapic.eligible(cpu) ? 1 : 0) : BAD_ARGUMENT;
}

export function ppr(cpu: u32): i32 {
  return cpu < cpus ? pprOf(cpu) : BAD_ARGUMENT;
}

export function setTpr(cpu: u32, tpr: u32): i32 {
  if (cpu >= cpus || tpr > 255) return BAD_ARGUMENT;
  writeTpr(cpu, tpr);
  return 0;
}

export function pending(cpu: u32): i32 {
  return cpu < cpus ? countBits(row(cpu) + L.R_IRR) : BAD_ARGUMENT;
}

export function takeWakeList(): u32 {
  return takeAll();
}

export function drain(): void {
  engine.drain();
}

// --- registers ---

/** `reg`: byte offset >> 4 in the xAPIC page, 0-255. */
export function readPage(cpu: u32, reg: u32): u32 {
  return cpu < cpus && reg < 256 ? access.readPage(cpu, reg) : 0;
}

export function writePage(cpu: u32, reg: u32, value: u32): i32 {
  if (cpu >= cpus || reg > 255) return BAD_ARGUMENT;
  access.writePage(cpu, reg, value);
  return 0;
}

/** 0 with the value in H_RESULT, or GP. */
export function readMsr(cpu: u32, msr: u32): i32 {
  return cpu < cpus ? access.readMsr(cpu, msr) : BAD_ARGUMENT;
}

export function writeMsr(cpu: u32, msr: u32, value: u64): i32 {
  return cpu < cpus ? access.writeMsr(cpu, msr, value) : BAD_ARGUMENT;
}

/** A register as the present mode shows it, without the side effects of an access. */
export function peek(cpu: u32, reg: u32): u32 {
  return cpu < cpus && reg < 64 ? readRegister(cpu, reg) : 0;
}

/** IA32_APIC_BASE as a hypervisor's user space sets it: between any valid modes. */
export function setBase(cpu: u32, value: u64): i32 {
  return cpu < cpus ? writeBase(cpu, value, true) : BAD_ARGUMENT;
}

/** Recomputes what registers written from outside (an imported page) imply. */
export function registersChanged(cpu: u32, count: u32): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  normalise(cpu);
  resumeCount(cpu, count);
  writeLdr(cpu, load<u32>(coldRow(cpu), L.C_LDR));
  noteOddness(cpu);
  refreshAndWake(cpu);
  return 0;
}

/** Posts a request (SDM 3C "Posted-Interrupt Processing"). 1 when a notification is due. */
export function postInterrupt(cpu: u32, vector: u32): i32 {
  if (cpu >= cpus || vector > 255) return BAD_ARGUMENT;
  return post(cpu, vector) ? 1 : 0;
}

export function syncPosted(cpu: u32): i32 {
  return cpu < cpus ? syncRequests(cpu) : BAD_ARGUMENT;
}

/** EOI without a register write: 1 offered, or used. */
export function offerLazyEoi(cpu: u32): i32 {
  return cpu < cpus ? (offerLazy(cpu) ? 1 : 0) : BAD_ARGUMENT;
}

export function withdrawLazyEoi(cpu: u32): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  withdrawLazy(cpu);
  return 0;
}

export function useLazyEoi(cpu: u32): i32 {
  if (cpu >= cpus || !useLazy(cpu)) return 0;
  eoiWritten(cpu);
  return 1;
}

// --- pins, events, messages ---

export function setLint(cpu: u32, pin: u32, high: u32): i32 {
  if (cpu >= cpus || pin > 1) return BAD_ARGUMENT;
  setPin(cpu, pin, high != 0);
  return 0;
}

/** An event of an LVT entry, whatever its pin does. 1 when something was delivered. */
export function localEvent(cpu: u32, index: u32): i32 {
  if (cpu >= cpus || index > <u32>LVT_CMCI) return BAD_ARGUMENT;
  return deliverLocal(cpu, index) ? 1 : 0;
}

/** LINT0 falls, as an event. */
export function lintFalls(cpu: u32): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  fall(cpu, LVT_LINT0);
  return 0;
}

export function extint(cpu: u32): i32 {
  return cpu < cpus ? (extintAsserted(cpu) ? 1 : 0) : BAD_ARGUMENT;
}

/** A message from outside, in ICR format. How many took it, NONE when nobody was addressed. */
export function message(dest: u32, low: u32, redirect: u32): i32 {
  return external(dest, redirect != 0 ? low | REDIRECT : low);
}

export function setIoapicPin(n: u32, pin: u32, high: u32): i32 {
  if (n >= ioapicCount() || pin >= pins(n)) return BAD_ARGUMENT;
  setIrq(n, pin, high != 0);
  return 0;
}

export function readIoapic(n: u32, offset: u32): u32 {
  return n < ioapicCount() ? readIo(n, offset) : 0;
}

export function writeIoapic(n: u32, offset: u32, value: u32): i32 {
  if (n >= ioapicCount()) return BAD_ARGUMENT;
  writeIo(n, offset, value);
  tellExtint();
  return 0;
}

export function setPicLine(line: u32, high: u32): i32 {
  if (line > 15) return BAD_ARGUMENT;
  drivePicLine(line, high != 0);
  return 0;
}

export function readPic(port: u32): u32 {
  return readPicPort(port);
}

export function writePic(port: u32, value: u32): void {
  writePicPort(port, value);
}

export function picOutput(): u32 {
  return picAsserts() ? 1 : 0;
}

/** An INTA cycle of the 8259 pair. */
export function acknowledgePic(): u32 {
  return acknowledgePicLine();
}

// --- the CPU's side ---

/** The vector that an acknowledge gets: dispatched, or 0x100 | the spurious vector, or NONE. */
export function inta(cpu: u32): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  const vector = Lapic.dispatch(cpu);
  if (vector != NONE || !isSpurious(cpu)) return vector;
  return 0x100 | (readRegister(cpu, REG_SVR) & 0xff);
}

/** kind << 8 | vector of what the CPU takes next, or NONE. */
export function take(cpu: u32): i32 {
  return cpu < cpus ? takeNext(cpu) : BAD_ARGUMENT;
}

export function iret(cpu: u32): i32 {
  return cpu < cpus ? returnFromHandler(cpu) : BAD_ARGUMENT;
}

/** The running handler writes EOI: 1 matched, 2 stray, 3 another's; the vector is in H_RESULT. */
export function handlerEoi(cpu: u32): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  store<i64>(L.H_RESULT, NONE);
  return isHardwareEnabled(cpu) ? eoiWritten(cpu) : STRAY;
}

/** Sets or clears bits of the CPU's own state (IF, HALTED, SHADOW). */
export function setCpuState(cpu: u32, bits: u32, on: u32): i32 {
  const own = L.LATCH_IF | L.LATCH_HALTED | L.LATCH_SHADOW;
  if (cpu >= cpus || (bits & ~own) != 0) return BAD_ARGUMENT;
  if (on != 0) setLatch(cpu, bits);
  else clearLatch(cpu, bits);
  return 0;
}

export function initReset(cpu: u32): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  initCpu(cpu);
  return 0;
}

export function powerOn(cpu: u32): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  powerOnCpu(cpu);
  return 0;
}

// --- time, tracing ---

/**
 * Lets the clock run to `until` (ns), or to the `limit`th firing of timers and brakes. 1 when it got
 * there. The bus then retries for `busClocks`.
 */
export function advance(until: u64, limit: u32, busClocks: u64): i32 {
  if (!runClock(until, limit)) return 0;
  runBus(busClocks);
  return 1;
}

/** Effects are noted from now on (or no more): rows take the long way meanwhile. */
export function trace(on: u32): void {
  store<u32>(L.H_TRACE, on);
  store<u32>(L.H_EFFECT_COUNT, 0);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) refresh(cpu);
}

/** How many effects there are in the table; they are forgotten at the next operation. */
export function takeEffects(): u32 {
  const count = load<u32>(L.H_EFFECT_COUNT);
  store<u32>(L.H_EFFECT_COUNT, 0);
  return count;
}

/** After a restore: what is derived from the state. */
export function rebuild(): void {
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    writeLdr(cpu, load<u32>(coldRow(cpu), L.C_LDR));
    refresh(cpu);
  }
}

// --- bus and senders ---

export function writeIcr(from: u32, dest: u32, low: u32): i32 {
  if (from >= cpus) return BAD_ARGUMENT;
  if ((latch(from) & L.LATCH_BUS) != 0) return 0; // send pending: the write is ignored
  store<u64>(L.L_SENDS, load<u64>(L.L_SENDS) + 1);
  store<u64>(L.L_ICR_WRITES, load<u64>(L.L_ICR_WRITES) + 1);
  sendIcr(from, dest, low);
  return 0;
}

/** One call of struct apic or of a caller above it. Masks come in the argument mask. */
export function send(op: u32, from: u32, to: u32, vector: u32): i32 {
  if (from >= cpus || to >= cpus || vector > 255 || hasSerialBus()) return BAD_ARGUMENT;
  store<u64>(L.L_SENDS, load<u64>(L.L_SENDS) + 1);
  switch (op) {
    case OP_SEND_IPI:
      driver.sendIPI(from, to, vector);
      break;
    case OP_MASK:
      driver.sendIPIMask(from, maskArg, vector);
      break;
    case OP_MASK_ALLBUTSELF:
      driver.sendIPIMaskAllButSelf(from, maskArg, vector);
      break;
    case OP_ALLBUTSELF:
      driver.sendIPIAllButSelf(from, vector);
      break;
    case OP_ALL:
      driver.sendIPIAll(from, vector);
      break;
    case OP_SELF:
      driver.sendIPISelf(from, vector);
      break;
    case OP_RESCHEDULE:
      smp.smpSendReschedule(from, to);
      break;
    case OP_CALL_SINGLE:
      smp.sendCallFuncSingleIpi(from, to);
      break;
    case OP_CALL_MANY:
      smp.sendCallFuncIpi(from, maskArg);
      break;
    case OP_IRQ_WORK:
      smp.irqWorkRaise(from);
      break;
    default:
      return BAD_ARGUMENT;
  }
  return 0;
}

/** Bytes of the argument mask beyond the machine's CPUs are the host's to keep zero. */
export function logEntries(): u32 {
  const count = load<u32>(L.H_LOG_COUNT);
  return count < logCapacity ? count : logCapacity;
}

// --- storm ---

/** Sends `count` times; the storm's parameters are in the header. NONE, or the CPU that broke an invariant. */
export function storm(count: u32): i32 {
  engine.runStorm(count);
  return runAudit();
}

export function audit(): i32 {
  return runAudit();
}

/** Of everything that a snapshot holds. */
export function auditAll(): i32 {
  return runAuditAll();
}

export function eventHash(): u64 {
  return hashOf(cpus);
}
