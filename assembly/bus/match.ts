// Which local APICs a message addresses, each judged by its own registers and mode: one in xAPIC mode
// sees the low 8 bits of a destination, also of a wider one.

import { idMask, isHardwareEnabled, isX2apicMode } from '../lapic/state';
import {
  CLUSTER_F_WILDCARD,
  F_CLUSTER_F,
  F_LOGICAL_ONES,
  ICR_ALL_EXC,
  ICR_LOGICAL,
  ICR_SELF,
  ICR_SHORTHAND,
  ONES_EVERYONE,
} from '../memory/codes';
import { model } from '../memory/model';
import { apicId, coldRow, ldr } from '../memory/rows';

export const BROADCAST: u32 = 0xffffffff;
const FLAT: u32 = 15;
const CLUSTER: u32 = 0;

export function xapicId(cpu: u32): u32 {
  return coldRow(cpu).xapicId;
}

/** DFR's model field: 15 flat, 0 cluster. */
export function dfrModel(cpu: u32): u32 {
  return coldRow(cpu).dfr >> 28;
}

// SDM 3A "Physical Destination Mode".
function matchesPhysical(cpu: u32, dest: u32): bool {
  if (isX2apicMode(cpu)) return dest == BROADCAST || dest == apicId(cpu);
  const id = dest & idMask();
  return id == idMask() || id == xapicId(cpu);
}

export function matchesCluster(dest: u32, own: u32): bool {
  return own >> 16 == dest >> 16 && (own & dest & 0xffff) != 0;
}

// SDM 3A "Logical Destination Mode", "Logical Destination Mode in x2APIC Mode".
function matchesLogical(cpu: u32, dest: u32): bool {
  const own = ldr(cpu);
  if (isX2apicMode(cpu)) return dest == BROADCAST || matchesCluster(dest, own);
  const mda = dest & 0xff;
  if (mda == 0xff && model(F_LOGICAL_ONES) == <u32>ONES_EVERYONE) return true;
  const kind = dfrModel(cpu);
  if (kind == FLAT) return (mda & own) != 0;
  if (kind != CLUSTER) return false;
  const everywhere = mda >> 4 == 15 && model(F_CLUSTER_F) == <u32>CLUSTER_F_WILDCARD;
  return (everywhere || mda >> 4 == own >> 4) && (mda & own & 15) != 0;
}

/** Whether the message of `source` (NONE: from outside) addresses `cpu`. */
export function matchesDestination(cpu: u32, source: i32, dest: u32, low: u32): bool {
  if (!isHardwareEnabled(cpu)) return false;
  const shorthand = low & ICR_SHORTHAND;
  if (shorthand == ICR_SELF) return <i32>cpu == source;
  if (shorthand == ICR_ALL_EXC) return <i32>cpu != source;
  if (shorthand != 0) return true;
  return (low & ICR_LOGICAL) != 0 ? matchesLogical(cpu, dest) : matchesPhysical(cpu, dest);
}
