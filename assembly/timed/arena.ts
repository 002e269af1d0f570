// Where the timed engine's regions are, and who is running: the node whose event is being handled.
import { layOutbox, outboxBytes } from '../bus/outbox';
import { cpus, maskWords } from '../memory/arena';
import { NO_MEMORY } from '../memory/codes';
import * as L from '../memory/layout';
import { config } from '../memory/records';
import { CAT_IRQS_OFF, COST_FUNC, CT_COUNT, FUNC_COUNT, HIST_COUNT } from './codes';
import * as T from './layout';
import { Regions, Slot, Timed } from './records';
import { Node } from './records-node';

// The parts of the block and of its tables fit.
if (T.TM_SLOWEST + T.SLOWEST_COUNT * T.SLOWEST_BYTES > T.TM_TABLES) ERROR('SLOWEST_COUNT');
if (CT_COUNT > T.TM_COUNT_MAX) ERROR('TM_COUNT_MAX');
if (T.TM_COUNTS + (T.TM_COUNT_MAX << 3) > T.TM_COSTS) ERROR('TM_COUNT_MAX');
if (COST_FUNC + FUNC_COUNT > T.COST_MAX) ERROR('COST_MAX');
if (T.TM_COSTS + (T.COST_MAX << T.COST_SHIFT) > T.TM_FAULTS) ERROR('COST_MAX');
if (T.TM_FAULTS + (T.FAULT_MAX << T.FAULT_SHIFT) > T.TM_SEEN) ERROR('FAULT_MAX');
if (T.TM_SEEN + L.LEDGER_BYTES > T.TM_WORK) ERROR('LEDGER_BYTES');
if (T.TM_WORK + (T.WORK_MAX << T.WORK_SHIFT) > T.TIMED_BYTES) ERROR('WORK_MAX');
if ((T.TABLE_STEPS + 1) << 3 > T.TABLE_BYTES) ERROR('TABLE_BYTES');
if (T.HIST_HEADER + (T.HIST_COUNTS << 3) != T.HIST_BYTES) ERROR('HIST_BYTES');
if (T.N_SEEN + (T.FAULT_MAX << 2) > T.N_PENDING_STORES) ERROR('N_SEEN');
if (T.N_TIME + ((CAT_IRQS_OFF + 1) << 3) > T.N_NOISE) ERROR('N_TIME');
if (1 << T.NODE_SHIFT != T.NODE_BYTES) ERROR('NODE_SHIFT');
if (1 << T.FRAME_SHIFT != T.FRAME_BYTES) ERROR('FRAME_SHIFT');

export const NEVER: u64 = u64.MAX_VALUE;

/** The block of scalars; address 0 until timedCreate(). */
export let timed = changetype<Timed>(0);
export let regions = changetype<Regions>(0);
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
export let me = changetype<Node>(0);
export let now: u64 = 0;

export function enterNode(node: u32): void {
  self = node;
  me = nodeRow(node);
}

export function setNow(time: u64): void {
  now = time;
}

export function nodeRow(node: u32): Node {
  return changetype<Node>(nodes + ((<usize>node) << T.NODE_SHIFT));
}

/** The serial bus is the node after the CPUs; the locks follow it. */
export function busNode(): u32 {
  return cpus;
}

export function lockNode(lock: u32): u32 {
  return cpus + 1 + lock;
}

/** A CPU's own cpumasks. */
export const enum Mask {
  /** Of a call. */
  Targets,
  /** Whom the IPIs go to: of a call, those whose queue was empty. */
  Receivers,
  /** Who holds a csd of this CPU's smp_call_function_many(). */
  Locked,
  /** Who holds one of its smp_call_function_single_async(). */
  AsyncLocked,
  Count,
}

export function cpuMask(cpu: u32, which: u32): usize {
  return masks + (((<usize>cpu * Mask.Count + which) * maskWords) << 3);
}

export function slotOf(cpu: u32, vector: u32): Slot {
  return changetype<Slot>(slots + <usize>((cpu << 8) | vector) * T.SLOT_BYTES);
}

function align(at: usize): usize {
  return (at + 63) & ~63;
}

/** An address inside a part of the block. */
export function inTimed(part: usize, offset: usize): usize {
  return changetype<usize>(timed) + (part + offset);
}

/** Lays out the regions behind the machine's own. The block before `timed` is zero memory. */
export function planTimed(logCapacity: u32, traceBytes: u32): i32 {
  nodeCount = cpus + 1 + T.LOCKS;
  const start = align(config.end);
  tables = start + T.TIMED_BYTES;
  hists = tables + T.TABLE_MAX * T.TABLE_BYTES;
  nodes = align(hists + HIST_COUNT * T.HIST_BYTES);
  slots = nodes + ((<usize>nodeCount) << T.NODE_SHIFT);
  heap = slots + <usize>cpus * (T.SLOT_BYTES << 8);
  masks = align(heap + ((<usize>nodeCount) << 2));
  matrix = align(masks + ((<usize>cpus * Mask.Count * maskWords) << 3));
  tlog = matrix + (8 << (2 * T.MATRIX_SHIFT));
  const outbox = align(tlog + <usize>logCapacity * T.TLOG_BYTES);
  const trace = align(outbox + outboxBytes(cpus + T.OUTBOX_SPARE));
  const end = align(trace + traceBytes);
  const missing = <i32>((end + 65535) >> 16) - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) return NO_MEMORY;
  memory.fill(start, 0, end - start);
  layOutbox(outbox, cpus + T.OUTBOX_SPARE);
  timed = changetype<Timed>(start);
  timed.nodeCount = nodeCount;
  timed.logCapacity = logCapacity;
  publishRegions(trace);
  return 0;
}

/** Writes down for the host where the regions are. */
function publishRegions(trace: usize): void {
  regions = changetype<Regions>(inTimed(T.TM_TABLES, 0));
  regions.tables = tables;
  regions.hists = hists;
  regions.nodes = nodes;
  regions.slots = slots;
  regions.masks = masks;
  regions.log = tlog;
  regions.matrix = matrix;
  regions.trace = trace;
  let shift: u32 = 0;
  while ((cpus - 1) >> shift >= <u32>(1 << T.MATRIX_SHIFT)) shift++;
  regions.matrixShift = shift;
}

export function counted(counter: u32): void {
  countBy(counter, 1);
}

export function countBy(counter: u32, by: u64): void {
  const slot = inTimed(T.TM_COUNTS, (<usize>counter) << 3);
  store<u64>(slot, load<u64>(slot) + by);
}
