// What the host may call. Arguments are checked here, once, so that nothing inside has to;
// BAD_ARGUMENT means that nothing happened.

import { countBits, audit as runAudit, auditAll as runAuditAll } from './audit';
import { enableAll, powerOnAll as powerOn } from './board/power';
import { buildClusters } from './bus/clusters';
import { cpuOf as directoryCpuOf, enterAll } from './bus/directory';
import { sendIcr } from './bus/icr';
import { hasSerialBus } from './bus/serial';
import { eoiWritten } from './cpu/cpu';
import { ioapicCount, resetIoapic } from './ioapic/ioapic';
import { dispatchVector, Lapic, ppr as pprOf, setTpr as writeTpr } from './lapic/lapic';
import { latch } from './lapic/outputs';
import { setCpu } from './linux/cpumask';
import * as driver from './linux/driver';
import * as smp from './linux/smp';
import * as arena from './memory/arena';
import { apicId, cpus, logCapacity, maskArg, maskOnline, plan, row } from './memory/arena';
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
} from './memory/codes';
import { LAYOUT_FINGERPRINT } from './memory/fingerprint';
import * as L from './memory/layout';
import { model } from './memory/model';
import { resetPics } from './pic/pic';
import { eventHash as hashOf } from './record/hash';
import { takeWakeList as takeAll } from './record/wake';
import * as engine from './storm/storm';

export * from './exports/hardware';
export * from './timed/index';

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
  powerOn();
  if (start == <u32>START_ENABLED) {
    enableAll();
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

/** Every CPU, the I/O APICs and the 8259s as after power-on; counters and time go on. */
export function powerOnAll(): void {
  powerOn();
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
