// The records of the timed engine's block and tables, as the core reads them. layout.ts stays the map that
// the host reads, too; the checks below each record hold the two together.

import * as T from './layout';
import { Message } from './records-message';

@unmanaged
export class Timed {
  nodeCount: u32;
  scheduler: u32;
  seed: u64;
  lookahead: u64;
  /** All events before it are done. */
  now: u64;
  unused32: u64;
  /** The end of the window under way. */
  window: u64;
  events: u64;
  windows: u64;
  status: u32;
  logging: u32;
  logCount: u32;
  logCapacity: u32;
  logFrom: u64;
  logUntil: u64;
  /** The first free record of the pool. */
  free: Message;
  poolBytes: u32;
  workloads: u32;
  faultCount: u32;
  onlineLog2: u32;
  unused116: u32;
  csdTimeout: u64;
  panic: u64;
  /** Time of the last event. */
  last: u64;
  stopSending: u64;
}
if (offsetof<Timed>('nodeCount') != T.TM_NODES) ERROR('Timed.nodeCount');
if (offsetof<Timed>('scheduler') != T.TM_SCHEDULER) ERROR('Timed.scheduler');
if (offsetof<Timed>('seed') != T.TM_SEED) ERROR('Timed.seed');
if (offsetof<Timed>('lookahead') != T.TM_LOOKAHEAD) ERROR('Timed.lookahead');
if (offsetof<Timed>('now') != T.TM_NOW) ERROR('Timed.now');
if (offsetof<Timed>('window') != T.TM_WINDOW) ERROR('Timed.window');
if (offsetof<Timed>('events') != T.TM_EVENTS) ERROR('Timed.events');
if (offsetof<Timed>('windows') != T.TM_WINDOWS) ERROR('Timed.windows');
if (offsetof<Timed>('status') != T.TM_STATUS) ERROR('Timed.status');
if (offsetof<Timed>('logging') != T.TM_LOGGING) ERROR('Timed.logging');
if (offsetof<Timed>('logCount') != T.TM_LOG_COUNT) ERROR('Timed.logCount');
if (offsetof<Timed>('logCapacity') != T.TM_LOG_CAPACITY) ERROR('Timed.logCapacity');
if (offsetof<Timed>('logFrom') != T.TM_LOG_FROM) ERROR('Timed.logFrom');
if (offsetof<Timed>('logUntil') != T.TM_LOG_UNTIL) ERROR('Timed.logUntil');
if (offsetof<Timed>('free') != T.TM_FREE) ERROR('Timed.free');
if (offsetof<Timed>('poolBytes') != T.TM_POOL_BYTES) ERROR('Timed.poolBytes');
if (offsetof<Timed>('workloads') != T.TM_WORKLOADS) ERROR('Timed.workloads');
if (offsetof<Timed>('faultCount') != T.TM_FAULT_COUNT) ERROR('Timed.faultCount');
if (offsetof<Timed>('onlineLog2') != T.TM_ONLINE_LOG2) ERROR('Timed.onlineLog2');
if (offsetof<Timed>('csdTimeout') != T.TM_CSD_TIMEOUT) ERROR('Timed.csdTimeout');
if (offsetof<Timed>('panic') != T.TM_PANIC) ERROR('Timed.panic');
if (offsetof<Timed>('last') != T.TM_LAST) ERROR('Timed.last');
if (offsetof<Timed>('stopSending') != T.TM_STOP_SENDING) ERROR('Timed.stopSending');

/** Behind the slowest waits, at TM_TABLES: the regions' bases for the host, and what it wants in the log. */
@unmanaged
export class Regions {
  tables: usize;
  hists: usize;
  nodes: usize;
  slots: usize;
  masks: usize;
  log: usize;
  matrix: usize;
  /** log2 of the CPUs in a cell of the matrix. */
  matrixShift: u32;
  /** CPU + 1 whose story the log tells, and that of who waits for it; 0: everybody's. */
  logTarget: u32;
  logWaiter: u32;
  trace: usize;
}
if (T.TM_TABLES + offsetof<Regions>('hists') != T.TM_HISTS) ERROR('Regions.hists');
if (T.TM_TABLES + offsetof<Regions>('nodes') != T.TM_ROWS) ERROR('Regions.nodes');
if (T.TM_TABLES + offsetof<Regions>('slots') != T.TM_SLOTS) ERROR('Regions.slots');
if (T.TM_TABLES + offsetof<Regions>('masks') != T.TM_MASKS) ERROR('Regions.masks');
if (T.TM_TABLES + offsetof<Regions>('log') != T.TM_LOG) ERROR('Regions.log');
if (T.TM_TABLES + offsetof<Regions>('matrix') != T.TM_MATRIX) ERROR('Regions.matrix');
if (T.TM_TABLES + offsetof<Regions>('matrixShift') != T.TM_MATRIX_SHIFT)
  ERROR('Regions.matrixShift');
