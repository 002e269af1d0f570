// KVM paravirtual IPIs. Linux 6.12 arch/x86/kernel/kvm.c __send_ipi_mask(): a hypercall carries
// up to 128 APIC ids as a bitmap above the lowest one.

import { deliver } from '../bus/deliver';
import { cpuOf } from '../bus/directory';
import { maskCopy } from '../memory/arena';
import { LOG_KVM_HYPERCALL, NONE } from '../memory/codes';
import { ledger } from '../memory/records';
import { apicId } from '../memory/rows';
import { irqSave, prepareIcr, record } from './apic_write';
import { clearCpu, copyMask, isEmpty, nextCpu, payWalk } from './cpumask';

const WINDOW: u32 = 128; // KVM_IPI_CLUSTER_SIZE, 64-bit guests // bug: the-kvm-window-is-64

let bitmapLow: u64 = 0;
let bitmapHigh: u64 = 0;
let lowest: u32 = 0;
let highest: u32 = 0;

// kvm_send_ipi_mask_allbutself(): works on a copy without self.
export function kvmSendMaskAllButSelf(from: u32, mask: usize, vector: u32): void {
  copyMask(maskCopy, mask);
  clearCpu(maskCopy, from);
  kvmSendMask(maskCopy, vector);
}

// __send_ipi_mask(): ids in CPU order; the window may still grow downwards while all fit; an id
// outside it starts the next hypercall.
export function kvmSendMask(mask: usize, vector: u32): void {
  if (isEmpty(mask)) return;
  irqSave();
  payWalk(1);
  const icr = prepareIcr(0, vector, 0);
  bitmapLow = 0;
  bitmapHigh = 0;
  for (let cpu = nextCpu(mask, 0); cpu != NONE; cpu = nextCpu(mask, cpu + 1)) {
    place(apicId(cpu), icr);
  }
  hypercall(icr);
}

function place(id: u32, icr: u32): void {
  if ((bitmapLow | bitmapHigh) == 0) {
    lowest = id;
    highest = id;
  } else if (id < lowest && highest - id < WINDOW) {
    shiftUp(lowest - id);
    lowest = id;
  } else if (id > lowest && id - lowest < WINDOW) {
    highest = id > highest ? id : highest;
  } else {
    hypercall(icr);
    lowest = id;
    highest = id;
    bitmapLow = 0;
    bitmapHigh = 0;
  }
  const bit = id - lowest;
  if (bit < 64) bitmapLow |= (<u64>1) << bit;
  else bitmapHigh |= (<u64>1) << (bit - 64);
}

/** 128-bit shift left by 1-127. */
function shiftUp(by: u32): void {
  if (by >= 64) {
    bitmapHigh = bitmapLow << (by - 64);
    bitmapLow = 0;
  } else {
    bitmapHigh = (bitmapHigh << by) | (bitmapLow >> (64 - by));
    bitmapLow <<= by;
  }
}

// Host side, Linux 6.12 arch/x86/kvm/lapic.c kvm_pv_send_ipi(): a fixed physical IPI per set bit;
// ids nobody has are skipped.
function hypercall(icr: u32): void {
  ledger.hypercalls++;
  record(LOG_KVM_HYPERCALL, lowest, icr, <u32>(popcnt<u64>(bitmapLow) + popcnt<u64>(bitmapHigh)));
  deliverBits(bitmapLow, lowest, icr);
  deliverBits(bitmapHigh, lowest + 64, icr);
}

function deliverBits(bits: u64, base: u32, icr: u32): void {
  for (; bits != 0; bits &= bits - 1) {
    const cpu = cpuOf(base + <u32>ctz<u64>(bits));
    if (cpu == NONE) ledger.unclaimed++;
    else deliver(cpu, icr);
  }
}
