// How software reaches the registers: the xAPIC page and the x2APIC MSRs, with what each refuses.
import { finishEoi } from '../board/eoi';
import { news } from '../board/news';
import { selfIpiWritten, writeIcrRegister } from '../bus/icr';
import { collect } from '../lapic/esr';
import { EXT_SEOI, isExtendedRegister, readExtended, writeExtended } from '../lapic/extended';
import { lvtBits } from '../lapic/lvt';
import {
  isReadable,
  isWritable,
  lvtIndexOf,
  REG_CURRENT_COUNT,
  REG_DFR,
  REG_DIVIDE,
  REG_EOI,
  REG_ESR,
  REG_ICR,
  REG_ICR_HIGH,
  REG_ID,
  REG_LDR,
  REG_LINT0,
  REG_LINT1,
  REG_SELF_IPI,
  REG_SVR,
  REG_TPR,
  REG_VERSION,
  readRegister,
  writeRegister,
} from '../lapic/registers';
import { writeBase } from '../lapic/reset';
import { isHardwareEnabled, isX2apicMode } from '../lapic/state';
import { writeDeadline } from '../lapic/timer';
import {
  ESR_ILLEGAL_REGISTER,
  F_MSR_CHECKS,
  F_REGISTER_SET,
  F_SVR_BITS,
  F_TIMER_DEADLINE,
  GP,
  ICR_BUSY,
  MSR_AMD,
  MSR_KVM,
  MSR_QEMU,
  REGISTERS_QEMU,
} from '../memory/codes';
import { model } from '../memory/model';
import { outcome } from '../memory/records';
import { coldRow } from '../memory/rows';
import { newsIfAsserted } from './blocking';
import { eoiWritten } from './cpu';

const MSR_BASE: u32 = 0x1b;
const MSR_DEADLINE: u32 = 0x6e0;
const MSR_X2APIC: u32 = 0x800;
const MSR_X2APIC_END: u32 = 0x840;
/** SDM 3A "ICR Operation in x2APIC Mode": bits 13, 16, 17, 20-31. */
const ICR_RESERVED: u32 = 0xfff32000;

function result(value: u64): i32 {
  outcome.result = value;
  return 0;
}

function hasQemuRegisters(): bool {
  return model(F_REGISTER_SET) == <u32>REGISTERS_QEMU;
}

function isPageOpen(cpu: u32): bool {
  return isHardwareEnabled(cpu) && !isX2apicMode(cpu);
}

/** A register that exists in the xAPIC page, for reading or for writing. */
function isDefined(reg: u32): bool {
  if (hasQemuRegisters()) return isQemuRegister(reg);
  return isReadable(reg, false) || isWritable(reg, false);
}

/** QEMU apic_register_read(): the registers it knows. */
function isQemuRegister(reg: u32): bool {
  return (
    reg == REG_ID ||
    reg == REG_VERSION ||
    (reg >= REG_TPR && reg <= REG_EOI) ||
    (reg >= REG_LDR && reg <= REG_ESR) ||
    (reg >= REG_ICR && reg <= REG_CURRENT_COUNT) ||
    reg == REG_DIVIDE
  );
}

// SDM 3A "Local APIC Register Address Map": aligned 32-bit accesses.
export function readPage(cpu: u32, reg: u32): u32 {
  if (!isPageOpen(cpu)) return 0xffffffff;
  if (isExtendedRegister(reg)) return readExtended(cpu, reg);
  if (isReadable(reg, false)) return readRegister(cpu, reg);
  if (!isDefined(reg)) collect(cpu, ESR_ILLEGAL_REGISTER);
  return 0;
}

/** What decides whether an ExtINT reaches the CPU: its pins' entries, and whom the virtual wire addresses. */
function mayLetExtintIn(reg: u32): bool {
  if (reg == REG_ID || reg == REG_LDR || reg == REG_DFR) return true;
  return reg == REG_SVR || reg == REG_LINT0 || reg == REG_LINT1;
}

/** A register whose write may end a handler or let an ExtINT through. */
function write(cpu: u32, reg: u32, value: u32): void {
  if (reg == REG_EOI) {
    eoiWritten(cpu);
    return;
  }
  writeRegister(cpu, reg, value);
  if (mayLetExtintIn(reg)) news(cpu);
}

function writeAmd(cpu: u32, reg: u32, value: u32): void {
  writeExtended(cpu, reg, value);
  finishEoi();
  newsIfAsserted(cpu);
  if (reg != EXT_SEOI) news(cpu);
}

