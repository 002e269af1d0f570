// One event of a node: a message that arrives, or the end of the top frame's step; and the few messages
// that only move one frame: a lock granted, the bus idle, interrupts off.

import { cpus } from '../memory/arena';
import { needResched, peek, queued, stepPolled } from './answer';
import { me, NEVER, now, self } from './arena';
import { ipiArrives } from './arrive';
import { answered } from './ask';
import { busAsked, busRejected, busStep } from './bus';
import { stepCallMany } from './call-many';
import { stepCallSingle } from './call-single';
import {
  CAT_IRQS_OFF,
  LOG_IRQS_OFF,
  LOG_IRQS_ON,
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
} from './codes';
import { unlockArrives } from './csd';
import { peeked } from './csd-watch';
import { stepFlush } from './flush';
import { depth, die, frameAt, goOn, pop, push, top, wake } from './frame';
import { stepFunc } from './func';
import { stepHandler, takeInterrupts } from './handler';
import { freeRecord } from './inbox';
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
import { AnswerMessage, Ipi, Message, Peeked, Posted, QueuedCall, Unlock } from './records-message';
import { Idle } from './records-node';
import { stepSend } from './send';
import { note } from './stats';
import { Func, IrqsOff, Send, Task } from './steps';
import { stepStop, stopped } from './stop';
import { stepTask } from './task';
import { stepResched, stepWake } from './wakeups';

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
  if (!ASC_NO_ASSERT) assert(me.end == now && depth() > 0);
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
  if (!ASC_NO_ASSERT) assert(me.busWrites != 0);
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
    note(LOG_IRQS_OFF, 0, 0, ps);
    return die(frame);
  }
  frame.length = ps;
  frame.idle = me.idle;
  me.idle = Idle.Busy;
}

function stepIrqsOff(frame: IrqsOffFrame): void {
  if (frame.pc == IrqsOff.Begin) {
    note(LOG_IRQS_OFF, 0, 0, frame.length);
    frame.interruptFlag = me.interruptFlag;
    me.interruptFlag = 0;
    return goOn(frame, IrqsOff.End, frame.length);
  }
  note(LOG_IRQS_ON, 0, 0, 0);
  me.interruptFlag = frame.interruptFlag;
  me.idle = frame.idle;
  pop();
}
