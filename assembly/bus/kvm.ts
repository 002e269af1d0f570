// Destinations as Linux's in-kernel APIC finds them: a map of ids where it can, a scan where it must.
// Linux 6.18 arch/x86/kvm/lapic.c kvm_irq_delivery_to_apic(), kvm_apic_map_get_dest_lapic(),
// kvm_recalculate_phys_map(), kvm_recalculate_logical_map(), kvm_apic_match_dest().

import { isHardwareEnabled, isSoftwareEnabled, isX2apicMode } from '../lapic/state';
import { cpus } from '../memory/arena';
import {
  BROADCAST_BY_MAP,
  DELIVERY_LOWEST,
  F_BROADCAST_DEST,
  F_MSI_BROADCAST,
  ICR_ALL_EXC,
  ICR_LOGICAL,
  ICR_SELF,
  ICR_SHORTHAND,
  NONE,
} from '../memory/codes';
import { model } from '../memory/model';
import { devices } from '../memory/records';
import { apicId, coldRow, ldr } from '../memory/rows';
import { deliveryOf, REDIRECT } from './command';
import { acceptMessage, unclaimed } from './deliver';
import { BROADCAST, dfrModel, matchesCluster, xapicId } from './match';

// How the map decodes logical destinations.
const MAP_EMPTY: i32 = 0;
const MAP_FLAT: i32 = 1;
const MAP_CLUSTER: i32 = 2;
const MAP_X2APIC: i32 = 3;
const MAP_NONE: i32 = 4;

const FLAT: u32 = 15;
const CLUSTER: u32 = 0;
const DELIVERY_BITS: u32 = 0x700;

/** kvm_lowest_prio_delivery(): by mode, or any mode with the redirection hint. */
function isLowest(low: u32): bool {
  return deliveryOf(low) == DELIVERY_LOWEST || (low & REDIRECT) != 0;
}

function ownMode(cpu: u32): i32 {
  if (isX2apicMode(cpu)) return MAP_X2APIC;
  return dfrModel(cpu) == FLAT ? MAP_FLAT : MAP_CLUSTER;
}

function inMap(cpu: u32): bool {
  return isHardwareEnabled(cpu) && isSoftwareEnabled(cpu);
}

/** Members of a logical id: one bit, or the map is of no use. */
function members(cpu: u32, mode: i32): u32 {
  return mode == MAP_FLAT ? ldr(cpu) : ldr(cpu) & 15;
}

function mapMode(): i32 {
  let mode = MAP_EMPTY;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (!inMap(cpu) || coldRow(cpu).ldr == 0) continue;
    const own = ownMode(cpu);
    if (mode == MAP_EMPTY) mode = own;
    if (own != mode) return MAP_NONE;
    if (own != MAP_X2APIC && isAmbiguous(cpu, own)) return MAP_NONE;
  }
  return mode;
}

function isAmbiguous(cpu: u32, mode: i32): bool {
  const bits = members(cpu, mode);
  if (bits == 0) return false;
  if (popcnt<u32>(bits) != 1) return true;
  for (let other: u32 = 0; other < cpu; other++) {
    if (!inMap(other) || members(other, mode) != bits) continue;
    if (mode == MAP_FLAT || ldr(other) >> 4 == ldr(cpu) >> 4) return true;
  }
  return false;
}

/** The CPU at place `place` of a logical destination's row in the map, or NONE. */
function atPlace(mode: i32, dest: u32, place: u32): i32 {
  if (mode == MAP_X2APIC) return onMap(((dest >> 16) << 4) + place);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (!inMap(cpu) || members(cpu, mode) != (<u32>1) << place) continue;
    if (mode == MAP_FLAT || ldr(cpu) >> 4 == ((dest >> 4) & 15)) return cpu;
  }
  return NONE;
}

/** Whether a local APIC answers to a physical id. KVM kvm_apic_match_physical_addr(). */
function answersTo(cpu: u32, id: u32): bool {
  if (isX2apicMode(cpu) || id > 0xff) return apicId(cpu) == id;
  return xapicId(cpu) == id;
}

/** User space with 32-bit ids (KVM_X2APIC_API_USE_32BIT_IDS). */
function hasWideIds(): bool {
  return model(F_BROADCAST_DEST) == <u32>BROADCAST_BY_MAP;
}

/**
 * The CPU at a physical id in the map, or NONE: of several in xAPIC mode the first, where the map may have several.
 * KVM kvm_recalculate_phys_map().
 */
function onMap(id: u32): i32 {
  const wide = hasWideIds();
  let first: i32 = NONE;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (!isHardwareEnabled(cpu)) continue;
    const x2apic = isX2apicMode(cpu);
    const hasId = x2apic || (wide && apicId(cpu) > 0xff);
    if (hasId && apicId(cpu) == id) return cpu;
    if (first == NONE && !x2apic && xapicId(cpu) == id) first = cpu;
  }
  return first;
}

/** Without 32-bit ids, two local APICs of one physical id leave no map at all. Only ids of 8 bits may be written. */
function hasNoMap(): bool {
  if (devices.odd == 0 || hasWideIds()) return false;
  for (let block: u32 = 0; block < 4; block++) {
    let seen: u64 = 0;
    for (let cpu: u32 = 0; cpu < cpus; cpu++) {
      const id = physicalId(cpu);
      if (!isHardwareEnabled(cpu) || id >> 6 != block) continue;
      const bit = (<u64>1) << (id & 63);
      if ((seen & bit) != 0) return true; // bug: kvms-map-has-aliases
      seen |= bit;
    }
  }
  return false;
}

