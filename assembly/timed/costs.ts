// What things take: constants, or draws from a table of quantiles that the host wrote. Every node
// draws from its own run of numbers, so that no order between nodes matters.

import { mix } from '../record/hash';
import { inTimed, me, nodeRow, self, tables, timed } from './arena';
import { COST_LINE_SMT, COST_WIRE_SELF } from './codes';
import * as T from './layout';
import { Cost } from './records';

const GOLDEN: u64 = 0x9e3779b97f4a7c15;

/** The next 64 random bits of the running node. */
export function draw(): u64 {
  const index = me.draws + 1;
  me.draws = index;
  return mix(mix(timed.seed + <u64>(self + 1) * GOLDEN) + index * GOLDEN);
}

export function drawBelow(range: u32): u32 {
  return <u32>(((draw() >> 32) * range) >> 32);
}

/** A draw of cost `id`, in ps. */
export function cost(id: u32): u64 {
  const entry = changetype<Cost>(inTimed(T.TM_COSTS, (<usize>id) << T.COST_SHIFT));
  return entry.table == 0 ? entry.ps : quantile(entry.table - 1, draw());
}

/** Between two neighbouring quantiles, linearly. */
export function quantile(table: u32, bits: u64): u64 {
  const slot = tables + <usize>table * T.TABLE_BYTES + ((<usize>(bits >> 56)) << 3);
  const low = load<u64>(slot);
  const span = load<u64>(slot, sizeof<u64>()) - low;
  return low + ((span * ((bits >> 32) & 0xffffff)) >> 24);
}

/** 0 itself, 1 SMT sibling, 2 same CCD, 3 same socket, 4 elsewhere. */
function distance(other: u32): u32 {
  if (other == self) return 0;
  const there = nodeRow(other);
  if (me.socket != there.socket) return 4;
  if (me.ccd != there.ccd) return 3;
  return me.core != there.core ? 2 : 1;
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
