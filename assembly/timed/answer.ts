// The target's side: its queue and its flags answer, and an idle CPU that polls wakes up.

import { pollingNeedsNoIpi } from '../linux/era';
import { me, self } from './arena';
import {
  CAT_IRQ,
  COST_POLL_WAKE,
  CSD_TTWU,
  LOG_WOKEN,
  MSG_NEED_RESCHED_SET,
  MSG_PEEKED,
  MSG_QUEUED,
  PROC_POLLED,
  QUEUE_PREP,
} from './codes';
import { cost } from './costs';
import { callFlush, listOf } from './flush';
import { goOn, pop, push } from './frame';
import { takeInterrupts } from './handler';
import { post } from './inbox';
import { append } from './lists';
import { Frame } from './records-frame';
import { Answer, NONE, Posted, QueuedCall } from './records-message';
import { Idle } from './records-node';
import { note } from './stats';
import { Polled } from './steps';

/** llist_add() by another CPU. */
export function queued(entry: QueuedCall): void {
  const list = listOf(entry.type);
  const wasEmpty = list.first == NONE;
  append(list, entry);
  const asks = (entry.flags & QUEUE_PREP) != 0;
  const skips = pollingNeedsNoIpi() || entry.type == <u32>CSD_TTWU;
  const polls = wasEmpty && asks && skips && me.idle == Idle.Polling; // bug: a-polling-cpu-gets-an-ipi
  const source = entry.source;
  const answer: u32 = !wasEmpty ? Answer.NoIpi : polls ? Answer.Polling : Answer.Ipi; // bug: an-ipi-although-the-queue-was-full
  post(MSG_QUEUED, source, entry.back, self, answer, 0, 0, 0, 0);
  if (polls) polledAwake(source);
  takeInterrupts();
}

/** set_nr_if_polling(), or the flag's atomic or. */
export function needResched(message: Posted): void {
  const was = me.needResched != 0;
  const polls = me.idle == Idle.Polling;
  const source = message.source;
  const answer: u32 = was ? Answer.NoIpi : polls ? Answer.Polling : Answer.Ipi;
  me.needResched = 1;
  post(MSG_NEED_RESCHED_SET, source, message.t1, self, answer, 0, 0, 0, 0);
  if (polls && !was) polledAwake(source);
}

/** The polling idle loop sees TIF_NEED_RESCHED: it flushes the queue without an interrupt. */
function polledAwake(source: u32): void {
  note(LOG_WOKEN, 0, source, 0);
  me.idle = Idle.Busy;
  me.interruptFlag = 0;
  const frame = push(PROC_POLLED, CAT_IRQ, true);
  goOn(frame, Polled.Flush, cost(COST_POLL_WAKE));
}

export function stepPolled(frame: Frame): void {
  if (frame.pc == Polled.Flush) {
    me.needResched = 0;
    callFlush(frame, Polled.Sleep, true);
    return;
  }
  me.interruptFlag = 1;
  pop();
  me.idle = Idle.Polling;
}

export function peek(message: Posted): void {
  const source = message.source;
  const current = me.currentFunc;
  const mine: u32 = current != 0 && me.currentSource == source ? 1 : 0;
  post(MSG_PEEKED, source, message.t1, current, mine, 0, 0, 0, 0);
}
