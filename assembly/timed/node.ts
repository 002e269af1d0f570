// One event of a node: a message that arrives, or the end of the top frame's step.

import { is612 } from '../linux/config';
import { cpus } from '../memory/arena';
import { at, NEVER, self } from './arena';
import { busAsked, busRejected, busStep } from './bus';
import {
  answered,
  peeked,
  stepCallMany,
  stepCallSingle,
  stepResched,
  stepWake,
  unlockArrives,
} from './calls';
import {
  CAT_IRQ,
  CAT_IRQS_OFF,
  COST_POLL_WAKE,
  CSD_TTWU,
  LOG_IRQS_OFF,
  LOG_IRQS_ON,
  LOG_WOKEN,
  MSG_BUS,
  MSG_BUS_DONE,
  MSG_BUS_STATUS,
  MSG_GRANT,
  MSG_IPI,
  MSG_IRQS_OFF,
  MSG_NEED_RESCHED,
  MSG_NEED_RESCHED_SET,
  MSG_PEEK,
  MSG_PEEKED,
  MSG_QUEUE,
  MSG_QUEUED,
  MSG_STOPPED,
  PROC_CALL_MANY,
  PROC_CALL_SINGLE,
  PROC_FLUSH,
  PROC_FUNC,
  PROC_HANDLER,
  PROC_IRQS_OFF,
  PROC_POLLED,
  PROC_RESCHED,
  PROC_SEND,
  PROC_STOP,
  PROC_TASK,
  PROC_WAKE,
  QUEUE_PREP,
} from './codes';
import { cost } from './costs';
import { depth, frameAt, goOn, pop, push, top, wake } from './frame';
import {
  callFlush,
  die,
  Func,
  ipiArrives,
  listOf,
  stepFlush,
  stepFunc,
  stepHandler,
  takeInterrupts,
} from './handler';
import { freeRecord, post } from './inbox';
import * as T from './layout';
import { lockMessage } from './locks';
import { Send, stepSend } from './send';
import { tell } from './stats';
import { stepStop, stopped } from './stop';
import { stepTask, Task } from './task';

export function handleMessage(message: usize): void {
  if (self >= cpus) return deviceMessage(message);
  const kind = load<u32>(message, T.M_KIND);
  if (kind == <u32>MSG_QUEUE) return queued(message); // keeps the record
  if (kind == <u32>MSG_IPI) ipiArrives(message);
  else if (kind == <u32>MSG_QUEUED || kind == <u32>MSG_NEED_RESCHED_SET)
    answered(caller(), message);
  else if (kind == <u32>MSG_NEED_RESCHED) needResched(message);
  else if (kind == <u32>MSG_GRANT) granted(load<u32>(message, T.M_A));
  else if (kind == <u32>MSG_IRQS_OFF) irqsOff(load<u64>(message, T.M_D));
  else if (kind == <u32>MSG_PEEK) peek(message);
  else if (kind == <u32>MSG_PEEKED) peeked(caller(), message);
  else if (kind == <u32>MSG_BUS_DONE) busIdle();
  else if (kind == <u32>MSG_STOPPED) stopped(load<u32>(message, T.M_A));
  else unlockArrives(caller(), message);
  freeRecord(message);
  takeInterrupts();
}

function deviceMessage(message: usize): void {
  const kind = load<u32>(message, T.M_KIND);
  if (kind == <u32>MSG_BUS) busAsked(message);
  else if (kind == <u32>MSG_BUS_STATUS) {
    busRejected(load<u32>(message, T.M_A));
    freeRecord(message);
  } else lockMessage(message);
}

export function stepFrame(): void {
  if (self >= cpus) return busStep();
  const frame = top();
  const proc = load<u32>(frame, T.F_PROC);
  if (proc == <u32>PROC_TASK) stepTask(frame);
  else if (proc == <u32>PROC_SEND) stepSend(frame);
  else if (proc == <u32>PROC_HANDLER) stepHandler(frame);
  else if (proc == <u32>PROC_FLUSH) stepFlush(frame);
  else if (proc == <u32>PROC_FUNC) stepFunc(frame);
  else if (proc == <u32>PROC_CALL_SINGLE) stepCallSingle(frame);
  else if (proc == <u32>PROC_CALL_MANY) stepCallMany(frame);
  else if (proc == <u32>PROC_RESCHED) stepResched(frame);
  else if (proc == <u32>PROC_WAKE) stepWake(frame);
  else if (proc == <u32>PROC_POLLED) stepPolled(frame);
  else if (proc == <u32>PROC_STOP) stepStop(frame);
  else stepIrqsOff(frame);
  takeInterrupts();
}

/** The frame that waits for answers: the highest one below any interrupt. Handlers call nobody. */
function caller(): usize {
  const count = depth();
  let index: u32 = 0;
  while (index + 1 < count && load<u32>(frameAt(index + 1), T.F_INTERRUPT) == 0) index++;
  return frameAt(index);
}

// --- at the target of a call ---

