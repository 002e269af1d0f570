// Messages between nodes. Each node has an inbox: a pairing heap ordered by time, then source, then
// the source's sequence number (Fredman, Sedgewick, Sleator, Tarjan 1986). Records come from one pool.

import { me, nodeRow, now, self, timed } from './arena';
import { RUN_NO_MEMORY } from './codes';
import * as T from './layout';
import { posted } from './ready';
import { Message, NONE, Posted } from './records-message';

const CHUNK_PAGES: i32 = 16;

/** In debug builds, the kind of a record that is free. */
const FREED: u32 = u32.MAX_VALUE;

/** A fresh record; NONE when the host has no memory left. */
export function newRecord(): Message {
  let record = timed.free;
  if (record == NONE) {
    record = growPool();
    if (record == NONE) {
      timed.status = RUN_NO_MEMORY;
      return NONE;
    }
  }
  timed.free = record.next;
  if (!ASC_NO_ASSERT) {
    assert(record.kind == FREED);
    record.kind = 0;
  }
  return record;
}

/** Adds 1 MiB of free records; the first, or NONE. */
function growPool(): Message {
  const pages = memory.grow(CHUNK_PAGES);
  if (pages < 0) return NONE;
  const start = (<usize>pages) << 16;
  const end = start + ((<usize>CHUNK_PAGES) << 16);
  for (let record = start; record < end; record += T.MSG_BYTES) {
    const next = record + T.MSG_BYTES;
    if (!ASC_NO_ASSERT) changetype<Message>(record).kind = FREED;
    changetype<Message>(record).next = next < end ? changetype<Message>(next) : NONE;
  }
  timed.poolBytes += <u32>(end - start);
  return changetype<Message>(start);
}

export function freeRecord(record: Message): void {
  if (!ASC_NO_ASSERT) {
    assert(record != NONE && record.kind != FREED);
    record.kind = FREED;
  }
  record.next = timed.free;
  timed.free = record;
}

function before(a: Message, b: Message): bool {
  const timeA = a.time;
  const timeB = b.time;
  if (timeA != timeB) return timeA < timeB;
  return a.order < b.order; // bug: tied-messages-have-no-order
}

/** Joins two heaps; either may be NONE. */
function meld(a: Message, b: Message): Message {
  if (a == NONE) return b;
  if (b == NONE) return a;
  if (before(b, a)) {
    const swap = a;
    a = b;
    b = swap;
  }
  b.next = a.child;
  a.child = b;
  return a;
}

/** Takes the first message of the running node. The record is the caller's to free. */
export function takeMessage(): Message {
  const first = me.inbox;
  // Two passes: meld pairs from the left, then all of them from the right.
  let child = first.child;
  let pairs = NONE;
  while (child != NONE) {
    const second = child.next;
    const rest = second == NONE ? NONE : second.next;
    const pair = meld(child, second);
    pair.next = pairs;
    pairs = pair;
    child = rest;
  }
  let root = NONE;
  while (pairs != NONE) {
    const next = pairs.next;
    root = meld(root, pairs);
    pairs = next;
  }
  if (!ASC_NO_ASSERT) assert(first.kind != FREED && (root == NONE || before(first, root)));
  me.inbox = root;
  return first;
}

/** Puts a record with its kind and arguments filled in into a node's inbox, `after` ps from now. */
export function deliverRecord(record: Message, to: u32, after: u64): void {
  // The lookahead rests on this.
  if (!ASC_NO_ASSERT) assert(to == self || after >= timed.lookahead);
  const sequence = me.sequence;
  me.sequence = sequence + 1;
  record.time = now + after;
  record.order = ((<u64>self) << 32) | sequence;
  record.child = NONE;
  record.next = NONE;
  const there = nodeRow(to);
  const old = there.inbox;
  const root = meld(old, record);
  there.inbox = root;
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
  const record = changetype<Posted>(newRecord());
  if (record == NONE) return;
  record.kind = kind;
  record.a = a;
  record.b = b;
  record.c = c;
  record.t0 = t0;
  record.t1 = t1;
  record.d = d;
  deliverRecord(record, to, after);
}
