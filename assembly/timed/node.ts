// One event of a node: a message that arrives, or the end of the top frame's step.

import { pollingNeedsNoIpi } from '../linux/era';
import { cpus } from '../memory/arena';
import { me, NEVER, self } from './arena';
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
import { append } from './lists';
import { lockMessage } from './locks';
import {
  CallFrame,
  FlushFrame,
  Frame,
  FuncFrame,
  HandlerFrame,
  IrqsOffFrame,
  SendFrame,
  StopFrame,
  TaskFrame,
} from './records-frame';
import {
  Answer,
  AnswerMessage,
  Ipi,
  Message,
  NONE,
  Peeked,
  Posted,
  QueuedCall,
  Unlock,
} from './records-message';
import { Idle } from './records-node';
import { Send, stepSend } from './send';
import { tell } from './stats';
import { stepStop, stopped } from './stop';
import { stepTask, Task } from './task';

export function handleMessage(message: Message): void {
  if (self >= cpus) return deviceMessage(message);
  const kind = message.kind;
  if (kind == <u32>MSG_QUEUE) return queued(changetype<QueuedCall>(message)); // keeps the record
  if (kind == <u32>MSG_IPI) ipiArrives(changetype<Ipi>(message));
  else if (kind == <u32>MSG_QUEUED || kind == <u32>MSG_NEED_RESCHED_SET)
    answered(changetype<CallFrame>(caller()), changetype<AnswerMessage>(message));
  else if (kind == <u32>MSG_NEED_RESCHED) needResched(changetype<Posted>(message));
  else if (kind == <u32>MSG_GRANT) granted(changetype<Posted>(message).a);
  else if (kind == <u32>MSG_IRQS_OFF) irqsOff(changetype<Posted>(message).d);
  else if (kind == <u32>MSG_PEEK) peek(changetype<Posted>(message));
  else if (kind == <u32>MSG_PEEKED)
    peeked(changetype<CallFrame>(caller()), changetype<Peeked>(message));
  else if (kind == <u32>MSG_BUS_DONE) busIdle();
  else if (kind == <u32>MSG_STOPPED) stopped(changetype<Posted>(message).a);
  else unlockArrives(changetype<CallFrame>(caller()), changetype<Unlock>(message));
  freeRecord(message);
  takeInterrupts();
}

function deviceMessage(message: Message): void {
  const kind = message.kind;
  if (kind == <u32>MSG_BUS) busAsked(message);
  else if (kind == <u32>MSG_BUS_STATUS) {
    busRejected(changetype<Posted>(message).a);
    freeRecord(message);
  } else lockMessage(message);
}

export function stepFrame(): void {
  if (self >= cpus) return busStep();
  const frame = top();
  const proc = frame.proc;
  if (proc == <u32>PROC_TASK) stepTask(changetype<TaskFrame>(frame));
  else if (proc == <u32>PROC_SEND) stepSend(changetype<SendFrame>(frame));
  else if (proc == <u32>PROC_HANDLER) stepHandler(changetype<HandlerFrame>(frame));
  else if (proc == <u32>PROC_FLUSH) stepFlush(changetype<FlushFrame>(frame));
  else if (proc == <u32>PROC_FUNC) stepFunc(changetype<FuncFrame>(frame));
  else if (proc == <u32>PROC_CALL_SINGLE) stepCallSingle(changetype<CallFrame>(frame));
  else if (proc == <u32>PROC_CALL_MANY) stepCallMany(changetype<CallFrame>(frame));
  else if (proc == <u32>PROC_RESCHED) stepResched(changetype<CallFrame>(frame));
  else if (proc == <u32>PROC_WAKE) stepWake(changetype<CallFrame>(frame));
  else if (proc == <u32>PROC_POLLED) stepPolled(frame);
  else if (proc == <u32>PROC_STOP) stepStop(changetype<StopFrame>(frame));
  else stepIrqsOff(changetype<IrqsOffFrame>(frame));
  takeInterrupts();
}

/** The frame that waits for answers: the highest one below any interrupt. Handlers call nobody. */
function caller(): Frame {
  const count = depth();
  let index: u32 = 0;
  while (index + 1 < count && frameAt(index + 1).interrupt == 0) index++;
  return frameAt(index);
}

// --- at the target of a call ---