/** llist_add() by another CPU. */
function queued(entry: usize): void {
  const list = listOf(load<u32>(entry, T.M_A));
  const last = <usize>load<u32>(list, 4);
  store<u32>(entry, 0, T.M_NEXT);
  if (last == 0) store<u32>(list, <u32>entry);
  else store<u32>(last, <u32>entry, T.M_NEXT);
  store<u32>(list, <u32>entry, 4);
  const asks = (load<u32>(entry, T.M_C) & QUEUE_PREP) != 0;
  const skips = is612() || load<u32>(entry, T.M_A) == <u32>CSD_TTWU;
  const polls = last == 0 && asks && skips && load<u32>(at, T.N_IDLE) == 2;
  const source = <u32>(load<u64>(entry, T.M_SOURCE) >> 32);
  const answer: u32 = last != 0 ? 0 : polls ? 2 : 1;
  post(MSG_QUEUED, source, load<u64>(entry, T.M_T1), self, answer, 0, 0, 0, 0);
  if (polls) polledAwake(source);
  takeInterrupts();
}

/** set_nr_if_polling(), or the flag's atomic or. */
function needResched(message: usize): void {
  const was = load<u32>(at, T.N_NEED_RESCHED) != 0;
  const polls = load<u32>(at, T.N_IDLE) == 2;
  const source = <u32>(load<u64>(message, T.M_SOURCE) >> 32);
  const answer: u32 = was ? 0 : polls ? 2 : 1;
  store<u32>(at, 1, T.N_NEED_RESCHED);
  post(MSG_NEED_RESCHED_SET, source, load<u64>(message, T.M_T1), self, answer, 0, 0, 0, 0);
  if (polls && !was) polledAwake(source);
}

enum Polled {
  Flush,
  Sleep,
}

/** The polling idle loop sees TIF_NEED_RESCHED: it flushes the queue without an interrupt. */
function polledAwake(source: u32): void {
  tell(LOG_WOKEN, 0, source, 0);
  store<u32>(at, 0, T.N_IDLE);
  store<u32>(at, 0, T.N_IF);
  const frame = push(PROC_POLLED, CAT_IRQ, true);
  goOn(frame, Polled.Flush, cost(COST_POLL_WAKE));
}

function stepPolled(frame: usize): void {
  if (load<u32>(frame, T.F_PC) == Polled.Flush) {
    store<u32>(at, 0, T.N_NEED_RESCHED);
    callFlush(frame, Polled.Sleep, true);
    return;
  }
  store<u32>(at, 1, T.N_IF);
  pop();
  store<u32>(at, 2, T.N_IDLE);
}

function peek(message: usize): void {
  const source = <u32>(load<u64>(message, T.M_SOURCE) >> 32);
  const current = load<u32>(at, T.N_CURRENT);
  const mine: u32 = current != 0 && load<u32>(at, T.N_CURRENT_SOURCE) == source ? 1 : 0;
  post(MSG_PEEKED, source, load<u64>(message, T.M_T1), current, mine, 0, 0, 0, 0);
}

// --- locks, the bus, interrupts off ---

/** Lock `lock` is this CPU's: the frame that asked goes on. */
function granted(lock: u32): void {
  for (let index = depth(); index > 0; index--) {
    const frame = frameAt(index - 1);
    const proc = load<u32>(frame, T.F_PROC);
    const pc = load<u32>(frame, T.F_PC);
    const asked =
      (proc == <u32>PROC_FUNC && pc == Func.Locked) ||
      (proc == <u32>PROC_TASK && pc == Task.Locked);
    if (asked && load<u32>(frame, T.F_B) == lock + 1) return wake(frame, 0);
  }
}

/** The delivery status of this CPU's ICR goes idle when its last message is over. */
function busIdle(): void {
  const left = load<u32>(at, T.N_BUS_WRITES) - 1;
  store<u32>(at, left, T.N_BUS_WRITES);
  if (left != 0) return;
  const frame = caller();
  if (load<u32>(frame, T.F_PROC) == <u32>PROC_SEND && load<u32>(frame, T.F_PC) == Send.Write)
    wake(frame, 0);
}

/** This CPU's interrupts are off for `ps`; NEVER: it is dead. */
function irqsOff(ps: u64): void {
  const frame = push(PROC_IRQS_OFF, CAT_IRQS_OFF, true);
  if (ps == NEVER) {
    tell(LOG_IRQS_OFF, 0, 0, ps);
    return die(frame);
  }
  store<u64>(frame, ps, T.F_T1);
  store<u32>(frame, load<u32>(at, T.N_IDLE), T.F_D);
  store<u32>(at, 0, T.N_IDLE);
}

enum IrqsOff {
  Begin,
  End,
}

function stepIrqsOff(frame: usize): void {
  if (load<u32>(frame, T.F_PC) == IrqsOff.Begin) {
    tell(LOG_IRQS_OFF, 0, 0, load<u64>(frame, T.F_T1));
    store<u32>(frame, load<u32>(at, T.N_IF), T.F_C);
    store<u32>(at, 0, T.N_IF);
    return goOn(frame, IrqsOff.End, load<u64>(frame, T.F_T1));
  }
  tell(LOG_IRQS_ON, 0, 0, 0);
  store<u32>(at, load<u32>(frame, T.F_C), T.N_IF);
  store<u32>(at, load<u32>(frame, T.F_D), T.N_IDLE);
  pop();
}
