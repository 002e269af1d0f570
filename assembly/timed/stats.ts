// Latencies, the log, the event hash and where each CPU's time goes.
import { after, mix } from '../record/hash';
import { at, hists, matrix, nodeCount, nodeRow, now, self, timed, tlog } from './arena';
import { CAT_USER, LOG_FAULT, LOG_IPI_POLLING, LOG_IPI_SENT, LOG_PANIC, LOG_QUEUE } from './codes';
import * as T from './layout';

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
  const count = load<u64>(base);
  store<u64>(base, count + 1);
  store<u64>(base, load<u64>(base, 8) + value, 8);
  if (count == 0 || value < load<u64>(base, 16)) store<u64>(base, value, 16);
  if (value > load<u64>(base, 24)) store<u64>(base, value, 24);
  const index = bucketOf(value);
  if (index >= <u32>T.HIST_COUNTS) return;
  const slot = base + ((<usize>index) << 3);
  store<u64>(slot, load<u64>(slot, T.HIST_HEADER) + 1, T.HIST_HEADER);
}

/** Folds what happened and when into the node's chain, and into the log while somebody listens. */
export function tell(kind: u32, a: u32, b: u32, c: u64): void {
  const hash = after(load<u64>(at, T.N_HASH), kind, a) + mix(now + b);
  store<u64>(at, hash, T.N_HASH);
  const logging = load<u32>(timed, T.TM_LOGGING);
  if (logging == 0) return;
  if (logging == <u32>T.LOGGING_MESSAGES && (kind < <u32>LOG_FAULT || kind > <u32>LOG_PANIC))
    return;
  if (now < load<u64>(timed, T.TM_LOG_FROM) || now > load<u64>(timed, T.TM_LOG_UNTIL)) return;
  const target = load<u32>(timed, T.TM_LOG_TARGET);
  if (target != 0 && !concerns(target, kind, b)) return;
  const count = load<u32>(timed, T.TM_LOG_COUNT);
  if (count >= load<u32>(timed, T.TM_LOG_CAPACITY)) return;
  store<u32>(timed, count + 1, T.TM_LOG_COUNT);
  const entry = tlog + <usize>count * T.TLOG_BYTES;
  store<u64>(entry, now, T.TL_TIME);
  store<u32>(entry, self, T.TL_CPU);
  store<u32>(entry, kind, T.TL_KIND);
  store<u32>(entry, a, T.TL_A);
  store<u32>(entry, b, T.TL_B);
  store<u64>(entry, c, T.TL_C);
}

/** Whether an entry is of CPU `target` - 1, of its waiter, or of somebody's dealings with the target. */
function concerns(target: u32, kind: u32, b: u32): bool {
  if (self + 1 == target || self + 1 == load<u32>(timed, T.TM_LOG_WAITER)) return true;
  if (b + 1 != target) return false;
  return kind == <u32>LOG_IPI_SENT || (kind >= <u32>LOG_QUEUE && kind <= <u32>LOG_IPI_POLLING);
}

/** Sum over all nodes of their mixed chains: the same in whatever order nodes ran. */
export function timedHash(): u64 {
  let sum: u64 = 0;
  for (let node: u32 = 0; node < nodeCount; node++) {
    sum += mix(load<u64>(nodeRow(node), T.N_HASH) + <u64>(node + 1) * MULTIPLIER);
  }
  return sum;
}

/** From now on the CPU's time belongs to another category. */
export function spendOn(category: u32): void {
  const old = load<u32>(at, T.N_CATEGORY);
  const slot = at + ((<usize>old) << 3);
  store<u64>(slot, load<u64>(slot, T.N_TIME) + now - load<u64>(at, T.N_SINCE), T.N_TIME);
  store<u64>(at, now, T.N_SINCE);
  store<u32>(at, category, T.N_CATEGORY);
}

/** The interrupts that began at `from` took this from user work. */
export function noteNoise(from: u64, source: u32, what: u32): void {
  if (load<u32>(at, T.N_CATEGORY) != <u32>CAT_USER) return;
  const stolen = now - from;
  store<u64>(at, load<u64>(at, T.N_NOISE) + stolen, T.N_NOISE);
  store<u64>(at, load<u64>(at, T.N_NOISE_COUNT) + 1, T.N_NOISE_COUNT);
  if (stolen <= load<u64>(at, T.N_NOISE_MAX)) return;
  store<u64>(at, stolen, T.N_NOISE_MAX);
  store<u32>(at, source, T.N_NOISE_SOURCE);
  store<u32>(at, what, T.N_NOISE_WHAT);
  store<u32>(at, load<u32>(at, T.N_FUNC), T.N_NOISE_FUNC);
}

/** One IPI of the running CPU to another, in the matrix. */
export function noteSent(to: u32): void {
  const shift = load<u32>(timed, T.TM_MATRIX_SHIFT);
  const slot = matrix + ((<usize>(((self >> shift) << T.MATRIX_SHIFT) | (to >> shift))) << 3);
  store<u64>(slot, load<u64>(slot) + 1);
}

/** Keeps the slowest waits, sorted; of equal ones the earlier, then the lower CPU. */
export function noteWait(wait: u64, begin: u64, target: u32, what: u32): void {
  let rank = T.SLOWEST_COUNT - 1;
  if (!slower(wait, begin, entryOf(rank))) return;
  for (; rank > 0 && slower(wait, begin, entryOf(rank - 1)); rank--) {
    memory.copy(entryOf(rank), entryOf(rank - 1), T.SLOWEST_BYTES);
  }
  const entry = entryOf(rank);
  store<u64>(entry, wait);
  store<u64>(entry, begin, 8);
  store<u32>(entry, self, 16);
  store<u32>(entry, target, 20);
  store<u32>(entry, what, 24);
}

function entryOf(rank: i32): usize {
  return timed + T.TM_SLOWEST + <usize>rank * T.SLOWEST_BYTES;
}

function slower(wait: u64, begin: u64, entry: usize): bool {
  const other = load<u64>(entry);
  if (wait != other) return wait > other;
  const otherBegin = load<u64>(entry, 8);
  return begin != otherBegin ? begin < otherBegin : self < load<u32>(entry, 16);
}