/** llist_add() by another CPU. */
function queued(entry: QueuedCall): void {
  const list = listOf(entry.type);
  const wasEmpty = list.first == NONE;
  append(list, entry);
  const asks = (entry.flags & QUEUE_PREP) != 0;
  const skips = pollingNeedsNoIpi() || entry.type == <u32>CSD_TTWU;
  const polls = wasEmpty && asks && skips && me.idle == Idle.Polling;
  const source = entry.source;
  const answer: u32 = !wasEmpty ? Answer.NoIpi : polls ? Answer.Polling : Answer.Ipi;
  post(MSG_QUEUED, source, entry.back, self, answer, 0, 0, 0, 0);
  if (polls) polledAwake(source);
  takeInterrupts();
}

/** set_nr_if_polling(), or the flag's atomic or. */
function needResched(message: Posted): void {
  const was = me.needResched != 0;
  const polls = me.idle == Idle.Polling;
  const source = message.source;
  const answer: u32 = was ? Answer.NoIpi : polls ? Answer.Polling : Answer.Ipi;
  me.needResched = 1;
  post(MSG_NEED_RESCHED_SET, source, message.t1, self, answer, 0, 0, 0, 0);
  if (polls && !was) polledAwake(source);
}

const enum Polled {
  Flush,
  Sleep,
}

/** The polling idle loop sees TIF_NEED_RESCHED: it flushes the queue without an interrupt. */
function polledAwake(source: u32): void {
  tell(LOG_WOKEN, 0, source, 0);
  me.idle = Idle.Busy;
  me.interruptFlag = 0;
  const frame = push(PROC_POLLED, CAT_IRQ, true);
  goOn(frame, Polled.Flush, cost(COST_POLL_WAKE));
}

function stepPolled(frame: Frame): void {
  if (frame.pc == Polled.Flush) {
    me.needResched = 0;
    callFlush(frame, Polled.Sleep, true);
    return;
  }
  me.interruptFlag = 1;
  pop();
  me.idle = Idle.Polling;
}

function peek(message: Posted): void {
  const source = message.source;
  const current = me.currentFunc;
  const mine: u32 = current != 0 && me.currentSource == source ? 1 : 0;
  post(MSG_PEEKED, source, message.t1, current, mine, 0, 0, 0, 0);
}

// --- locks, the bus, interrupts off ---

/** Lock `lock` is this CPU's: the frame that asked goes on. */
function granted(lock: u32): void {
  for (let index = depth(); index > 0; index--) {
    const frame = frameAt(index - 1);
    if (lockAskedFor(frame) == lock + 1) return wake(frame, 0);
  }
}

/** Lock + 1, or 0. */
function lockAskedFor(frame: Frame): u32 {
  const proc = frame.proc;
  if (proc == <u32>PROC_FUNC && frame.pc == Func.Locked) return changetype<FuncFrame>(frame).lock;
  if (proc == <u32>PROC_TASK && frame.pc == Task.Locked) return changetype<TaskFrame>(frame).lock;
  return 0;
}

/** The delivery status of this CPU's ICR goes idle when its last message is over. */
function busIdle(): void {
  const left = me.busWrites - 1;
  me.busWrites = left;
  if (left != 0) return;
  const frame = caller();
  if (frame.proc == <u32>PROC_SEND && frame.pc == Send.Write) wake(frame, 0);
}

/** This CPU's interrupts are off for `ps`; NEVER: it is dead. */
function irqsOff(ps: u64): void {
  const frame = changetype<IrqsOffFrame>(push(PROC_IRQS_OFF, CAT_IRQS_OFF, true));
  if (ps == NEVER) {
    tell(LOG_IRQS_OFF, 0, 0, ps);
    return die(frame);
  }
  frame.length = ps;
  frame.idle = me.idle;
  me.idle = Idle.Busy;
}

const enum IrqsOff {
  Begin,
  End,
}

function stepIrqsOff(frame: IrqsOffFrame): void {
  if (frame.pc == IrqsOff.Begin) {
    tell(LOG_IRQS_OFF, 0, 0, frame.length);
    frame.interruptFlag = me.interruptFlag;
    me.interruptFlag = 0;
    return goOn(frame, IrqsOff.End, frame.length);
  }
  tell(LOG_IRQS_ON, 0, 0, 0);
  me.interruptFlag = frame.interruptFlag;
  me.idle = frame.idle;
  pop();
}
