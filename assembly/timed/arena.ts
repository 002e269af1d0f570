// Where the timed engine's regions are, and who is running: the node whose event is being handled.

import { layOutbox, outboxBytes } from '../bus/outbox';
import { cpus, maskWords } from '../memory/arena';
import { NO_MEMORY } from '../memory/codes';
import { config } from '../memory/records';
import { HIST_COUNT } from './codes';
import * as T from './layout';

export const NEVER: u64 = u64.MAX_VALUE;

export let timed: usize = 0;
export let tables: usize = 0;
export let hists: usize = 0;
export let nodes: usize = 0;
export let nodeCount: u32 = 0;
export let slots: usize = 0;
export let heap: usize = 0;
export let masks: usize = 0;
export let tlog: usize = 0;
export let matrix: usize = 0;

/** The running node, its row, and its time. */
export let self: u32 = 0;
export let at: usize = 0;
export let now: u64 = 0;

export function enterNode(node: u32): void {
  self = node;
  at = nodeRow(node);
}

export function setNow(time: u64): void {
  now = time;
}

export function nodeRow(node: u32): usize {
  return nodes + ((<usize>node) << T.NODE_SHIFT);
}

/** The serial bus is the node after the CPUs; the locks follow it. */
export function busNode(): u32 {
  return cpus;
}

export function lockNode(lock: u32): u32 {
  return cpus + 1 + lock;
}

/** Per CPU: 0 the call's targets, 1 those whose queue was empty, 2 those that hold a csd of this CPU, 3 the
 * same for smp_call_function_single_async(). */
export function cpuMask(cpu: u32, which: u32): usize {
  return masks + (((<usize>cpu * 4 + which) * maskWords) << 3);
}

export function slotOf(cpu: u32, vector: u32): usize {
  return slots + ((<usize>((cpu << 8) | vector)) << 5);
}

function align(at: usize): usize {
  return (at + 63) & ~63;
}

/** Lays out the regions behind the machine's own. The block before `timed` is zero memory. */
export function planTimed(logCapacity: u32, traceBytes: u32): i32 {
  nodeCount = cpus + 1 + T.LOCKS;
  timed = align(config.end);
  tables = timed + T.TIMED_BYTES;
  hists = tables + T.TABLE_MAX * T.TABLE_BYTES;
  nodes = align(hists + HIST_COUNT * T.HIST_BYTES);
  slots = nodes + ((<usize>nodeCount) << T.NODE_SHIFT);
  heap = slots + ((<usize>cpus) << 13);
  masks = align(heap + ((<usize>nodeCount) << 2));
  matrix = align(masks + ((<usize>cpus * 4 * maskWords) << 3));
  tlog = matrix + (8 << (2 * T.MATRIX_SHIFT));
  const outbox = align(tlog + <usize>logCapacity * T.TLOG_BYTES);
  const trace = align(outbox + outboxBytes(cpus + T.OUTBOX_SPARE));
  const end = align(trace + traceBytes);
  const missing = <i32>((end + 65535) >> 16) - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) return NO_MEMORY;
  memory.fill(timed, 0, end - timed);
  layOutbox(outbox, cpus + T.OUTBOX_SPARE);
  store<u32>(timed, nodeCount, T.TM_NODES);
  store<u32>(timed, logCapacity, T.TM_LOG_CAPACITY);
  store<u32>(timed, <u32>tables, T.TM_TABLES);
  store<u32>(timed, <u32>hists, T.TM_HISTS);
  store<u32>(timed, <u32>nodes, T.TM_ROWS);
  store<u32>(timed, <u32>slots, T.TM_SLOTS);
  store<u32>(timed, <u32>masks, T.TM_MASKS);
  store<u32>(timed, <u32>tlog, T.TM_LOG);
  store<u32>(timed, <u32>matrix, T.TM_MATRIX);
  store<u32>(timed, <u32>trace, T.TM_TRACE);
  let shift: u32 = 0;
  while ((cpus - 1) >> shift >= <u32>(1 << T.MATRIX_SHIFT)) shift++;
  store<u32>(timed, shift, T.TM_MATRIX_SHIFT);
  return 0;
}

export function counted(counter: u32): void {
  countBy(counter, 1);
}

export function countBy(counter: u32, by: u64): void {
  const slot = timed + ((<usize>counter) << 3);
  store<u64>(slot, load<u64>(slot, T.TM_COUNTS) + by, T.TM_COUNTS);
}