function physicalId(cpu: u32): u32 {
  return isX2apicMode(cpu) ? apicId(cpu) : xapicId(cpu);
}

function highestId(): u32 {
  let highest: u32 = 255;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (isHardwareEnabled(cpu)) highest = max(highest, apicId(cpu));
  }
  return highest;
}

/** Destinations that the map leaves to the scan. */
function isBroadcast(source: i32, dest: u32): bool {
  if (model(F_BROADCAST_DEST) == <u32>BROADCAST_BY_MAP)
    return dest == BROADCAST || (dest == 0xff && mapMode() != MAP_X2APIC);
  const x2apic = source != NONE && isX2apicMode(source);
  return dest == (x2apic ? BROADCAST : 0xff);
}

export function kvmDistribute(source: i32, dest: u32, low: u32): i32 {
  const shorthand = low & ICR_SHORTHAND;
  if (shorthand == ICR_SELF) return acceptMessage(source, source, low) ? 1 : 0;
  if (shorthand != 0 || hasNoMap() || isBroadcast(source, dest)) return scan(source, dest, low);
  if ((low & ICR_LOGICAL) == 0) return toPhysical(source, dest, low);
  const mode = mapMode();
  return mode == MAP_NONE ? scan(source, dest, low) : toPlaces(source, dest, low, mode);
}

function toPhysical(source: i32, dest: u32, low: u32): i32 {
  const cpu = onMap(dest);
  if (cpu == NONE) {
    unclaimed(low);
    return 0;
  }
  return acceptMessage(cpu, source, low) ? 1 : 0;
}

function placesOf(dest: u32, mode: i32): u32 {
  if (mode == MAP_EMPTY) return 0;
  if (mode == MAP_FLAT) return dest & 0xff;
  if (mode == MAP_CLUSTER) return dest & 0xf;
  const base = (dest >> 16) << 4;
  const highest = highestId();
  if (base > highest) return 0;
  const span = min(highest - base + 1, 16);
  return dest & (((<u32>1) << span) - 1);
}

function toPlaces(source: i32, dest: u32, low: u32, mode: i32): i32 {
  let places = placesOf(dest, mode);
  if (isLowest(low) && places != 0) places = nthBit(places, (low & 0xff) % popcnt<u32>(places)); // bug: the-hash-takes-the-lowest-place
  let taken = 0;
  let addressed = false;
  for (; places != 0; places &= places - 1) {
    const cpu = atPlace(mode, dest, ctz<u32>(places));
    if (cpu == NONE) continue;
    addressed = true;
    if (acceptMessage(cpu, source, low)) taken++;
  }
  if (!addressed) unclaimed(low);
  return taken;
}

/** The `n`th set bit, from 0. */
function nthBit(bits: u32, n: u32): u32 {
  for (; n > 0; n--) bits &= bits - 1;
  return bits & (0 - bits);
}

/** A receiver that takes 0xff from outside as a broadcast, whatever its mode. */
function addressedAs(cpu: u32, source: i32, dest: u32): u32 {
  const quirk = source == NONE && model(F_MSI_BROADCAST) != 0 && isX2apicMode(cpu);
  return quirk && dest == 0xff ? BROADCAST : dest;
}

function matches(cpu: u32, source: i32, destination: u32, low: u32): bool {
  if (!isHardwareEnabled(cpu)) return false;
  const shorthand = low & ICR_SHORTHAND;
  if (shorthand != 0) return shorthand != ICR_ALL_EXC || <i32>cpu != source;
  const dest = addressedAs(cpu, source, destination);
  const x2apic = isX2apicMode(cpu);
  if (dest == (x2apic ? BROADCAST : 0xff)) return true;
  if ((low & ICR_LOGICAL) == 0) return answersTo(cpu, dest);
  const own = ldr(cpu);
  if (x2apic) return matchesCluster(dest, own);
  const kind = dfrModel(cpu);
  if (kind == FLAT) return (own & dest) != 0;
  return kind == CLUSTER && own >> 4 == dest >> 4 && (own & dest & 15) != 0;
}

function scan(source: i32, dest: u32, low: u32): i32 {
  // Linux arch/x86/kvm/lapic.c __kvm_irq_delivery_to_apic(): the shorthand is not asked.
  const physicalBroadcast = (low & ICR_LOGICAL) == 0 && dest == 0xff; // bug: kvm-broadcasts-lowest-priority
  if (physicalBroadcast && isLowest(low)) low &= ~DELIVERY_BITS;
  if (isLowest(low)) return scanLowest(source, dest, low);
  let taken = NONE;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (!matches(cpu, source, dest, low)) continue;
    taken = max(taken, 0);
    if (acceptMessage(cpu, source, low)) taken++;
  }
  return taken == NONE ? unclaimed(low) : taken;
}

/** Hashes among the enabled ones: set bit number (vector mod n) of a mask of CPUs. */
function scanLowest(source: i32, dest: u32, low: u32): i32 {
  let count: u32 = 0;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (matches(cpu, source, dest, low) && isSoftwareEnabled(cpu)) count++;
  }
  if (count == 0) return unclaimed(low);
  let n = (low & 0xff) % count;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    if (!matches(cpu, source, dest, low) || !isSoftwareEnabled(cpu)) continue;
    if (n-- == 0) return acceptMessage(cpu, source, low) ? 1 : 0;
  }
  return 0;
}
