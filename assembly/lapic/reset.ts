// Power-on, INIT, IA32_APIC_BASE and the modes. SDM 3A "Local APIC State After Power-Up or Reset",
// "Local APIC State After an INIT Reset", "Extended XAPIC (x2APIC)".

import { ident, mode } from '../memory/arena';
import { countBits } from '../memory/bits';
import {
  F_BASE_BITS,
  F_BSP_FLAG,
  F_HW_DISABLE,
  F_ICR_HALVES,
  F_ID_ON_ENABLE,
  F_RESET_LINT0,
  F_SVR_BITS,
  F_SVR_LOW,
  F_SW_OFF_WITH_HW,
  F_X2APIC,
  F_X2APIC_LDR,
  GP,
  HALVES_TWO,
  HW_RESETS,
  ID_ON_ENABLE,
  ID_ON_WRITE,
  LDR_KEPT,
  LVT_CMCI,
  LVT_LINT0,
  MODE_X2APIC_PHYSICAL,
  MODE_XAPIC_CLUSTER,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { devices } from '../memory/records';
import {
  apicId,
  coldRow,
  extLvtSlot,
  ierOf,
  irrOf,
  isrOf,
  pirOf,
  row,
  tmrOf,
  x2apicLogicalId,
} from '../memory/rows';
import { LISTED } from '../record/wake';
import { isPin, lvtBits } from './lvt';
import { refreshAndKick } from './refresh';
import {
  BASE_ENABLE,
  BASE_X2APIC,
  idMask,
  isHardwareEnabled,
  isX2apicMode,
  LVT_MASKED,
  LVT_REMOTE_IRR,
  lvt,
  SVR_ENABLE,
  storeLvt,
} from './state';
import { stopTimer } from './timer';

const BASE_BSP: u64 = 0x100;
/** Flags of the register. */
const BASE_FLAGS: u64 = 0xd00;
const BASE_DEFAULT: u64 = 0xfee00800;
const CLUSTER_DFR: u32 = 0x0fffffff;

/** Writes the register; IDENT has the logical id: 8 bits in xAPIC mode, 32 in x2APIC mode. */
export function writeLdr(cpu: u32, value: u32): void {
  coldRow(cpu).ldr = value;
  const logical = isX2apicMode(cpu) ? value : value >> 24;
  store<u32>(ident + ((<usize>cpu) << L.IDENT_SHIFT), logical, L.I_LDR);
}

function deriveX2apicLdr(cpu: u32): void {
  writeLdr(cpu, x2apicLogicalId(apicId(cpu) & 0xfffff));
}

/** Keeps count of the CPUs that the fast decode of the bus would get wrong. */
export function noteOddness(cpu: u32): void {
  const cold = coldRow(cpu);
  const x2apic = mode >= <u32>MODE_X2APIC_PHYSICAL;
  const usual =
    isHardwareEnabled(cpu) &&
    isX2apicMode(cpu) == x2apic &&
    (x2apic || cold.xapicId == apicId(cpu)) &&
    (x2apic || cold.dfr == usualDfr());
  const latch = cold.latch;
  if (((latch & L.LATCH_ODD) != 0) == !usual) return;
  cold.latch = latch ^ L.LATCH_ODD;
  devices.odd = devices.odd + (usual ? -1 : 1);
}

function usualDfr(): u32 {
  return mode == <u32>MODE_XAPIC_CLUSTER ? CLUSTER_DFR : 0xffffffff;
}

function clearVectors(cpu: u32): void {
  coldRow(cpu).discarded += countBits(irrOf(cpu));
  irrOf(cpu).fill(0);
  isrOf(cpu).fill(0);
  tmrOf(cpu).fill(0); // bug: init-forgets-the-tmr
  row(cpu).classes &= LISTED;
}

/** Posted requests that no notification brought into the IRR: sent, and nobody will take them. */
function discardPosted(cpu: u32): void {
  const lost = countBits(pirOf(cpu));
  row(cpu).attempted += lost;
  coldRow(cpu).discarded += lost;
  coldRow(cpu).posted = 0;
  pirOf(cpu).fill(0);
}

/** Registers to their reset values; id, base and mode stay. */
function resetRegisters(cpu: u32): void {
  const cold = coldRow(cpu);
  clearVectors(cpu);
  stopTimer(cpu);
  cold.svr = 0xff | model(F_SVR_LOW);
  cold.dfr = 0xffffffff;
  cold.esr = 0;
  cold.esrPending = 0;
  cold.icr = 0;
  cold.icrHigh = 0;
  cold.icrOther = 0;
  cold.initialCount = 0;
  cold.divide = 0;
  cold.extControl = 0;
  ierOf(cpu).fill(0xff);
  discardPosted(cpu);
  for (let i: u32 = 0; i < 4; i++) store<u32>(extLvtSlot(cpu, i), LVT_MASKED);
  for (let i: u32 = 0; i <= <u32>LVT_CMCI; i++) storeLvt(cpu, i, LVT_MASKED);
  if (cpu == 0) storeLvt(cpu, LVT_LINT0, model(F_RESET_LINT0));
  if (!isX2apicMode(cpu)) writeLdr(cpu, 0);
  dropBusMessage(cpu);
  noteOddness(cpu);
}

function dropBusMessage(cpu: u32): void {
  const cold = coldRow(cpu);
  const latch = cold.latch;
  if ((latch & L.LATCH_BUS) == 0) return;
  cold.latch = latch & ~L.LATCH_BUS;
  devices.busWaiting -= 1;
}

/** INIT: the local APIC and the CPU's side. A SIPI that came after the INIT stays. */
export function initReset(cpu: u32): void {
  resetRegisters(cpu);
  const cold = coldRow(cpu);
  const keep = L.LATCH_LINT0 | L.LATCH_LINT1 | L.LATCH_ODD | L.LATCH_SIPI;
  const latch = cold.latch & keep;
  // SDM 3A "MP Initialization Protocol Algorithm": the flag says who is the boot processor.
  cold.latch = (cold.base & BASE_BSP) != 0 ? latch : latch | L.LATCH_WAITING;
  cold.depth = 0;
  refreshAndKick(cpu);
}

/** Power-on of one CPU; the counters are statistics and stay. */
export function powerOnCpu(cpu: u32): void {
  const cold = coldRow(cpu);
  cold.base = cpu == 0 ? BASE_DEFAULT | BASE_BSP : BASE_DEFAULT;
  cold.xapicId = apicId(cpu) & idMask();
  cold.arb = apicId(cpu) & 15;
  resetRegisters(cpu);
  const odd = cold.latch & L.LATCH_ODD;
  cold.latch = cpu == 0 ? odd : odd | L.LATCH_WAITING;
  cold.depth = 0;
  refreshAndKick(cpu);
}

/** What system software does at boot: x2APIC mode or LDR and DFR, SVR, interrupts on. */
export function enableBySoftware(cpu: u32, logical: u32): void {
  const cold = coldRow(cpu);
  if (mode >= <u32>MODE_X2APIC_PHYSICAL) {
    cold.base |= BASE_X2APIC;
    deriveX2apicLdr(cpu);
  } else {
    cold.dfr = usualDfr();
    writeLdr(cpu, logical << 24);
  }
  cold.svr = 0xff | SVR_ENABLE;
  const latch = cold.latch & ~L.LATCH_WAITING;
  cold.latch = latch | L.LATCH_IF;
  noteOddness(cpu);
  refreshAndKick(cpu);
}

/** Modes of IA32_APIC_BASE[11:10] that may follow each other. SDM 3A "x2APIC State Transitions". */
function isLegalChange(before: u64, after: u64): bool {
  const enabled = (after & BASE_ENABLE) != 0;
  const x2apic = (after & BASE_X2APIC) != 0;
  if (x2apic && (!enabled || model(F_X2APIC) == 0)) return false;
  const wasEnabled = (before & BASE_ENABLE) != 0;
  const wasX2apic = (before & BASE_X2APIC) != 0;
  if (wasX2apic && enabled && !x2apic) return false; // bug: x2apic-to-xapic-is-allowed
  return wasEnabled || !x2apic;
}

/** WRMSR of IA32_APIC_BASE; `host`: as a hypervisor's user space sets it, between any valid modes. */
export function writeBase(cpu: u32, value: u64, host: bool): i32 {
  const cold = coldRow(cpu);
  const before = cold.base;
  if ((value & ~baseLegal()) != 0) return GP; // bug: reserved-base-bits-are-taken
  // QEMU cpu_set_apic_base(): whatever becomes of the write.
  if (model(F_ID_ON_ENABLE) == <u32>ID_ON_WRITE) writeInitialId(cpu);
  const valid = (value & BASE_X2APIC) == 0 || ((value & BASE_ENABLE) != 0 && model(F_X2APIC) != 0);
  if (host ? !valid : !isLegalChange(before, value)) return GP;
  const keepsBsp = !host && model(F_BSP_FLAG) == 0; // bug: kvm-keeps-the-bsp-flag
  if (keepsBsp) value = (value & ~BASE_BSP) | (before & BASE_BSP);
  cold.base = value;
  changeMode(cpu, before, value);
  return 0;
}

/** The flags, and the page's address: as many bits as a physical address has. */
function baseLegal(): u64 {
  return (((<u64>1) << model(F_BASE_BITS)) - 4096) | BASE_FLAGS;
}

function changeMode(cpu: u32, before: u64, after: u64): void {
  const enabled = (after & BASE_ENABLE) != 0;
  const x2apic = (after & BASE_X2APIC) != 0;
  const wasEnabled = (before & BASE_ENABLE) != 0;
  const wasX2apic = (before & BASE_X2APIC) != 0;
  if (!wasEnabled && enabled) reenable(cpu);
  if (wasEnabled && !enabled) disable(cpu);
  if (x2apic != wasX2apic) swapIcrHigh(cpu);
  if (x2apic && !wasX2apic) enterX2apic(cpu);
  if (wasX2apic && !x2apic) {
    const keeps = model(F_X2APIC_LDR) == <u32>LDR_KEPT;
    writeLdr(cpu, keeps ? coldRow(cpu).ldr : 0);
  }
  if (wasX2apic && enabled && !x2apic) writeInitialId(cpu);
  noteOddness(cpu);
  refreshAndKick(cpu);
}

function writeInitialId(cpu: u32): void {
  coldRow(cpu).xapicId = apicId(cpu) & idMask();
  noteOddness(cpu);
}

function reenable(cpu: u32): void {
  if (model(F_ID_ON_ENABLE) == <u32>ID_ON_ENABLE) writeInitialId(cpu);
  if (model(F_HW_DISABLE) == <u32>HW_RESETS) resetRegisters(cpu);
}

/**
 * A disabled local APIC counts no time. KVM __kvm_apic_set_base() and QEMU apic_set_base() leave the timer alone;
 * what it brings meanwhile is lost. QEMU: the software enable goes, too.
 */
function disable(cpu: u32): void {
  if (model(F_HW_DISABLE) == <u32>HW_RESETS) stopTimer(cpu); // bug: a-timer-stops-with-kvms-local-apic
  if (model(F_SW_OFF_WITH_HW) == 0) return;
  const cold = coldRow(cpu);
  cold.svr &= ~SVR_ENABLE;
}

/** Where the MSR's upper half and ICR2 are two registers, each comes back with its mode. */
function swapIcrHigh(cpu: u32): void {
  if (model(F_ICR_HALVES) != <u32>HALVES_TWO) return;
  const cold = coldRow(cpu);
  const high = cold.icrHigh;
  cold.icrHigh = cold.icrOther;
  cold.icrOther = high;
}

// SDM 3A "x2APIC State Transitions": ICR high and the written id are lost.
function enterX2apic(cpu: u32): void {
  deriveX2apicLdr(cpu);
  if (model(F_HW_DISABLE) == <u32>HW_RESETS) coldRow(cpu).icrHigh = 0;
}

/** Brings registers written from outside within the bits that the model has. */
export function normalise(cpu: u32): void {
  const cold = coldRow(cpu);
  const svr = cold.svr;
  cold.svr = (svr & model(F_SVR_BITS)) | model(F_SVR_LOW);
  cold.dfr |= 0x0fffffff;
  cold.divide &= 0xb;
  cold.xapicId &= idMask();
  for (let i: u32 = 0; i <= <u32>LVT_CMCI; i++) {
    storeLvt(cpu, i, lvt(cpu, i) & (lvtBits(i) | (isPin(i) ? LVT_REMOTE_IRR : 0)));
  }
  if (isX2apicMode(cpu)) deriveX2apicLdr(cpu);
}
