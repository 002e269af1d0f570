// x2APIC clusters: the up to 16 CPUs whose ids share id >> 4, found by id & 15.

import { cpus } from '../memory/arena';
import { NONE } from '../memory/codes';
import * as L from '../memory/layout';
import { apicId, clusterPlace, clusterWord, identOf } from '../memory/rows';
import { cpuOf } from './directory';

export function clusterOf(cpu: u32): u32 {
  return identOf(cpu).cluster;
}

/** CPU at `place` (0-15) of cluster row `cluster`, or NONE. */
export function memberOf(cluster: u32, place: u32): i32 {
  return <i32>load<u32>(clusterPlace(cluster, place)) - 1;
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
    identOf(cpu).cluster = cluster;
    const place = apicId(cpu) & 15;
    store<u32>(clusterPlace(cluster, place), cpu + 1);
    noteWord(cluster, cpu);
  }
}

/** Adds the CPU to its cluster's list of cpumask words; marks the list useless when it is full. */
function noteWord(cluster: u32, cpu: u32): void {
  if (isSpread(cluster)) return;
  for (let n: u32 = 0; n < <u32>L.CLUSTER_WORD_COUNT; n++) {
    const word = clusterWord(cluster, n);
    if (word.used != 0 && word.index != cpu >> 6) continue;
    word.used = 1;
    word.index = cpu >> 6;
    word.bits |= (<u64>1) << (cpu & 63);
    return;
  }
  clusterWord(cluster, 0).used = SPREAD;
}

/** In the first word's `used`: the members lie in more than four words. */
const SPREAD: u32 = 2;

export function isSpread(cluster: u32): bool {
  return clusterWord(cluster, 0).used == SPREAD;
}
