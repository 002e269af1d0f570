// x2APIC clusters: the up to 16 CPUs whose ids share id >> 4, found by id & 15.
import { apicId, clusters, cpus, ident } from '../arena';
import { NONE } from '../codes';
import * as L from '../layout';
import { cpuOf } from './directory';

export function clusterOf(cpu: u32): u32 {
  return load<u32>(ident + ((<usize>cpu) << L.IDENT_SHIFT), L.I_CLUSTER);
}

/** CPU at `place` (0-15) of cluster row `cluster`, or NONE. */
export function memberOf(cluster: u32, place: u32): i32 {
  const at = clusters + ((<usize>cluster) << L.CLUSTER_SHIFT) + ((<usize>place) << 2);
  return <i32>load<u32>(at) - 1;
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
    store<u32>(clusters + ((<usize>cluster) << L.CLUSTER_SHIFT) + ((<usize>place) << 2), cpu + 1);
  }
}
