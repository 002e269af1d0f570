// Where the parts of chips are: addresses in linear memory, no behaviour.
import { clusters, coldRow, ioapics } from './arena';
import * as L from './layout';

export function clusterRow(cluster: u32): usize {
  return clusters + ((<usize>cluster) << L.CLUSTER_SHIFT);
}

export function arbitrationOf(cpu: u32): usize {
  return coldRow(cpu) + L.C_ARB;
}

export function ioapicCount(): u32 {
  return load<u32>(L.H_IOAPIC_COUNT);
}

export function ioapicAt(n: u32): usize {
  return ioapics + ((<usize>n) << L.IOAPIC_SHIFT);
}

export function pins(n: u32): u32 {
  return load<u32>(<usize>L.H_IOAPIC_CONFIG + ((<usize>n) << 2)) & 0xffff;
}

export function pinAt(n: u32, pin: u32): usize {
  return ioapicAt(n) + L.IO_PIN + ((<usize>pin) << L.PIN_SHIFT);
}

/** Linux's apic_cluster(apicid) << 16 | 1 << (apicid & 15). */
export function x2apicLogicalId(apic: u32): u32 {
  return ((apic >> 4) << 16) | ((<u32>1) << (apic & 15));
}
