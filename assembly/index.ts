// What the host may call. Arguments are checked here, once, so that nothing inside has to;
// BAD_ARGUMENT means that nothing happened.

import * as arena from './arena';
import { apicId, cpus, ident, logCapacity, maskArg, maskOnline, plan, row } from './arena';
import { countBits, audit as runAudit } from './audit';
import { buildClusters } from './bus/clusters';
import { isX2apic } from './bus/destination';
import { cpuOf as directoryCpuOf, enterAll } from './bus/directory';
import { isCarried, sendIcr } from './bus/icr';
import {
  BAD_ARGUMENT,
  FLAG_COUNT_VECTORS,
  MODE_XAPIC_CLUSTER,
  MODE_XAPIC_FLAT,
  NONE,
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
  UNSUPPORTED,
} from './codes';
import { LAYOUT_FINGERPRINT } from './fingerprint';
import { eventHash as hashOf } from './lapic/hash';
import { dispatchVector, Lapic, ppr as pprOf, setTpr as writeTpr } from './lapic/lapic';
import { takeWakeList as takeAll } from './lapic/wake';
import * as L from './layout';
import { setCpu } from './linux/cpumask';
import * as driver from './linux/driver';
import * as smp from './linux/smp';
import { logicalId } from './linux/x2apic_cluster';
import * as engine from './storm/storm';

export function fingerprint(): u32 {
  return LAYOUT_FINGERPRINT;
}

/** Step 1 of creation: lays out and grows the memory. The host then writes the APIC ids. */
export function create(count: u32, mode: u32, driverCode: u32, era: u32, flags: u32): i32 {
  if (arena.cpus != 0 || count == 0 || count > <u32>L.CPUS_MAX) return BAD_ARGUMENT;
  const status = plan(count, mode, (flags & FLAG_COUNT_VECTORS) != 0);
  if (status != 0) return status;
  store<u32>(L.H_DRIVER, driverCode);
  store<u32>(L.H_ERA, era);
  store<u32>(L.H_FLAGS, flags);
  return 0;
}

/** Step 2: directory, LDRs, clusters, online mask. NONE, or the first CPU with a taken id. */
export function commit(): i32 {
  const duplicate = enterAll();
  if (duplicate != NONE) return duplicate;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    store<u32>(ident + ((<usize>cpu) << L.IDENT_SHIFT), resetLdr(cpu), L.I_LDR);
    if (apicId(cpu) >> 20 != 0) store<u32>(L.H_WIDE_IDS, 1);
    setCpu(maskOnline, cpu);
  }
  buildClusters();
  return NONE;
}

// x2APIC: SDM 3A "Deriving Logical x2APIC ID from the Local x2APIC ID". xAPIC: what system software
// writes; flat as Linux does (1 << cpu), cluster with four members each.
function resetLdr(cpu: u32): u32 {
  if (isX2apic()) return logicalId(apicId(cpu) & 0xfffff);
  if (arena.mode == <u32>MODE_XAPIC_FLAT) return (<u32>1) << cpu;
  if (arena.mode == <u32>MODE_XAPIC_CLUSTER) return ((cpu >> 2) << 4) | ((<u32>1) << (cpu & 3));
  return 0;
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
  return cpu < cpus ? Lapic.eoi(cpu) : BAD_ARGUMENT;
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
  if (!isCarried(low)) return UNSUPPORTED;
  store<u64>(L.L_SENDS, load<u64>(L.L_SENDS) + 1);
  store<u64>(L.L_ICR_WRITES, load<u64>(L.L_ICR_WRITES) + 1);
  return sendIcr(from, dest, low);
}

/** One call of struct apic or of a caller above it. Masks come in the argument mask. */
export function send(op: u32, from: u32, to: u32, vector: u32): i32 {
  if (from >= cpus || to >= cpus || vector > 255) return BAD_ARGUMENT;
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

export function eventHash(): u64 {
  return hashOf(cpus);
}
