// x2APIC clusters: the up to 16 CPUs whose ids share id >> 4, found by id & 15.

import { apicId, cpus, ident } from '../memory/arena';
import { NONE } from '../memory/codes';
import * as L from '../memory/layout';
import { clusterRow } from '../memory/rows';
import { cpuOf } from './directory';

export function clusterOf(cpu: u32): u32 {
  return load<u32>(ident + ((<usize>cpu) << L.IDENT_SHIFT), L.I_CLUSTER);
}

/** CPU at `place` (0-15) of cluster row `cluster`, or NONE. */
export function memberOf(cluster: u32, place: u32): i32 {
  return <i32>load<u32>(clusterRow(cluster) + ((<usize>place) << 2)) - 1;
}

function sibling(cpu: u32): i32 {
  const base = apicId(cpu) & ~15;
  for (let place: u32 = 0; place < 16; place++) {
    const other = cpuOf(base | place);
    if (other != NONE && <u32>other < cpu) return other;
  }
  return NONE;
}

/** Gives each CPU its cluster row; needs the directory. */
export function buildClusters(): void {
  let used: u32 = 0;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const other = sibling(cpu);
    const cluster = other == NONE ? used++ : clusterOf(other);
    store<u32>(ident + ((<usize>cpu) << L.IDENT_SHIFT), cluster, L.I_CLUSTER);
    const place = apicId(cpu) & 15;
    store<u32>(clusterRow(cluster) + ((<usize>place) << 2), cpu + 1);
    noteWord(clusterRow(cluster), cpu);
  }
}

/** Adds the CPU to its cluster's list of cpumask words; marks the list useless when it is full. */
function noteWord(at: usize, cpu: u32): void {
  if (isSpread(at)) return;
  for (let slot = at + L.CLUSTER_WORDS; slot < at + L.CLUSTER_WORDS_END; slot += 16) {
    const used = load<u32>(slot, L.W_USED);
    if (used != 0 && load<u32>(slot, L.W_INDEX) != cpu >> 6) continue;
    store<u32>(slot, 1, L.W_USED);
    store<u32>(slot, cpu >> 6, L.W_INDEX);
    store<u64>(slot, load<u64>(slot, L.W_BITS) | ((<u64>1) << (cpu & 63)), L.W_BITS);
    return;
  }
  store<u32>(at + L.CLUSTER_WORDS, SPREAD, L.W_USED);
}

/** In W_USED of the first word: the members lie in more than four words. */
const SPREAD: u32 = 2;

export function isSpread(at: usize): bool {
  return load<u32>(at + L.CLUSTER_WORDS, L.W_USED) == SPREAD;
}
