// Power-on, INIT, IA32_APIC_BASE and the modes. SDM 3A "Local APIC State After Power-Up or Reset",
// "Local APIC State After an INIT Reset", "Extended XAPIC (x2APIC)".

import { apicId, coldRow, ident, mode, row } from '../memory/arena';
import {
  F_HW_DISABLE,
  F_ICR_HALVES,
  F_ID_ON_ENABLE,
  F_MSR_CHECKS,
  F_RESET_LINT0,
  F_SVR_BITS,
  F_SVR_LOW,
  F_SW_OFF_WITH_HW,
  F_X2APIC,
  F_X2APIC_LDR,
  GP,
  HALVES_TWO,
  HW_RESETS,
  LDR_KEPT,
  LVT_CMCI,
  LVT_LINT0,
  MODE_X2APIC_PHYSICAL,
  MODE_XAPIC_CLUSTER,
  MSR_QEMU,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { x2apicLogicalId } from '../memory/rows';
import { lvtBits } from './lvt';
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
/** Bits of a 36-bit physical address above the page, and the flags. */
const BASE_LEGAL: u64 = 0xffffffd00;
const BASE_DEFAULT: u64 = 0xfee00800;
const CLUSTER_DFR: u32 = 0x0fffffff;

/** Writes the register; IDENT has the logical id: 8 bits in xAPIC mode, 32 in x2APIC mode. */
export function writeLdr(cpu: u32, value: u32): void {
  store<u32>(coldRow(cpu), value, L.C_LDR);
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
    (x2apic || load<u32>(cold, L.C_XAPIC_ID) == apicId(cpu)) &&
    (x2apic || load<u32>(cold, L.C_DFR) == usualDfr());
  const latch = load<u32>(cold, L.C_LATCH);
  if (((latch & L.LATCH_ODD) != 0) == !usual) return;
  store<u32>(cold, latch ^ L.LATCH_ODD, L.C_LATCH);
  store<u32>(L.H_ODD, load<u32>(L.H_ODD) + (usual ? -1 : 1));
}

export function usualDfr(): u32 {
  return mode == <u32>MODE_XAPIC_CLUSTER ? CLUSTER_DFR : 0xffffffff;
}

function clearVectors(cpu: u32): void {
  const at = row(cpu);
  const cold = coldRow(cpu);
  for (let c: usize = 0; c < 32; c += 2) {
    const pending = popcnt<u32>(load<u16>(at + c, L.R_IRR));
    store<u64>(cold, load<u64>(cold, L.C_DISCARDED) + pending, L.C_DISCARDED);
  }
  memory.fill(at + L.R_IRR, 0, 32);
  memory.fill(at + L.R_ISR, 0, 32);
  memory.fill(cold + L.C_TMR, 0, 32); // bug: init-forgets-the-tmr
  const LISTED = (<u64>1) << L.CLASSES_LISTED_SHIFT;
  store<u64>(at, load<u64>(at, L.R_CLASSES) & LISTED, L.R_CLASSES);
}

/** Registers to their reset values; id, base and mode stay. */
export function resetRegisters(cpu: u32): void {
  const cold = coldRow(cpu);
  clearVectors(cpu);
  stopTimer(cpu);
  store<u32>(cold, 0xff | model(F_SVR_LOW), L.C_SVR);
  store<u32>(cold, 0xffffffff, L.C_DFR);
  store<u32>(cold, 0, L.C_ESR);
  store<u32>(cold, 0, L.C_ESR_PENDING);
  store<u32>(cold, 0, L.C_ICR);
  store<u32>(cold, 0, L.C_ICR_HIGH);
  store<u32>(cold, 0, L.C_ICR_OTHER);
  store<u32>(cold, 0, L.C_INITIAL_COUNT);
  store<u32>(cold, 0, L.C_DIVIDE);
  store<u32>(cold, 0, L.C_EXT_CONTROL);
  memory.fill(cold + L.C_IER, 0xff, 32);
  memory.fill(cold + L.C_PIR, 0, 32);
  store<u32>(cold, 0, L.C_POSTED);
  for (let i: u32 = 0; i < 4; i++) store<u32>(cold + L.C_EXT_LVT + (i << 2), LVT_MASKED);
  for (let i: u32 = 0; i <= <u32>LVT_CMCI; i++) storeLvt(cpu, i, LVT_MASKED);
  if (cpu == 0) storeLvt(cpu, LVT_LINT0, model(F_RESET_LINT0));
  if (!isX2apicMode(cpu)) writeLdr(cpu, 0);
  dropBusMessage(cpu);
  noteOddness(cpu);
}

function dropBusMessage(cpu: u32): void {
  const cold = coldRow(cpu);
  const latch = load<u32>(cold, L.C_LATCH);
  if ((latch & L.LATCH_BUS) == 0) return;
  store<u32>(cold, latch & ~L.LATCH_BUS, L.C_LATCH);
  store<u32>(L.H_BUS_WAITING, load<u32>(L.H_BUS_WAITING) - 1);
}

/** INIT: the local APIC and the CPU's side. A SIPI that came after the INIT stays. */
export function initReset(cpu: u32): void {
  resetRegisters(cpu);
  const cold = coldRow(cpu);
  const keep = L.LATCH_LINT0 | L.LATCH_LINT1 | L.LATCH_ODD | L.LATCH_SIPI;
  const latch = load<u32>(cold, L.C_LATCH) & keep;
  store<u32>(cold, cpu == 0 ? latch : latch | L.LATCH_WAITING, L.C_LATCH);
  store<u32>(cold, 0, L.C_DEPTH);
  refreshAndKick(cpu);
}

/** Power-on of one CPU; the counters are statistics and stay. */
export function powerOnCpu(cpu: u32): void {
  const cold = coldRow(cpu);
  store<u64>(cold, cpu == 0 ? BASE_DEFAULT | BASE_BSP : BASE_DEFAULT, L.C_BASE);
  store<u32>(cold, apicId(cpu) & idMask(), L.C_XAPIC_ID);
  store<u32>(cold, apicId(cpu) & 15, L.C_ARB);
  resetRegisters(cpu);
  const odd = load<u32>(cold, L.C_LATCH) & L.LATCH_ODD;
  store<u32>(cold, cpu == 0 ? odd : odd | L.LATCH_WAITING, L.C_LATCH);
  store<u32>(cold, 0, L.C_DEPTH);
  refreshAndKick(cpu);
}

/** What system software does at boot: x2APIC mode or LDR and DFR, SVR, interrupts on. */
export function enableBySoftware(cpu: u32, logical: u32): void {
  const cold = coldRow(cpu);
  if (mode >= <u32>MODE_X2APIC_PHYSICAL) {
    store<u64>(cold, load<u64>(cold, L.C_BASE) | BASE_X2APIC, L.C_BASE);
    deriveX2apicLdr(cpu);
  } else {
    store<u32>(cold, usualDfr(), L.C_DFR);
    writeLdr(cpu, logical << 24);
  }
  store<u32>(cold, 0xff | SVR_ENABLE, L.C_SVR);
  const latch = load<u32>(cold, L.C_LATCH) & ~L.LATCH_WAITING;
  store<u32>(cold, latch | L.LATCH_IF, L.C_LATCH);
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
  const before = load<u64>(cold, L.C_BASE);
  if (model(F_MSR_CHECKS) == <u32>MSR_QEMU) value &= BASE_LEGAL;
  if ((value & ~BASE_LEGAL) != 0) return GP;
  const valid = (value & BASE_X2APIC) == 0 || ((value & BASE_ENABLE) != 0 && model(F_X2APIC) != 0);
  if (host ? !valid : !isLegalChange(before, value)) return GP;
  if (!host) value = (value & ~BASE_BSP) | (before & BASE_BSP);
  store<u64>(cold, value, L.C_BASE);
  changeMode(cpu, before, value);
  return 0;
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
    writeLdr(cpu, keeps ? load<u32>(coldRow(cpu), L.C_LDR) : 0);
  }
  if (wasX2apic && enabled && !x2apic)
    store<u32>(coldRow(cpu), apicId(cpu) & idMask(), L.C_XAPIC_ID);
  noteOddness(cpu);
  refreshAndKick(cpu);
}

