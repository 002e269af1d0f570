// APIC id -> CPU. Open addressing: the first probe is the id's low bits, so that dense ids are
// found at once; further probes step by an odd hash of the id, so that ids that share their
// low bits spread.

import { cpus, directoryMask } from '../memory/arena';
import { NONE } from '../memory/codes';
import { apicId, directorySlot } from '../memory/rows';

/** 2^32 over the golden ratio: spreads what is multiplied by it. */
const GOLDEN: u32 = 0x9e3779b1;

function step(id: u32): u32 {
  return ((id * GOLDEN) >> 7) | 1;
}

export function cpuOf(id: u32): i32 {
  const slot = directorySlot(id & directoryMask);
  const found = slot.cpuPlusOne;
  if (found != 0 && slot.apicId == id) return found - 1;
  return found == 0 ? NONE : probe(id);
}

function probe(id: u32): i32 {
  const stride = step(id);
  let index = id & directoryMask;
  while (true) {
    index = (index + stride) & directoryMask;
    const slot = directorySlot(index);
    const found = slot.cpuPlusOne;
    if (found == 0) return NONE;
    if (slot.apicId == id) return found - 1;
  }
}

/** Enters every CPU. NONE, or the CPU whose id is taken already. */
export function enterAll(): i32 {
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const id = apicId(cpu);
    if (cpuOf(id) != NONE) return cpu;
    let index = id & directoryMask;
    while (directorySlot(index).cpuPlusOne != 0) index = (index + step(id)) & directoryMask;
    directorySlot(index).apicId = id;
    directorySlot(index).cpuPlusOne = cpu + 1;
  }
  return NONE;
}
