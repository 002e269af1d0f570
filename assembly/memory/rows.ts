// Where the records are: addresses in linear memory, no behaviour.
import { clusters, cold, directory, handlers, ident, ioapics, rows } from './arena';
import * as L from './layout';
import {
  Arbiter,
  ClassWords,
  ClusterWord,
  Cold,
  config,
  DirectorySlot,
  Ident,
  IoApic,
  Pin,
  Row,
  VectorSet,
} from './records';

export function row(cpu: u32): Row {
  return changetype<Row>(rows + ((<usize>cpu) << L.ROW_SHIFT));
}

/** The CPU that a row belongs to. */
export function cpuOfRow(at: Row): u32 {
  return <u32>((changetype<usize>(at) - rows) >> L.ROW_SHIFT);
}

export function classWords(at: Row, top: u32): ClassWords {
  return changetype<ClassWords>(changetype<usize>(at) + ((<usize>top) << 1));
}

export function irrOf(cpu: u32): VectorSet {
  return changetype<VectorSet>(changetype<usize>(row(cpu)) + L.R_IRR);
}

export function isrOf(cpu: u32): VectorSet {
  return changetype<VectorSet>(changetype<usize>(row(cpu)) + L.R_ISR);
}

export function coldRow(cpu: u32): Cold {
  return changetype<Cold>(cold + ((<usize>cpu) << L.COLD_SHIFT));
}

export function tmrOf(cpu: u32): VectorSet {
  return changetype<VectorSet>(changetype<usize>(coldRow(cpu)) + L.C_TMR);
}

/** Extended LVT entry `index`, 0-3. */
export function extLvtSlot(cpu: u32, index: u32): usize {
  return changetype<usize>(coldRow(cpu)) + L.C_EXT_LVT + ((<usize>index) << 2);
}

/** What the CPU runs: handler `index` from the outermost. */
export function handlerSlot(cpu: u32, index: u32): usize {
  return handlers + ((<usize>cpu) << L.HANDLERS_SHIFT) + ((<usize>index) << 1);
}

/** AMD's interrupt enable registers. */
export function ierOf(cpu: u32): VectorSet {
  return changetype<VectorSet>(changetype<usize>(coldRow(cpu)) + L.C_IER);
}

/** Posted-interrupt requests. */
export function pirOf(cpu: u32): VectorSet {
  return changetype<VectorSet>(changetype<usize>(coldRow(cpu)) + L.C_PIR);
}

export function identOf(cpu: u32): Ident {
  return changetype<Ident>(ident + ((<usize>cpu) << L.IDENT_SHIFT));
}

export function apicId(cpu: u32): u32 {
  return identOf(cpu).apicId;
}

/** Logical id as the bus compares it: 8 bits in xAPIC mode, 32 in x2APIC mode. */
export function ldr(cpu: u32): u32 {
  return identOf(cpu).ldr;
}

export function directorySlot(index: u32): DirectorySlot {
  return changetype<DirectorySlot>(directory + ((<usize>index) << L.SLOT_SHIFT));
}

function clusterRow(cluster: u32): usize {
  return clusters + ((<usize>cluster) << L.CLUSTER_SHIFT);
}

/** Where the CPU + 1 at `place` (0-15) of a cluster is; 0 for nobody. */
export function clusterPlace(cluster: u32, place: u32): usize {
  return clusterRow(cluster) + ((<usize>place) << 2);
}

/** Word `n` (0-3) of the cluster's cpumask. */
export function clusterWord(cluster: u32, n: u32): ClusterWord {
  return changetype<ClusterWord>(clusterRow(cluster) + L.CLUSTER_WORDS + ((<usize>n) << 4));
}

export function ioapicCount(): u32 {
  return config.ioapicCount;
}

export function ioapicAt(n: u32): IoApic {
  return changetype<IoApic>(ioapics + ((<usize>n) << L.IOAPIC_SHIFT));
}

/** Pins | version << 16. */
function ioapicConfig(n: u32): u32 {
  return load<u32>(<usize>L.H_IOAPIC_CONFIG + ((<usize>n) << 2));
}

export function pins(n: u32): u32 {
  return ioapicConfig(n) & 0xffff;
}

export function ioapicVersion(n: u32): u32 {
  return ioapicConfig(n) >> 16;
}

export function pinAt(n: u32, pin: u32): Pin {
  return changetype<Pin>(changetype<usize>(ioapicAt(n)) + L.IO_PIN + ((<usize>pin) << L.PIN_SHIFT));
}

/** A CPU's place in the arbitration for the serial bus. */
export function arbiterOf(cpu: u32): Arbiter {
  return changetype<Arbiter>(changetype<usize>(coldRow(cpu)) + L.C_ARB);
}

export function ioapicArbiter(n: u32): Arbiter {
  return changetype<Arbiter>(changetype<usize>(ioapicAt(n)) + L.IO_ARB_ID);
}

/** Vector number `index` of the storm's list. */
export function vectorAt(index: u32): u32 {
  return load<u8>(<usize>L.S_VECTORS + index);
}

/** Whether a CPU is odd, or the model's destinations differ from the fast decode: both flags at once. */
export function decodesSlowly(): bool {
  return load<u64>(L.H_ODD) != 0;
}

/** Linux's apic_cluster(apicid) << 16 | 1 << (apicid & 15). */
export function x2apicLogicalId(apic: u32): u32 {
  return ((apic >> 4) << 16) | ((<u32>1) << (apic & 15));
}
