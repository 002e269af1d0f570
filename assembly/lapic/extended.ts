// AMD's extended register space in the xAPIC page: specific EOI, interrupt enable registers, extended
// LVT. AMD APM 2 "Extended APIC Feature Register" and the sections after it.

import { F_EXTENDED } from '../memory/codes';
import { model } from '../memory/model';
import { coldRow, extLvtSlot, ierOf } from '../memory/rows';
import { endVector } from './lapic';
import { refreshAndKick } from './refresh';

const EXT_FEATURE: u32 = 0x40;
const EXT_CONTROL: u32 = 0x41;
export const EXT_SEOI: u32 = 0x42;
const EXT_IER: u32 = 0x48;
const EXT_LVT: u32 = 0x50;
/** Four extended LVT entries; extended id, specific EOI and interrupt enable registers. */
const FEATURES: u32 = 0x40007;
const CONTROL_BITS: u32 = 7;
const CONTROL_SEOI: u32 = 2;
const LVT_BITS: u32 = 0x107ff;

export function isExtendedRegister(reg: u32): bool {
  if (model(F_EXTENDED) == 0) return false;
  return (reg >= EXT_FEATURE && reg <= EXT_SEOI) || (reg >= EXT_IER && reg < EXT_LVT + 4);
}

export function readExtended(cpu: u32, reg: u32): u32 {
  const cold = coldRow(cpu);
  if (reg == EXT_FEATURE) return FEATURES;
  if (reg == EXT_CONTROL) return cold.extControl;
  if (reg == EXT_SEOI) return 0;
  if (reg >= EXT_LVT) return load<u32>(extLvtSlot(cpu, reg - EXT_LVT));
  return ierOf(cpu).half(reg - EXT_IER);
}

export function writeExtended(cpu: u32, reg: u32, value: u32): void {
  const cold = coldRow(cpu);
  if (reg == EXT_SEOI) return specificEoi(cpu, value & 0xff);
  if (reg >= EXT_LVT) store<u32>(extLvtSlot(cpu, reg - EXT_LVT), value & LVT_BITS);
  else if (reg >= EXT_IER) ierOf(cpu).setHalf(reg - EXT_IER, value);
  else if (reg == EXT_CONTROL) cold.extControl = value & CONTROL_BITS;
  refreshAndKick(cpu);
}

/** Ends the named vector, whichever is the highest in service. */
function specificEoi(cpu: u32, vector: u32): void {
  if ((coldRow(cpu).extControl & CONTROL_SEOI) == 0) return;
  endVector(cpu, vector);
}
