// What hypervisors add for speed: posted interrupts and the EOI without a register write.
// SDM 3C "Posted-Interrupt Processing"; Linux 6.18 arch/x86/kvm/lapic.c pv_eoi_*().

import { EVENT_COALESCE } from '../memory/codes';
import * as L from '../memory/layout';
import { coldRow, isrOf, pirOf, row } from '../memory/rows';
import { note } from '../record/hash';
import { Lapic } from './lapic';
import { clearLatch, latch, setLatch } from './outputs';
import { tmrIsLevel } from './state';

/** Sets a posted-interrupt request. Whether a notification is due: none was outstanding. */
export function post(cpu: u32, vector: u32): bool {
  const cold = coldRow(cpu);
  const pir = pirOf(cpu);
  if (pir.has(vector)) merge(cpu, vector);
  pir.setWord(vector >> 4, pir.word(vector >> 4) | ((<u32>1) << (vector & 15)));
  const outstanding = cold.posted != 0;
  cold.posted = 1;
  return !outstanding;
}

/** A second request for a vector that is posted already is merged with it, as in the IRR. */
function merge(cpu: u32, vector: u32): void {
  const at = row(cpu);
  at.attempted++;
  at.coalesced++;
  note(at, EVENT_COALESCE, vector);
}

/** The notification: every posted request becomes an IRR bit, or is rejected. How many there were. */
export function syncPosted(cpu: u32): u32 {
  const cold = coldRow(cpu);
  cold.posted = 0;
  let count: u32 = 0;
  for (let top: u32 = 0; top < 16; top++) {
    let bits = pirOf(cpu).word(top);
    pirOf(cpu).setWord(top, 0);
    for (; bits != 0; bits &= bits - 1) {
      Lapic.accept(cpu, (top << 4) | ctz<u32>(bits), false);
      count++;
    }
  }
  return count;
}

/** Highest vector in service, which the caller knows to exist. */
function highestInService(cpu: u32): u32 {
  const serving = <u32>(row(cpu).classes >> L.CLASSES_ISR_SHIFT) & 0xffff;
  const top = 31 - clz<u32>(serving);
  return (top << 4) | (31 - clz<u32>(isrOf(cpu).word(top)));
}

/**
 * Offers the guest to end its handler without an EOI write: only when nothing else is pending, and
 * what is in service is edge-triggered.
 */
export function offerLazyEoi(cpu: u32): bool {
  const classes = row(cpu).classes;
  const serving = (<u32>(classes >> L.CLASSES_ISR_SHIFT) & 0xffff) != 0;
  if ((<u32>classes & 0xffff) != 0 || !serving) return false;
  if (tmrIsLevel(cpu, highestInService(cpu))) return false;
  setLatch(cpu, L.LATCH_LAZY_EOI);
  return true;
}

/** Takes an offer back, before something else is injected. */
export function withdrawLazyEoi(cpu: u32): void {
  clearLatch(cpu, L.LATCH_LAZY_EOI);
}

/** The guest uses the offer. False: there is none, it has to write EOI. */
export function useLazyEoi(cpu: u32): bool {
  if ((latch(cpu) & L.LATCH_LAZY_EOI) == 0) return false;
  clearLatch(cpu, L.LATCH_LAZY_EOI);
  return true;
}
