// The queue of calls at its CPU: a handler takes the list and runs each entry's function. Linux 6.12
// kernel/smp.c __flush_smp_call_function_queue(); 4.0 has three lists.

import { asyncUnlocksFirst, sharesOneQueue, syncCallsFirst } from '../linux/era';
import { me, now, self } from './arena';
import {
  CAT_IRQ,
  CSD_ASYNC,
  CSD_IRQ_WORK,
  CSD_SYNC,
  CSD_TTWU,
  FUNC_FLUSH_TLB,
  HIST_QUEUE_TO_FUNC,
  LOG_FLUSH,
  LOG_FUNC,
  LOG_UNLOCK,
  MSG_UNLOCK,
  PROC_FLUSH,
  QUEUE_ASYNC,
  QUEUE_LOCK_SHIFT,
  QUEUE_MANY,
  UNLOCK_ASYNC,
  UNLOCK_DATA,
  UNLOCK_MANY,
  UNLOCK_STACK,
} from './codes';
import { line } from './costs';
import { call, pop } from './frame';
import { runFunc } from './func';
import { freeRecord, post } from './inbox';
import * as T from './layout';
import { listAt } from './lists';
import { FlushFrame, Frame } from './records-frame';
import { List, Message, NONE, QueuedCall } from './records-message';
import { note, record } from './stats';
import { Flush } from './steps';

/**
 * Where a call of this type is queued. linux-6.12 has one list; linux-4.0 has call_single_queue, the run
 * queue's wake_list and irq_work's raised_list.
 */
export function listOf(type: u32): List {
  if (sharesOneQueue() || type <= <u32>CSD_ASYNC) return listAt(me, T.N_QUEUE);
  return listAt(me, type == <u32>CSD_TTWU ? T.N_WAKE_LIST : T.N_RAISED_LIST);
}

/**
 * The passes of the flush: synchronous calls, then asynchronous ones and irq_work, then wakeups; in
 * linux-4.0 all calls in order.
 */
function passOf(entry: QueuedCall): u32 {
  const type = entry.type;
  if (type == <u32>CSD_TTWU) return 2;
  return type == <u32>CSD_SYNC || (type == <u32>CSD_ASYNC && !syncCallsFirst()) ? 0 : 1;
}

/** llist_del_all() of a list, hung behind what the frame has already. */
function takeList(frame: FlushFrame, type: u32): void {
  const list = listOf(type);
  const first = list.first;
  if (first == NONE) return;
  if (!ASC_NO_ASSERT) assert(list.last != NONE && list.last.next == NONE);
  list.first = NONE;
  list.last = NONE;
  let last: Message = frame.list;
  if (last == NONE) {
    frame.list = changetype<QueuedCall>(first);
    return;
  }
  while (last.next != NONE) last = last.next;
  last.next = first;
}

function takeLists(frame: FlushFrame): void {
  const wakes = frame.wakes != 0;
  if (sharesOneQueue()) return takeList(frame, CSD_SYNC);
  if (wakes) return takeList(frame, CSD_TTWU);
  takeList(frame, CSD_SYNC);
  takeList(frame, CSD_IRQ_WORK);
}

/** Unhooks the first entry of the lowest pass from the frame's list; NONE when it is empty. */
function nextEntry(frame: FlushFrame): QueuedCall {
  let best = NONE;
  let bestBefore = NONE;
  let before = NONE;
  let lowest: u32 = u32.MAX_VALUE;
  for (let entry: Message = frame.list; entry != NONE; entry = entry.next) {
    const pass = passOf(changetype<QueuedCall>(entry));
    if (pass < lowest) {
      best = entry;
      bestBefore = before;
      lowest = pass;
      if (pass == 0) break;
    }
    before = entry;
  }
  if (best == NONE) return changetype<QueuedCall>(NONE);
  if (bestBefore == NONE) frame.list = changetype<QueuedCall>(best.next);
  else bestBefore.next = best.next;
  return changetype<QueuedCall>(best);
}

export function stepFlush(frame: FlushFrame): void {
  const pc = frame.pc;
  if (pc == Flush.Take) {
    note(LOG_FLUSH, 0, 0, 0);
    takeLists(frame);
  } else finishEntry(frame);
  const entry = nextEntry(frame);
  if (entry == NONE) return pop();
  frame.entry = entry;
  const func = entry.func;
  const source = entry.source;
  me.currentFunc = func + 1;
  me.currentSource = source;
  if (me.func == 0) {
    me.func = func + 1;
    me.funcSource = source;
  }
  if (func == <u32>FUNC_FLUSH_TLB) me.flushes++;
  record(HIST_QUEUE_TO_FUNC, now - entry.queued);
  note(LOG_FUNC, func, source, 0);
  if (unlocksFirst(entry)) unlock(entry);
  runFunc(frame, Flush.Next, func, entry.flags >> QUEUE_LOCK_SHIFT);
}

/** Flushes what a call's interrupt flushes, or a reschedule's. */
export function callFlush(caller: Frame, pc: u32, wakes: bool): void {
  const frame = changetype<FlushFrame>(call(caller, pc, PROC_FLUSH, CAT_IRQ));
  frame.wakes = wakes ? 1 : 0;
}

function finishEntry(frame: FlushFrame): void {
  const entry = frame.entry;
  if (!ASC_NO_ASSERT) assert(me.currentFunc == entry.func + 1);
  me.currentFunc = 0;
  if (holdsLock(entry) && !unlocksFirst(entry)) unlock(entry);
  freeRecord(entry);
}

/** Only calls have a lock that somebody may wait for. */
function holdsLock(entry: QueuedCall): bool {
  return entry.type <= <u32>CSD_ASYNC;
}

/** Whether an entry is unlocked before its function. */
function unlocksFirst(entry: QueuedCall): bool {
  return asyncUnlocksFirst() && entry.type == <u32>CSD_ASYNC; // bug: an-async-csd-is-unlocked-late
}

/** csd_unlock(): the waiter sees it a cache line later. */
function unlock(entry: QueuedCall): void {
  const source = entry.source;
  const which = unlocks(entry.flags, entry.type);
  note(LOG_UNLOCK, entry.func, source, 0);
  post(MSG_UNLOCK, source, line(source), self, which, 0, 0, 0, entry.call);
}

function unlocks(flags: u32, type: u32): u32 {
  if ((flags & QUEUE_MANY) != 0) return UNLOCK_MANY;
  if ((flags & QUEUE_ASYNC) != 0) return UNLOCK_ASYNC;
  return type == <u32>CSD_SYNC ? UNLOCK_STACK : UNLOCK_DATA;
}