if (T.TM_TABLES + offsetof<Regions>('logTarget') != T.TM_LOG_TARGET) ERROR('Regions.logTarget');
if (T.TM_TABLES + offsetof<Regions>('logWaiter') != T.TM_LOG_WAITER) ERROR('Regions.logWaiter');
if (T.TM_TABLES + offsetof<Regions>('trace') != T.TM_TRACE) ERROR('Regions.trace');

/** One of the longest waits. */
@unmanaged
export class Slowest {
  wait: u64;
  begin: u64;
  cpu: u32;
  target: u32;
  what: u32;
  unused28: u32;
}
if (offsetof<Slowest>() != T.SLOWEST_BYTES) ERROR('SLOWEST_BYTES');

/** A constant, or a draw from a table of quantiles. */
@unmanaged
export class Cost {
  /** Table + 1, or 0. */
  table: u32;
  unused4: u32;
  ps: u64;
}
if (offsetof<Cost>() != 1 << T.COST_SHIFT) ERROR('COST_SHIFT');

@unmanaged
export class Fault {
  kind: u32;
  /** CPU + 1, 0: any. */
  from: u32;
  to: u32;
  /** Vector + 1, 0: any. */
  vector: u32;
  /** From 1; 0: by chance. */
  nth: u32;
  /** How many from the nth on. */
  count: u32;
  chance: u64;
  delay: u64;
  at: u64;
}
if (offsetof<Fault>('kind') != T.FT_KIND) ERROR('Fault.kind');
if (offsetof<Fault>('from') != T.FT_FROM) ERROR('Fault.from');
if (offsetof<Fault>('to') != T.FT_TO) ERROR('Fault.to');
if (offsetof<Fault>('vector') != T.FT_VECTOR) ERROR('Fault.vector');
if (offsetof<Fault>('nth') != T.FT_NTH) ERROR('Fault.nth');
if (offsetof<Fault>('count') != T.FT_COUNT) ERROR('Fault.count');
if (offsetof<Fault>('chance') != T.FT_CHANCE) ERROR('Fault.chance');
if (offsetof<Fault>('delay') != T.FT_DELAY) ERROR('Fault.delay');
if (offsetof<Fault>('at') != T.FT_AT) ERROR('Fault.at');
if (<i32>offsetof<Fault>() > 1 << T.FAULT_SHIFT) ERROR('FAULT_SHIFT');

