// What a CPU may take next: one table of what stops what.
import { extintAsserted } from '../board/news';
import { Lapic } from '../lapic/lapic';
import { latch } from '../lapic/outputs';
import * as L from '../memory/layout';
import { kickCpu } from '../record/wake';

// The kinds, in the order in which a CPU takes them.
export const INIT: u32 = 1;
export const SIPI: u32 = 2;
export const SMI: u32 = 4;
export const NMI: u32 = 8;
export const EXTINT: u32 = 16;
export const VECTOR: u32 = 32;
const ALL: u32 = 63;
const MASKABLE: u32 = EXTINT | VECTOR;

/** Waiting for a SIPI. SDM 3A "MP Initialization Protocol Algorithm". */
const BLOCKED_WAITING: u32 = SMI | NMI | MASKABLE;
/** Not waiting for one: a SIPI is dropped as the CPU looks. */
const BLOCKED_STARTED: u32 = SIPI;
/** SMI handler. SDM 3C "System Management Mode"; INIT: Linux arch/x86/kvm/lapic.c kvm_apic_init_sipi_allowed(). */
const BLOCKED_IN_SMM: u32 = INIT | SIPI | SMI;
/** From an NMI's entry to the next IRET. SDM 3A "Handling Multiple NMIs"; SDM 3C "NMI Handling While in SMM". */
const BLOCKED_BY_NMI: u32 = NMI;
/** The instruction after STI or MOV SS. SDM 3A "Masking Exceptions and Interrupts When Switching Stacks". */
const BLOCKED_IN_SHADOW: u32 = SMI | NMI | MASKABLE;
/** IF = 0. SDM 3A "Masking Maskable Hardware Interrupts". */
const BLOCKED_BY_IF: u32 = MASKABLE;

/** Kinds that the CPU's state lets through. */
function allowed(latches: u32): u32 {
  let blocked: u32 = (latches & L.LATCH_WAITING) != 0 ? BLOCKED_WAITING : BLOCKED_STARTED;
  if ((latches & L.LATCH_SMM) != 0) blocked |= BLOCKED_IN_SMM; // bug: init-is-taken-in-smm
  if ((latches & L.LATCH_NMI_BLOCKED) != 0) blocked |= BLOCKED_BY_NMI; // bug: nmi-nests
  if ((latches & L.LATCH_SHADOW) != 0) blocked |= BLOCKED_IN_SHADOW;
  if ((latches & L.LATCH_IF) == 0) blocked |= BLOCKED_BY_IF;
  return ALL & ~blocked;
}

/** Kinds that wait, of those in `kinds`. */
function waiting(cpu: u32, kinds: u32): u32 {
  const latches = latch(cpu);
  let found: u32 = 0;
  if ((latches & L.LATCH_INIT) != 0) found |= INIT;
  if ((latches & L.LATCH_SIPI) != 0) found |= SIPI;
  if ((latches & L.LATCH_SMI) != 0) found |= SMI;
  if ((latches & L.LATCH_NMI) != 0) found |= NMI;
  found &= kinds;
  if ((kinds & EXTINT) != 0 && extintAsserted(cpu)) found |= EXTINT;
  if ((kinds & VECTOR) != 0 && Lapic.eligible(cpu)) found |= VECTOR;
  return found;
}

/** The kind that the CPU takes next, 0 for none. */
export function nextKind(cpu: u32): u32 {
  const found = waiting(cpu, allowed(latch(cpu)));
  return found & (0 - found);
}

/** Lists the CPU when it has something that it can take: call after what blocked it may have gone. */
export function newsIfTakeable(cpu: u32): void {
  if (nextKind(cpu) != 0) kickCpu(cpu);
}

/** Lists the CPU when anything waits for it, blocked or not: call after handlers took its vectors and its place. */
export function newsIfWaiting(cpu: u32): void {
  if (waiting(cpu, ALL) != 0) kickCpu(cpu);
}

/** Lists the CPU when its local APIC asserts INTR, whatever the CPU does: call after what held it may have gone. */
export function newsIfAsserted(cpu: u32): void {
  if (Lapic.eligible(cpu)) kickCpu(cpu);
}