function reenable(cpu: u32): void {
  const cold = coldRow(cpu);
  if (model(F_ID_ON_ENABLE) != 0) store<u32>(cold, apicId(cpu) & idMask(), L.C_XAPIC_ID);
  if (model(F_HW_DISABLE) == <u32>HW_RESETS) resetRegisters(cpu);
}

/** A disabled local APIC counts no time. QEMU apic_set_base(): its software enable goes, too. */
function disable(cpu: u32): void {
  stopTimer(cpu);
  if (model(F_SW_OFF_WITH_HW) == 0) return;
  const cold = coldRow(cpu);
  store<u32>(cold, load<u32>(cold, L.C_SVR) & ~SVR_ENABLE, L.C_SVR);
}

/** Where the MSR's upper half and ICR2 are two registers, each comes back with its mode. */
function swapIcrHigh(cpu: u32): void {
  if (model(F_ICR_HALVES) != <u32>HALVES_TWO) return;
  const cold = coldRow(cpu);
  const high = load<u32>(cold, L.C_ICR_HIGH);
  store<u32>(cold, load<u32>(cold, L.C_ICR_OTHER), L.C_ICR_HIGH);
  store<u32>(cold, high, L.C_ICR_OTHER);
}

// SDM 3A "x2APIC State Transitions": ICR high and the written id are lost.
function enterX2apic(cpu: u32): void {
  deriveX2apicLdr(cpu);
  if (model(F_HW_DISABLE) == <u32>HW_RESETS) store<u32>(coldRow(cpu), 0, L.C_ICR_HIGH);
}

/** Brings registers written from outside within the bits that the model has. */
export function normalise(cpu: u32): void {
  const cold = coldRow(cpu);
  const svr = load<u32>(cold, L.C_SVR);
  store<u32>(cold, (svr & model(F_SVR_BITS)) | model(F_SVR_LOW), L.C_SVR);
  store<u32>(cold, load<u32>(cold, L.C_DFR) | 0x0fffffff, L.C_DFR);
  store<u32>(cold, load<u32>(cold, L.C_DIVIDE) & 0xb, L.C_DIVIDE);
  store<u32>(cold, load<u32>(cold, L.C_XAPIC_ID) & idMask(), L.C_XAPIC_ID);
  for (let i: u32 = 0; i <= <u32>LVT_CMCI; i++) {
    storeLvt(cpu, i, lvt(cpu, i) & (lvtBits(i) | LVT_REMOTE_IRR));
  }
  if (isX2apicMode(cpu)) deriveX2apicLdr(cpu);
}
