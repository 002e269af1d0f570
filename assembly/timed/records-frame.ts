// Frames: a common head, then what the procedure keeps. The host reads the head, and the target and begin
// of a call.

import * as T from './layout';
import { QueuedCall } from './records-message';

@unmanaged
export class Frame {
  /** PROC_* */
  proc: u32;
  /** The step that comes next: an enum of the procedure. */
  pc: u32;
  /** Of the step that was interrupted; NEVER: it waits. */
  left: u64;
  /** 1: the frame came by interrupt. */
  interrupt: u32;
  category: u32;
}
if (offsetof<Frame>('proc') != T.F_PROC) ERROR('Frame.proc');
if (offsetof<Frame>('pc') != T.F_PC) ERROR('Frame.pc');
if (offsetof<Frame>('left') != T.F_LEFT) ERROR('Frame.left');
if (offsetof<Frame>('interrupt') != T.F_INTERRUPT) ERROR('Frame.interrupt');
if (offsetof<Frame>('category') != T.F_CATEGORY) ERROR('Frame.category');
if (offsetof<Frame>() != T.F_A) ERROR('F_A');

/** What a caller hands over; each procedure below gives it names. */
@unmanaged
export class Arguments extends Frame {
  a: u32;
  b: u32;
  c: u32;
  d: u32;
  begun: u64;
  intended: u64;
}
if (offsetof<Arguments>('a') != T.F_A) ERROR('Arguments.a');
if (offsetof<Arguments>('b') != T.F_B) ERROR('Arguments.b');
if (offsetof<Arguments>('c') != T.F_C) ERROR('Arguments.c');
if (offsetof<Arguments>('d') != T.F_D) ERROR('Arguments.d');
if (offsetof<Arguments>('begun') != T.F_T0) ERROR('Arguments.begun');
if (offsetof<Arguments>('intended') != T.F_T1) ERROR('Arguments.intended');

@unmanaged
export class TaskFrame extends Frame {
  /** The workload of the operation under way. */
  work: u32;
  /** Lock + 1 that it has asked for. */
  lock: u32;
  unused32: u64;
  begun: u64;
  intended: u64;
}
if (offsetof<TaskFrame>('work') != T.F_A) ERROR('TaskFrame.work');
if (offsetof<TaskFrame>('lock') != T.F_B) ERROR('TaskFrame.lock');
if (offsetof<TaskFrame>('begun') != T.F_T0) ERROR('TaskFrame.begun');
if (offsetof<TaskFrame>('intended') != T.F_T1) ERROR('TaskFrame.intended');

@unmanaged
export class SendFrame extends Frame {
  op: u32;
  to: u32;
  vector: u32;
  unused36: u32;
  begun: u64;
  intended: u64;
}
if (offsetof<SendFrame>('op') != T.F_A) ERROR('SendFrame.op');
if (offsetof<SendFrame>('to') != T.F_B) ERROR('SendFrame.to');
if (offsetof<SendFrame>('vector') != T.F_C) ERROR('SendFrame.vector');
if (offsetof<SendFrame>('begun') != T.F_T0) ERROR('SendFrame.begun');
if (offsetof<SendFrame>('intended') != T.F_T1) ERROR('SendFrame.intended');

