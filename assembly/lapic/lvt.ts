// The Local Vector Table: its entries' bits, and what a local event does. SDM 3A "Local Vector Table".

import {
  DELIVERY_EXTINT,
  DELIVERY_FIXED,
  DELIVERY_INIT,
  DELIVERY_NMI,
  DELIVERY_SMI,
  F_LVT_BITS,
  F_PERF_MASKS,
  F_TIMER_DEADLINE,
  F_VERSION,
  LVT_CMCI,
  LVT_ERROR,
  LVT_LINT0,
  LVT_LINT1,
  LVT_PERF,
  LVT_RAW,
  LVT_STATUS,
  LVT_THERMAL,
  LVT_TIMER,
} from '../memory/codes';
import { model } from '../memory/model';
import { Lapic } from './lapic';
import { latchExtint, latchInit, latchNmi, latchSmi } from './outputs';
import {
  isHardwareEnabled,
  LVT_ACTIVE_LOW,
  LVT_DEADLINE,
  LVT_DELIVERY,
  LVT_LEVEL,
  LVT_MASKED,
  LVT_PENDING,
  LVT_PERIODIC,
  LVT_REMOTE_IRR,
  LVT_VECTOR,
  lvt,
  lvtMode,
  storeLvt,
} from './state';

/** Number of the last LVT entry. SDM 3A "Local APIC Version Register". */
function lastEntry(): u32 {
  return (model(F_VERSION) >> 16) & 0xff;
}

export function hasLvt(index: u32): bool {
  if (index == <u32>LVT_THERMAL) return lastEntry() >= 5;
  if (index == <u32>LVT_CMCI) return lastEntry() >= 6;
  return index < <u32>LVT_CMCI;
}

export function isPin(index: u32): bool {
  return index == <u32>LVT_LINT0 || index == <u32>LVT_LINT1;
}

/** Bits of an entry that software may set. KVM apic_lvt_mask[] has the status bits among them. */
export function lvtBits(index: u32): u32 {
  if (model(F_LVT_BITS) == <u32>LVT_RAW) return 0xffffffff;
  const withStatus = model(F_LVT_BITS) == <u32>LVT_STATUS; // bug: kvm-keeps-no-status-bits
  const plain = LVT_VECTOR | LVT_MASKED | (withStatus ? LVT_PENDING : 0);
  if (index == <u32>LVT_TIMER) {
    const deadline: u32 = model(F_TIMER_DEADLINE) != 0 ? LVT_DEADLINE : 0;
    return plain | LVT_PERIODIC | deadline;
  }
  if (index == <u32>LVT_ERROR) return plain;
  if (!isPin(index)) return plain | LVT_DELIVERY;
  const remote = withStatus ? LVT_REMOTE_IRR : 0;
  return plain | LVT_DELIVERY | LVT_ACTIVE_LOW | LVT_LEVEL | remote;
}

/** A local event of an unmasked entry. Whether something was delivered. */
export function deliverLocal(cpu: u32, index: u32): bool {
  const entry = lvt(cpu, index);
  if (!hasLvt(index) || !isHardwareEnabled(cpu) || (entry & LVT_MASKED) != 0) return false;
  const masks = index == <u32>LVT_PERF && model(F_PERF_MASKS) != 0; // bug: amd-masks-the-performance-counter
  if (masks) storeLvt(cpu, index, entry | LVT_MASKED);
  const pin = isPin(index);
  switch (lvtMode(entry)) {
    case DELIVERY_FIXED:
      Lapic.accept(cpu, entry & 0xff, pin && (entry & LVT_LEVEL) != 0);
      return true;
    case DELIVERY_SMI:
      latchSmi(cpu);
      return true;
    case DELIVERY_NMI:
      latchNmi(cpu);
      return true;
    case DELIVERY_INIT:
      latchInit(cpu);
      return true;
    case DELIVERY_EXTINT:
      if (!pin) latchExtint(cpu);
      return true;
    default:
      return false;
  }
}
