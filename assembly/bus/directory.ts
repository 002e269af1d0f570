// APIC id -> CPU. Open addressing: the first probe is the id's low bits, so that dense ids are
// found at once; further probes step by an odd hash of the id, so that ids that share their
// low bits spread.
import { apicId, cpus, directory, directoryMask } from '../memory/arena';
import { NONE } from '../memory/codes';
import * as L from '../memory/layout';

function step(id: u32): u32 {
  return ((id * 0x9e3779b1) >> 7) | 1;
}

function slotOf(index: u32): usize {
  return directory + ((<usize>index) << L.SLOT_SHIFT);
}

export function cpuOf(id: u32): i32 {
  const slot = slotOf(id & directoryMask);
  const found = load<u32>(slot, 4);
  if (found != 0 && load<u32>(slot) == id) return found - 1;
  return found == 0 ? NONE : probe(id);
}

function probe(id: u32): i32 {
  const stride = step(id);
  let index = id & directoryMask;
  while (true) {
    index = (index + stride) & directoryMask;
    const slot = slotOf(index);
    const found = load<u32>(slot, 4);
    if (found == 0) return NONE;
    if (load<u32>(slot) == id) return found - 1;
  }
}

/** Enters every CPU. NONE, or the CPU whose id is taken already. */
export function enterAll(): i32 {
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const id = apicId(cpu);
    if (cpuOf(id) != NONE) return cpu;
    let index = id & directoryMask;
    while (load<u32>(slotOf(index), 4) != 0) index = (index + step(id)) & directoryMask;
    store<u32>(slotOf(index), id);
    store<u32>(slotOf(index), cpu + 1, 4);
  }
  return NONE;
}
