// Messages between nodes. Each node has an inbox: a pairing heap ordered by time, then source, then
// the source's sequence number (Fredman, Sedgewick, Sleator, Tarjan 1986). Records come from one pool.

import { at, nodeRow, now, self, timed } from './arena';
import { RUN_NO_MEMORY } from './codes';
import * as T from './layout';
import { posted } from './ready';

const CHUNK_PAGES: i32 = 16;

/** A fresh record; 0 when the host has no memory left. */
export function newRecord(): usize {
  let record = <usize>load<u32>(timed, T.TM_FREE);
  if (record == 0) {
    record = growPool();
    if (record == 0) {
      store<u32>(timed, RUN_NO_MEMORY, T.TM_STATUS);
      return 0;
    }
  }
  store<u32>(timed, load<u32>(record, T.M_NEXT), T.TM_FREE);
  return record;
}

/** Adds 1 MiB of free records; the first, or 0. */
function growPool(): usize {
  const pages = memory.grow(CHUNK_PAGES);
  if (pages < 0) return 0;
  const start = (<usize>pages) << 16;
  const end = start + ((<usize>CHUNK_PAGES) << 16);
  for (let record = start; record < end; record += T.MSG_BYTES) {
    const next = record + T.MSG_BYTES;
    store<u32>(record, next < end ? <u32>next : 0, T.M_NEXT);
  }
  store<u32>(timed, load<u32>(timed, T.TM_POOL_BYTES) + <u32>(end - start), T.TM_POOL_BYTES);
  return start;
}

export function freeRecord(record: usize): void {
  store<u32>(record, load<u32>(timed, T.TM_FREE), T.M_NEXT);
  store<u32>(timed, <u32>record, T.TM_FREE);
}

function before(a: usize, b: usize): bool {
  const timeA = load<u64>(a, T.M_TIME);
  const timeB = load<u64>(b, T.M_TIME);
  if (timeA != timeB) return timeA < timeB;
  return load<u64>(a, T.M_SOURCE) < load<u64>(b, T.M_SOURCE);
}

/** Joins two heaps; either may be 0. */
function meld(a: usize, b: usize): usize {
  if (a == 0) return b;
  if (b == 0) return a;
  if (before(b, a)) {
    const swap = a;
    a = b;
    b = swap;
  }
  store<u32>(b, load<u32>(a, T.M_CHILD), T.M_NEXT);
  store<u32>(a, <u32>b, T.M_CHILD);
  return a;
}

/** Takes the first message of the running node. The record is the caller's to free. */
export function takeMessage(): usize {
  const first = <usize>load<u32>(at, T.N_INBOX);
  // Two passes: meld pairs from the left, then all of them from the right.
  let child = <usize>load<u32>(first, T.M_CHILD);
  let pairs: usize = 0;
  while (child != 0) {
    const second = <usize>load<u32>(child, T.M_NEXT);
    const rest: usize = second == 0 ? 0 : load<u32>(second, T.M_NEXT);
    const pair = meld(child, second);
    store<u32>(pair, <u32>pairs, T.M_NEXT);
    pairs = pair;
    child = rest;
  }
  let root: usize = 0;
  while (pairs != 0) {
    const next = <usize>load<u32>(pairs, T.M_NEXT);
    root = meld(root, pairs);
    pairs = next;
  }
  store<u32>(at, <u32>root, T.N_INBOX);
  return first;
}

/** Puts a record with its kind and arguments filled in into a node's inbox, `after` ps from now. */
export function deliverRecord(record: usize, to: u32, after: u64): void {
  const sequence = load<u32>(at, T.N_SEQUENCE);
  store<u32>(at, sequence + 1, T.N_SEQUENCE);
  store<u64>(record, now + after, T.M_TIME);
  store<u64>(record, ((<u64>self) << 32) | sequence, T.M_SOURCE);
  store<u32>(record, 0, T.M_CHILD);
  store<u32>(record, 0, T.M_NEXT);
  const there = nodeRow(to);
  const old = <usize>load<u32>(there, T.N_INBOX);
  const root = meld(old, record);
  store<u32>(there, <u32>root, T.N_INBOX);
  if (root != old) posted(to, now + after);
}

/** Sends a message. `t0` and `t1` are its own times (when sent, when intended). */
export function post(
  kind: u32,
  to: u32,
  after: u64,
  a: u32,
  b: u32,
  c: u32,
  t0: u64,
  t1: u64,
  d: u64,
): void {
  const record = newRecord();
  if (record == 0) return;
  store<u32>(record, kind, T.M_KIND);
  store<u32>(record, a, T.M_A);
  store<u32>(record, b, T.M_B);
  store<u32>(record, c, T.M_C);
  store<u64>(record, t0, T.M_T0);
  store<u64>(record, t1, T.M_T1);
  store<u64>(record, d, T.M_D);
  deliverRecord(record, to, after);
}
