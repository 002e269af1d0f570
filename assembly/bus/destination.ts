// Which local APICs a message reaches: the fast decode, for machines whose local APICs all have their
// usual ids, mode and DFR. message.ts is the same rule for every machine.

import { cpus, mode } from '../memory/arena';
import {
  BROADCAST_X2APIC,
  BROADCAST_XAPIC,
  MODE_X2APIC_PHYSICAL,
  MODE_XAPIC_CLUSTER,
  NONE,
} from '../memory/codes';
import { config, ledger } from '../memory/records';
import { ldr } from '../memory/rows';
import { clusterOf, memberOf } from './clusters';
import { deliver } from './deliver';
import { cpuOf } from './directory';

export function isX2apic(): bool {
  return mode >= <u32>MODE_X2APIC_PHYSICAL;
}

/** Shorthands all-including-self (`except` = NONE) and all-excluding-self. */
export function deliverAll(low: u32, except: i32): void {
  for (let cpu: u32 = 0; cpu < cpus; cpu++) if (<i32>cpu != except) deliver(cpu, low);
}

// SDM 3A "Physical Destination Mode": an exact id, or all ones for broadcast (8 bits in xAPIC
// mode, 32 in x2APIC mode).
export function deliverPhysical(dest: u32, low: u32): void {
  if (dest == <u32>(isX2apic() ? BROADCAST_X2APIC : BROADCAST_XAPIC)) return deliverAll(low, NONE);
  const cpu = cpuOf(dest);
  if (cpu == NONE) ledger.unclaimed++;
  else deliver(cpu, low);
}

export function deliverLogical(dest: u32, low: u32): void {
  if (isX2apic()) deliverCluster(dest, low);
  else deliverXapicLogical(dest, low);
}

// SDM 3A "Logical Destination Mode in x2APIC Mode": bits 31:16 name the cluster, 15:0 its
// members; all ones broadcasts.
function deliverCluster(dest: u32, low: u32): void {
  if (dest == <u32>BROADCAST_X2APIC) return deliverAll(low, NONE);
  if (config.wideIds != 0) return deliverMatching(dest, low);
  const base = (dest >> 16) << 4;
  let places = dest & 0xffff;
  let first: i32 = NONE;
  while (places != 0) {
    first = cpuOf(base | ctz<u32>(places));
    if (first != NONE) break;
    places &= places - 1;
  }
  if (first == NONE) {
    ledger.unclaimed++;
    return;
  }
  deliver(first, low);
  places &= places - 1; // bug: the-first-of-a-cluster-gets-it-twice
  const cluster = clusterOf(first);
  for (; places != 0; places &= places - 1) {
    const cpu = memberOf(cluster, ctz<u32>(places));
    if (cpu != NONE) deliver(cpu, low);
  }
}

// SDM 3A "Logical Destination Mode" in xAPIC mode. Flat: MDA and LDR share a bit. Cluster: equal
// high nibbles and a shared bit in the low ones. All ones reach every APIC, whatever its LDR.
function matchesXapic(mda: u32, own: u32): bool {
  if (mda == 0xff) return true; // bug: logical-broadcast-is-lost
  if (mode != <u32>MODE_XAPIC_CLUSTER) return (mda & own) != 0;
  return mda >> 4 == own >> 4 && (mda & own & 15) != 0;
}

function deliverXapicLogical(dest: u32, low: u32): void {
  let reached = false;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (!matchesXapic(dest & 0xff, ldr(cpu))) continue;
    reached = true;
    deliver(cpu, low);
  }
  if (!reached) ledger.unclaimed++;
}

/** Ids from 2^20 on share logical ids with lower ones (LDR holds id bits 19:4): compare every LDR. */
function deliverMatching(dest: u32, low: u32): void {
  let reached = false;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const own = ldr(cpu);
    if (own >> 16 != dest >> 16 || (own & dest & 0xffff) == 0) continue;
    reached = true;
    deliver(cpu, low);
  }
  if (!reached) ledger.unclaimed++;
}
