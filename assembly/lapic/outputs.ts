// What a local APIC hands to its CPU beside vectors: NMI, SMI, INIT, SIPI, ExtINT, each a latch.

import {
  EFFECT_EXTINT,
  EFFECT_INIT,
  EFFECT_NMI,
  EFFECT_SIPI,
  EFFECT_SMI,
  EVENT_NMI,
  F_NMI_LIMIT,
  F_SIPI,
  SIPI_CLEARED_BY_INIT,
  SIPI_IF_WAITING,
} from '../memory/codes';
import * as L from '../memory/layout';
import { model } from '../memory/model';
import { coldRow, row } from '../memory/rows';
import { effect } from '../record/effects';
import { note } from '../record/hash';
import { kickCpu } from '../record/wake';

export function latch(cpu: u32): u32 {
  return coldRow(cpu).latch;
}

export function setLatch(cpu: u32, bits: u32): void {
  coldRow(cpu).latch = latch(cpu) | bits;
}

export function clearLatch(cpu: u32, bits: u32): void {
  coldRow(cpu).latch = latch(cpu) & ~bits;
}

function raise(cpu: u32, kind: u32, bit: u32, vector: u32): void {
  setLatch(cpu, bit);
  effect(kind, cpu, vector, 0);
  kickCpu(cpu);
}

// SDM 3A "Task and Processor Priorities": NMI, SMI, INIT, SIPI and ExtINT bypass IRR, ISR and PPR.
// "Handling Multiple NMIs": one waits; Linux arch/x86/kvm/x86.c process_nmi(): two, while none is blocked.
export function latchNmi(cpu: u32): void {
  if ((latch(cpu) & L.LATCH_NMI_BLOCKED) != 0) clearLatch(cpu, L.LATCH_NMI_SECOND);
  else if ((latch(cpu) & L.LATCH_NMI) != 0 && model(F_NMI_LIMIT) > 1)
    setLatch(cpu, L.LATCH_NMI_SECOND); // bug: kvm-merges-two-early-nmis
  coldRow(cpu).nmis++;
  note(row(cpu), EVENT_NMI, 2);
  raise(cpu, EFFECT_NMI, L.LATCH_NMI, 0);
}

export function latchSmi(cpu: u32): void {
  raise(cpu, EFFECT_SMI, L.LATCH_SMI, 0);
}

export function latchExtint(cpu: u32): void {
  raise(cpu, EFFECT_EXTINT, L.LATCH_EXTINT, 0);
}

// KVM __apic_accept_irq(): an INIT overwrites a pending SIPI.
export function latchInit(cpu: u32): void {
  if (model(F_SIPI) == <u32>SIPI_CLEARED_BY_INIT) clearLatch(cpu, L.LATCH_SIPI); // bug: a-merged-sipi-survives-init-in-kvm
  raise(cpu, EFFECT_INIT, L.LATCH_INIT, 0);
}

// SDM 3A "MP Initialization Protocol Algorithm": a SIPI is acted on only while waiting for one.
export function latchSipi(cpu: u32, vector: u32): void {
  const inSmm = (latch(cpu) & L.LATCH_SMM) != 0;
  const listens = (latch(cpu) & (L.LATCH_WAITING | (inSmm ? 0 : L.LATCH_INIT))) != 0;
  if (!listens && model(F_SIPI) == <u32>SIPI_IF_WAITING) return;
  coldRow(cpu).sipi = vector;
  raise(cpu, EFFECT_SIPI, L.LATCH_SIPI, vector);
}
