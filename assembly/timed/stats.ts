// Latencies, the log, the event hash and where each CPU's time goes.
import { after, mix } from '../record/hash';
import {
  hists,
  inTimed,
  matrix,
  me,
  nodeCount,
  nodeRow,
  now,
  regions,
  self,
  timed,
  tlog,
} from './arena';
import { CAT_USER, LOG_FAULT, LOG_IPI_POLLING, LOG_IPI_SENT, LOG_PANIC, LOG_QUEUE } from './codes';
import * as T from './layout';
import { Histogram, LogEntry, Slowest } from './records';

const MULTIPLIER: u64 = 0x9e3779b97f4a7c15;

/** HdrHistogram's index of a value, with 2^HIST_SUB_BITS sub-buckets. */
export function bucketOf(value: u64): u32 {
  const bits = <u32>(64 - clz<u64>(value | ((1 << T.HIST_SUB_BITS) - 1)));
  const bucket = bits - T.HIST_SUB_BITS;
  const sub = <u32>(value >> bucket);
  return (bucket << (T.HIST_SUB_BITS - 1)) + sub;
}

/** Counts a latency in ps. */
export function record(hist: u32, value: u64): void {
  const base = hists + <usize>hist * T.HIST_BYTES;
  const histogram = changetype<Histogram>(base);
  const count = histogram.count;
  histogram.count = count + 1;
  histogram.sum += value;
  if (count == 0 || value < histogram.min) histogram.min = value;
  if (value > histogram.max) histogram.max = value;
  const index = bucketOf(value);
  if (index >= <u32>T.HIST_COUNTS) return;
  const slot = base + ((<usize>index) << 3);
  store<u64>(slot, load<u64>(slot, T.HIST_HEADER) + 1, T.HIST_HEADER);
}

/** Folds what happened and when into the node's chain, and into the log while somebody listens. */
export function note(kind: u32, a: u32, b: u32, c: u64): void {
  const hash = after(me.hash, kind, a) + mix(now + b);
  me.hash = hash;
  const logging = timed.logging;
  if (logging == 0) return;
  if (logging == <u32>T.LOGGING_MESSAGES && (kind < <u32>LOG_FAULT || kind > <u32>LOG_PANIC))
    return;
  if (now < timed.logFrom || now > timed.logUntil) return;
  const target = regions.logTarget;
  if (target != 0 && !concerns(target, kind, b)) return;
  const count = timed.logCount;
  if (count >= timed.logCapacity) return;
  timed.logCount = count + 1;
  const entry = changetype<LogEntry>(tlog + <usize>count * T.TLOG_BYTES);
  entry.time = now;
  entry.cpu = self;
  entry.kind = kind;
  entry.a = a;
  entry.b = b;
  entry.c = c;
}

/** Whether an entry is of CPU `target` - 1, of its waiter, or of somebody's dealings with the target. */
function concerns(target: u32, kind: u32, b: u32): bool {
  if (self + 1 == target || self + 1 == regions.logWaiter) return true;
  if (b + 1 != target) return false;
  return kind == <u32>LOG_IPI_SENT || (kind >= <u32>LOG_QUEUE && kind <= <u32>LOG_IPI_POLLING);
}

/** Sum over all nodes of their mixed chains: the same in whatever order nodes ran. */
export function timedHash(): u64 {
  let sum: u64 = 0;
  for (let node: u32 = 0; node < nodeCount; node++) {
    sum += mix(nodeRow(node).hash + <u64>(node + 1) * MULTIPLIER);
  }
  return sum;
}

/** From now on the CPU's time belongs to another category. */
export function spendOn(category: u32): void {
  const slot = changetype<usize>(me) + ((<usize>me.category) << 3);
  store<u64>(slot, load<u64>(slot, T.N_TIME) + now - me.since, T.N_TIME);
  me.since = now;
  me.category = category;
}

/** The interrupts that began at `from` took this from user work. */
export function noteNoise(from: u64, source: u32, what: u32): void {
  if (me.category != <u32>CAT_USER) return;
  const stolen = now - from;
  me.noise += stolen;
  me.noiseCount++;
  if (stolen <= me.noiseMax) return;
  me.noiseMax = stolen;
  me.noiseSource = source;
  me.noiseWhat = what;
  me.noiseFunc = me.func;
}

/** One IPI of the running CPU to another, in the matrix. */
export function noteSent(to: u32): void {
  const shift = regions.matrixShift;
  const slot = matrix + ((<usize>(((self >> shift) << T.MATRIX_SHIFT) | (to >> shift))) << 3);
  store<u64>(slot, load<u64>(slot) + 1);
}

/** Keeps the slowest waits, sorted; of equal ones the earlier, then the lower CPU. */
export function noteWait(wait: u64, begin: u64, target: u32, what: u32): void {
  let rank = T.SLOWEST_COUNT - 1;
  if (!slower(wait, begin, slowestAt(rank))) return;
  for (; rank > 0 && slower(wait, begin, slowestAt(rank - 1)); rank--) {
    memory.copy(
      changetype<usize>(slowestAt(rank)),
      changetype<usize>(slowestAt(rank - 1)),
      T.SLOWEST_BYTES,
    );
  }
  const entry = slowestAt(rank);
  entry.wait = wait;
  entry.begin = begin;
  entry.cpu = self;
  entry.target = target;
  entry.what = what;
}

function slowestAt(rank: i32): Slowest {
  return changetype<Slowest>(inTimed(T.TM_SLOWEST, <usize>rank * T.SLOWEST_BYTES));
}

function slower(wait: u64, begin: u64, entry: Slowest): bool {
  if (wait != entry.wait) return wait > entry.wait;
  return begin != entry.begin ? begin < entry.begin : self < entry.cpu;
}