/** Calls of functions on other CPUs, reschedules and wakeups. */
@unmanaged
export class CallFrame extends Frame {
  /** PROC_CALL_MANY: HERE_*, whether the caller's own share runs too. */
  target: u32;
  /** CALL_* | (lock + 1 of the function) << CALL_LOCK_SHIFT; PROC_WAKE: 1 for irq_work. */
  flags: u32;
  func: u32;
  /** The last answer: Answer.*, or what a stuck target is doing. */
  answer: u32;
  /** When the wait began; 0: there was none. */
  begun: u64;
  intended: u64;
  /** Under the csd watch: the step that follows the wait. */
  resume: u32;
  /** csd_lock_wait_toolong()'s of this wait. */
  reports: u32;
}
if (offsetof<CallFrame>('target') != T.F_A) ERROR('CallFrame.target');
if (offsetof<CallFrame>('flags') != T.F_B) ERROR('CallFrame.flags');
if (offsetof<CallFrame>('func') != T.F_C) ERROR('CallFrame.func');
if (offsetof<CallFrame>('answer') != T.F_D) ERROR('CallFrame.answer');
if (offsetof<CallFrame>('begun') != T.F_T0) ERROR('CallFrame.begun');
if (offsetof<CallFrame>('intended') != T.F_T1) ERROR('CallFrame.intended');
if (offsetof<CallFrame>('resume') != T.F_E) ERROR('CallFrame.resume');
if (offsetof<CallFrame>('reports') != T.F_G) ERROR('CallFrame.reports');
if (offsetof<CallFrame>() != T.FRAME_BYTES) ERROR('FRAME_BYTES');

@unmanaged
export class HandlerFrame extends Frame {
  /** A vector, or ICR_NMI. */
  what: u32;
  source: u32;
  /** IF and idleness of what was interrupted. */
  interruptFlag: u32;
  idle: u32;
  begun: u64;
  accepted: u64;
}
if (offsetof<HandlerFrame>('what') != T.F_A) ERROR('HandlerFrame.what');
if (offsetof<HandlerFrame>('source') != T.F_B) ERROR('HandlerFrame.source');
if (offsetof<HandlerFrame>('interruptFlag') != T.F_C) ERROR('HandlerFrame.interruptFlag');
if (offsetof<HandlerFrame>('idle') != T.F_D) ERROR('HandlerFrame.idle');
if (offsetof<HandlerFrame>('begun') != T.F_T0) ERROR('HandlerFrame.begun');
if (offsetof<HandlerFrame>('accepted') != T.F_T1) ERROR('HandlerFrame.accepted');

@unmanaged
export class FlushFrame extends Frame {
  /** What is left of the list, and the entry whose function runs. */
  list: QueuedCall;
  entry: QueuedCall;
  /** 1: a reschedule's, which empties the wake list. */
  wakes: u32;
}
if (offsetof<FlushFrame>('list') != T.F_A) ERROR('FlushFrame.list');
if (offsetof<FlushFrame>('entry') != T.F_B) ERROR('FlushFrame.entry');
if (offsetof<FlushFrame>('wakes') != T.F_C) ERROR('FlushFrame.wakes');

@unmanaged
export class FuncFrame extends Frame {
  func: u32;
  /** Lock + 1 that it takes, or 0. */
  lock: u32;
  unused32: u64;
  begun: u64;
}
if (offsetof<FuncFrame>('func') != T.F_A) ERROR('FuncFrame.func');
if (offsetof<FuncFrame>('lock') != T.F_B) ERROR('FuncFrame.lock');
if (offsetof<FuncFrame>('begun') != T.F_T0) ERROR('FuncFrame.begun');

@unmanaged
export class IrqsOffFrame extends Frame {
  unused24: u64;
  /** What it was before. */
  interruptFlag: u32;
  idle: u32;
  unused40: u64;
  length: u64;
}
if (offsetof<IrqsOffFrame>('interruptFlag') != T.F_C) ERROR('IrqsOffFrame.interruptFlag');
if (offsetof<IrqsOffFrame>('idle') != T.F_D) ERROR('IrqsOffFrame.idle');
if (offsetof<IrqsOffFrame>('length') != T.F_T1) ERROR('IrqsOffFrame.length');

@unmanaged
export class StopFrame extends Frame {
  unused24: u64;
  unused32: u32;
  /** The next CPU that may get an NMI. */
  next: u32;
  begun: u64;
  intended: u64;
}
if (offsetof<StopFrame>('next') != T.F_D) ERROR('StopFrame.next');
if (offsetof<StopFrame>('begun') != T.F_T0) ERROR('StopFrame.begun');
if (offsetof<StopFrame>('intended') != T.F_T1) ERROR('StopFrame.intended');
