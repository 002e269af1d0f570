// Logical flat xAPIC, at most 8 CPUs, logical id 1 << cpu.
// Linux 4.0 arch/x86/kernel/apic/apic_flat_64.c (flat) and probe_32.c, ipi.c (32-bit default)

import { cpus, maskOnline } from '../memory/arena';
import { ICR_ALL_EXC, ICR_ALL_INC, ICR_LOGICAL, NONE, VECTOR_NMI } from '../memory/codes';
import { irqSave, prepareIcr, xapicShorthand, xapicWrite } from './apic_write';
import { hotplug, noBroadcast32 } from './config';
import { nextCpu, payWalk, payWords } from './cpumask';
import { asksNoBroadcast32, shorthandHasDestMode } from './era';

/** Word 0 of the mask is the logical destination. */
function wordZero(mask: usize): u32 {
  payWords(1);
  return load<u32>(mask) & 0xff;
}

function writeBits(from: u32, bits: u32, vector: u32): void {
  irqSave();
  xapicWrite(from, bits, prepareIcr(0, vector, ICR_LOGICAL));
}

// flat_send_IPI_mask(), flat_send_IPI_mask_allbutself(): one logical write, even of no bits.
export function flatSendMask(from: u32, mask: usize, vector: u32, exceptSelf: bool): void {
  const bits = wordZero(mask);
  writeBits(from, exceptSelf ? bits & ~(1 << from) : bits, vector);
}

// flat_send_IPI_allbutself(): with CONFIG_HOTPLUG_CPU, or for NMI, a mask write instead of the shorthand.
export function flatAllButSelf(from: u32, vector: u32): void {
  if (cpus < 2) return;
  if (hotplug() || vector == <u32>VECTOR_NMI) flatSendMask(from, maskOnline, vector, true);
  else shorthand32(from, ICR_ALL_EXC, vector);
}

// flat_send_IPI_all(): a mask write for NMI, else the shorthand.
export function flatAll(from: u32, vector: u32): void {
  if (vector == <u32>VECTOR_NMI) flatSendMask(from, maskOnline, vector, false);
  else shorthand32(from, ICR_ALL_INC, vector);
}

/**
 * __default_send_IPI_shortcut() of drivers whose dest_logical is set: 4.0 ORs the destination
 * mode into the command, 6.12 passes 0 (the hardware ignores it either way).
 */
export function shorthand32(from: u32, shorthand: u32, vector: u32): void {
  xapicShorthand(from, prepareIcr(shorthand, vector, shorthandHasDestMode() ? ICR_LOGICAL : 0));
}

// default_send_IPI_mask_logical(): warns and returns on an empty mask.
export function default32SendMask(from: u32, mask: usize, vector: u32): void {
  const bits = wordZero(mask);
  if (bits != 0) writeBits(from, bits, vector);
}

// default_send_IPI_mask_allbutself_logical(): one write per CPU under one irq_save.
export function default32SendMaskAllButSelf(from: u32, mask: usize, vector: u32): void {
  irqSave();
  payWalk(1);
  for (let cpu = nextCpu(mask, 0); cpu != NONE; cpu = nextCpu(mask, cpu + 1)) {
    if (<u32>cpu == from) continue;
    xapicWrite(from, (<u32>1) << cpu, prepareIcr(0, vector, ICR_LOGICAL));
  }
}

// probe_32.c default_send_IPI_allbutself() (4.0): nothing alone; a mask under no_broadcast or for NMI.
// ipi.c default_send_IPI_allbutself() (6.12): the shorthand.
export function default32AllButSelf(from: u32, vector: u32): void {
  if (!asksNoBroadcast32()) return shorthand32(from, ICR_ALL_EXC, vector);
  if (cpus < 2) return;
  if (noBroadcast32() || vector == <u32>VECTOR_NMI) {
    default32SendMaskAllButSelf(from, maskOnline, vector);
  } else shorthand32(from, ICR_ALL_EXC, vector);
}

// probe_32.c default_send_IPI_all() (4.0), ipi.c default_send_IPI_all() (6.12).
export function default32All(from: u32, vector: u32): void {
  if (asksNoBroadcast32() && (noBroadcast32() || vector == <u32>VECTOR_NMI)) {
    default32SendMask(from, maskOnline, vector);
  } else shorthand32(from, ICR_ALL_INC, vector);
}