export function writePage(cpu: u32, reg: u32, value: u32): void {
  if (!isPageOpen(cpu)) return;
  if (isExtendedRegister(reg)) return writeAmd(cpu, reg, value);
  if (!isWritable(reg, false)) {
    const known = isDefined(reg) || (hasQemuRegisters() && reg == REG_SELF_IPI);
    if (!known) collect(cpu, ESR_ILLEGAL_REGISTER);
    return;
  }
  if (reg == REG_ICR) writeIcrRegister(cpu, coldRow(cpu).icrHigh, value);
  else write(cpu, reg, value);
}

/** RDMSR: 0 with the value in H_RESULT, or GP. */
export function readMsr(cpu: u32, msr: u32): i32 {
  if (msr == MSR_BASE) return result(coldRow(cpu).base);
  if (msr == MSR_DEADLINE) {
    if (model(F_TIMER_DEADLINE) == 0) return GP;
    return result(isHardwareEnabled(cpu) ? coldRow(cpu).deadline : 0);
  }
  if (msr < MSR_X2APIC || msr >= MSR_X2APIC_END || !isX2apicMode(cpu)) return GP;
  const reg = msr - MSR_X2APIC;
  if (hasQemuRegisters()) return readQemuMsr(cpu, reg);
  if (!isReadable(reg, true)) return GP;
  const high: u64 = reg == REG_ICR ? coldRow(cpu).icrHigh : 0;
  return result((high << 32) | readRegister(cpu, reg));
}

// QEMU apic_msr_read(): 32 bits of whatever apic_register_read() knows.
function readQemuMsr(cpu: u32, reg: u32): i32 {
  if (reg == REG_DFR) return GP;
  if (isQemuRegister(reg)) return result(readRegister(cpu, reg));
  collect(cpu, ESR_ILLEGAL_REGISTER);
  return GP;
}

/** IA32_APIC_BASE; `host`: as a hypervisor's user space sets it, between any valid modes. */
export function setBase(cpu: u32, value: u64, host: bool): i32 {
  const status = writeBase(cpu, value, host);
  if (status == 0) news(cpu);
  return status;
}

/** WRMSR: 0, or GP and nothing happened. */
export function writeMsr(cpu: u32, msr: u32, value: u64): i32 {
  if (msr == MSR_BASE) return setBase(cpu, value, false);
  if (msr == MSR_DEADLINE) {
    if (model(F_TIMER_DEADLINE) == 0) return GP;
    writeDeadline(cpu, value);
    return 0;
  }
  if (msr < MSR_X2APIC || msr >= MSR_X2APIC_END || !isX2apicMode(cpu)) return GP;
  const reg = msr - MSR_X2APIC;
  if (!isWritable(reg, true)) return hasQemuRegisters() ? writeQemuReadOnly(cpu, reg) : GP;
  if (hasReservedBits(reg, value)) return GP;
  if (reg == REG_ICR) writeIcrRegister(cpu, <u32>(value >> 32), <u32>value);
  else if (reg == REG_SELF_IPI) selfIpiWritten(cpu, <u32>value & 0xff);
  else write(cpu, reg, <u32>value);
  return 0;
}

// QEMU apic_register_write(): read-only registers ignore writes.
function writeQemuReadOnly(cpu: u32, reg: u32): i32 {
  if (reg == REG_ID || reg == REG_LDR || reg == REG_DFR || reg == REG_ICR_HIGH) return GP;
  if (isQemuRegister(reg)) return 0;
  collect(cpu, ESR_ILLEGAL_REGISTER);
  return GP;
}

// SDM 3A "Reserved Bit Checking": WRMSR of a reserved bit is #GP.
function hasReservedBits(reg: u32, value: u64): bool {
  const checks = model(F_MSR_CHECKS);
  if (checks == <u32>MSR_QEMU) return false;
  const low = <u32>value;
  if (reg == REG_ICR) {
    const busy: u32 = checks == <u32>MSR_AMD ? ICR_BUSY : 0;
    return (low & (ICR_RESERVED | busy)) != 0;
  }
  if (value >> 32 != 0) return true;
  if (reg == REG_ESR) return low != 0;
  if (reg == REG_SELF_IPI) return low > 0xff;
  if (checks == <u32>MSR_KVM) return false;
  return (low & ~legalBits(reg)) != 0;
}

function legalBits(reg: u32): u32 {
  const index = lvtIndexOf(reg);
  if (index != 7) return lvtBits(index);
  if (reg == REG_TPR) return 0xff;
  if (reg == REG_EOI) return 0;
  if (reg == REG_SVR) return model(F_SVR_BITS); // bug: reserved-svr-bits-pass-wrmsr
  return reg == REG_DIVIDE ? 0xb : 0xffffffff;
}
