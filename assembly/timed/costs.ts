// What things take: constants, or draws from a table of quantiles that the host wrote. Every node
// draws from its own run of numbers, so that no order between nodes matters.
import { mix } from '../record/hash';
import { at, nodeRow, self, tables, timed } from './arena';
import { COST_LINE_SMT, COST_WIRE_SELF } from './codes';
import * as T from './layout';

const GOLDEN: u64 = 0x9e3779b97f4a7c15;

/** The next 64 random bits of the running node. */
export function draw(): u64 {
  const index = load<u64>(at, T.N_DRAWS) + 1;
  store<u64>(at, index, T.N_DRAWS);
  return mix(mix(load<u64>(timed, T.TM_SEED) + <u64>(self + 1) * GOLDEN) + index * GOLDEN);
}

export function drawBelow(range: u32): u32 {
  return <u32>(((draw() >> 32) * range) >> 32);
}

/** A draw of cost `id`, in ps. */
export function cost(id: u32): u64 {
  const slot = timed + ((<usize>id) << T.COST_SHIFT);
  const table = load<u32>(slot, T.TM_COSTS);
  return table == 0 ? load<u64>(slot, T.TM_COSTS + 8) : quantile(table - 1, draw());
}

/** Between two neighbouring quantiles, linearly. */
export function quantile(table: u32, bits: u64): u64 {
  const slot = tables + <usize>table * T.TABLE_BYTES + ((<usize>(bits >> 56)) << 3);
  const low = load<u64>(slot);
  const span = load<u64>(slot, 8) - low;
  return low + ((span * ((bits >> 32) & 0xffffff)) >> 24);
}

/** 0 itself, 1 SMT sibling, 2 same CCD, 3 same socket, 4 elsewhere. */
function distance(other: u32): u32 {
  if (other == self) return 0;
  const there = nodeRow(other);
  if (load<u32>(at, T.N_SOCKET) != load<u32>(there, T.N_SOCKET)) return 4;
  if (load<u32>(at, T.N_CCD) != load<u32>(there, T.N_CCD)) return 3;
  return load<u32>(at, T.N_CORE) != load<u32>(there, T.N_CORE) ? 2 : 1;
}

/** An interrupt message's way to another local APIC. */
export function wire(to: u32): u64 {
  return cost(COST_WIRE_SELF + distance(to));
}

/** A cache line's way between two CPUs; none to itself. */
export function line(to: u32): u64 {
  const far = distance(to);
  return far == 0 ? 0 : cost(COST_LINE_SMT + far - 1);
}