@unmanaged
export class Workload {
  op: u32;
  targets: u32;
  target: u32;
  size: u32;
  func: u32;
  wait: u32;
  vector: u32;
  /** Lock + 1 held around the operation; lock + 1 that the called function takes. */
  lock: u32;
  weight: u32;
  funcLock: u32;
  loops: u64;
  period: u64;
  think: u64;
  start: u64;
  burst: u32;
  spread: u32;
  idle: u32;
  count: u32;
  targetFirst: u32;
  targetLast: u32;
  busy: u32;
  here: u32;
  stagger: u64;
  cond: u64;
}
if (offsetof<Workload>('op') != T.WK_OP) ERROR('Workload.op');
if (offsetof<Workload>('targets') != T.WK_TARGETS) ERROR('Workload.targets');
if (offsetof<Workload>('target') != T.WK_TARGET) ERROR('Workload.target');
if (offsetof<Workload>('size') != T.WK_SIZE) ERROR('Workload.size');
if (offsetof<Workload>('func') != T.WK_FUNC) ERROR('Workload.func');
if (offsetof<Workload>('wait') != T.WK_WAIT) ERROR('Workload.wait');
if (offsetof<Workload>('vector') != T.WK_VECTOR) ERROR('Workload.vector');
if (offsetof<Workload>('lock') != T.WK_LOCK) ERROR('Workload.lock');
if (offsetof<Workload>('weight') != T.WK_WEIGHT) ERROR('Workload.weight');
if (offsetof<Workload>('funcLock') != T.WK_FUNC_LOCK) ERROR('Workload.funcLock');
if (offsetof<Workload>('loops') != T.WK_LOOPS) ERROR('Workload.loops');
if (offsetof<Workload>('period') != T.WK_PERIOD) ERROR('Workload.period');
if (offsetof<Workload>('think') != T.WK_THINK) ERROR('Workload.think');
if (offsetof<Workload>('start') != T.WK_START) ERROR('Workload.start');
if (offsetof<Workload>('burst') != T.WK_BURST) ERROR('Workload.burst');
if (offsetof<Workload>('spread') != T.WK_SPREAD) ERROR('Workload.spread');
if (offsetof<Workload>('idle') != T.WK_IDLE) ERROR('Workload.idle');
if (offsetof<Workload>('count') != T.WK_COUNT) ERROR('Workload.count');
if (offsetof<Workload>('targetFirst') != T.WK_TARGET_FIRST) ERROR('Workload.targetFirst');
if (offsetof<Workload>('targetLast') != T.WK_TARGET_LAST) ERROR('Workload.targetLast');
if (offsetof<Workload>('busy') != T.WK_BUSY) ERROR('Workload.busy');
if (offsetof<Workload>('here') != T.WK_HERE) ERROR('Workload.here');
if (offsetof<Workload>('stagger') != T.WK_STAGGER) ERROR('Workload.stagger');
if (offsetof<Workload>('cond') != T.WK_COND) ERROR('Workload.cond');
if (<i32>offsetof<Workload>() > 1 << T.WORK_SHIFT) ERROR('WORK_SHIFT');

@unmanaged
export class Recorded {
  time: u64;
  op: u32;
  /** CPU, or the address of a cpumask. */
  target: u32;
  func: u32;
  wait: u32;
  vector: u32;
  unused28: u32;
}
if (offsetof<Recorded>('time') != T.RC_TIME) ERROR('Recorded.time');
if (offsetof<Recorded>('op') != T.RC_OP) ERROR('Recorded.op');
if (offsetof<Recorded>('target') != T.RC_TARGET) ERROR('Recorded.target');
if (offsetof<Recorded>('func') != T.RC_FUNC) ERROR('Recorded.func');
if (offsetof<Recorded>('wait') != T.RC_WAIT) ERROR('Recorded.wait');
if (offsetof<Recorded>('vector') != T.RC_VECTOR) ERROR('Recorded.vector');
if (offsetof<Recorded>() != T.RECORDED_BYTES) ERROR('RECORDED_BYTES');

/** Its counts follow. */
@unmanaged
export class Histogram {
  count: u64;
  sum: u64;
  min: u64;
  max: u64;
}
if (offsetof<Histogram>() != T.HIST_HEADER) ERROR('HIST_HEADER');

/** The send that waits in IRR. */
@unmanaged
export class Slot {
  sent: u64;
  intended: u64;
  accepted: u64;
  source: u32;
  merged: u32;
}
if (offsetof<Slot>('sent') != T.SL_SENT) ERROR('Slot.sent');
if (offsetof<Slot>('intended') != T.SL_INTENDED) ERROR('Slot.intended');
if (offsetof<Slot>('accepted') != T.SL_ACCEPTED) ERROR('Slot.accepted');
if (offsetof<Slot>('source') != T.SL_SOURCE) ERROR('Slot.source');
if (offsetof<Slot>('merged') != T.SL_MERGED) ERROR('Slot.merged');
if (offsetof<Slot>() != T.SLOT_BYTES) ERROR('SLOT_BYTES');

@unmanaged
export class LogEntry {
  time: u64;
  cpu: u32;
  kind: u32;
  a: u32;
  b: u32;
  c: u64;
}
if (offsetof<LogEntry>('time') != T.TL_TIME) ERROR('LogEntry.time');
if (offsetof<LogEntry>('cpu') != T.TL_CPU) ERROR('LogEntry.cpu');
if (offsetof<LogEntry>('kind') != T.TL_KIND) ERROR('LogEntry.kind');
if (offsetof<LogEntry>('a') != T.TL_A) ERROR('LogEntry.a');
if (offsetof<LogEntry>('b') != T.TL_B) ERROR('LogEntry.b');
if (offsetof<LogEntry>('c') != T.TL_C) ERROR('LogEntry.c');
if (offsetof<LogEntry>() != T.TLOG_BYTES) ERROR('TLOG_BYTES');
