// What a CPU does by itself: its workload, operation after operation, in a closed loop or at intended
// times. A late operation keeps its intended time.

import { maskWords } from '../memory/arena';
import { OP_ALLBUTSELF, OP_IRQ_WORK, OP_MASK, OP_SELF, OP_SEND_IPI } from '../memory/codes';
import { counted, cpuMask, Mask, me, now, self, timed } from './arena';
import {
  CALL_ASYNC,
  CALL_LOCK_SHIFT,
  CAT_IRQS_OFF,
  CAT_SEND,
  CAT_WAIT,
  CT_OPS,
  DO_ALLBUTSELF,
  DO_CALL_ANY,
  DO_CALL_ASYNC,
  DO_CALL_MANY,
  DO_CALL_SINGLE,
  DO_FUNC,
  DO_IRQ_WORK,
  DO_IRQ_WORK_ON,
  DO_IRQS_OFF,
  DO_RESCHED,
  DO_SELF,
  DO_SEND_MASK,
  DO_STOP,
  DO_TRACE,
  DO_WAKE,
  HIST_CALL,
  HIST_CALL_INTENDED,
  LOG_OP,
  LOG_OP_DONE,
  PROC_CALL_MANY,
  PROC_CALL_SINGLE,
  PROC_FUNC,
  PROC_IRQS_OFF,
  PROC_RESCHED,
  PROC_STOP,
  PROC_WAKE,
} from './codes';
import { drawBelow } from './costs';
import { become, call, goOn, wait } from './frame';
import * as T from './layout';
import { askFor, release } from './locks';
import { plan, recorded, workload } from './pace';
import { Workload } from './records';
import { Arguments, TaskFrame } from './records-frame';
import { callSend } from './send';
import { note, record } from './stats';
import { Task } from './steps';
import { anyOf, fillTargets, target } from './targets';

export function stepTask(frame: TaskFrame): void {
  const pc = frame.pc;
  if (pc == Task.Plan) plan(frame);
  else if (pc == Task.Start) start(frame);
  else if (pc == Task.Locked) {
    become(frame, CAT_SEND);
    perform(frame);
  } else {
    finish(frame);
    plan(frame);
  }
}

/** Chooses from the mix and takes the lock around it. */
function start(frame: TaskFrame): void {
  me.idle = 0;
  if (now >= timed.stopSending) return goOn(frame, Task.Plan, 0);
  const chosen = choose();
  const work = workload(chosen);
  me.loops++;
  frame.work = chosen;
  frame.begun = now;
  become(frame, CAT_SEND);
  counted(CT_OPS);
  const lock = work.lock;
  if (lock == 0) return perform(frame);
  frame.pc = Task.Locked;
  frame.lock = lock;
  become(frame, CAT_WAIT);
  askFor(lock - 1);
  wait();
}

function choose(): u32 {
  const first = me.work - 1;
  const count = workload(first).count;
  if (count <= 1) return first;
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) sum += workload(first + i).weight;
  let pick = drawBelow(sum);
  for (let i: u32 = 0; i < count; i++) {
    const weight = workload(first + i).weight;
    if (pick < weight) return first + i;
    pick -= weight;
  }
  return first;
}

function perform(frame: TaskFrame): void {
  const work = workload(frame.work);
  const what = work.op;
  const meant = frame.intended;
  if (what == <u32>DO_TRACE) return repeatRecorded(frame, meant);
  const to = target(work);
  note(LOG_OP, what, to, 0);
  const func = work.func;
  if (isCall(what)) performCall(frame, work, to);
  else if (what == <u32>DO_FUNC) callProc(frame, PROC_FUNC, func, work.funcLock, 0, meant);
  else if (what == <u32>DO_STOP) callProc(frame, PROC_STOP, 0, 0, 0, meant);
  else if (what == <u32>DO_IRQ_WORK_ON) callProc(frame, PROC_WAKE, to, 1, func, meant);
  else if (what == <u32>DO_RESCHED) callProc(frame, PROC_RESCHED, to, 0, 0, meant);
  else if (what == <u32>DO_WAKE) callProc(frame, PROC_WAKE, to, 0, func, meant);
  else if (what == <u32>DO_IRQS_OFF) callProc(frame, PROC_IRQS_OFF, 0, 0, 0, work.think);
  else {
    if (what == <u32>DO_SEND_MASK) fillTargets(work, Mask.Receivers);
    callSend(frame, Task.Done, senderOf(what), to, work.vector, meant);
  }
}

function isCall(what: u32): bool {
  if (what == <u32>DO_CALL_SINGLE || what == <u32>DO_CALL_MANY) return true;
  return what == <u32>DO_CALL_ANY || what == <u32>DO_CALL_ASYNC;
}

function performCall(frame: TaskFrame, work: Workload, to: u32): void {
  const what = work.op;
  const meant = frame.intended;
  const func = work.func;
  let flags = work.wait | (work.funcLock << CALL_LOCK_SHIFT);
  if (what == <u32>DO_CALL_ANY || what == <u32>DO_CALL_MANY) fillTargets(work, Mask.Targets);
  if (what == <u32>DO_CALL_MANY) {
    return callProc(frame, PROC_CALL_MANY, work.here, flags, func, meant);
  }
  if (what == <u32>DO_CALL_ANY) to = anyOf(work);
  if (what == <u32>DO_CALL_ASYNC) flags |= CALL_ASYNC;
  callProc(frame, PROC_CALL_SINGLE, to, flags, func, meant);
}

/** Does again what was recorded: the IPI was needed then, so a bare one goes out unasked. */
function repeatRecorded(frame: TaskFrame, meant: u64): void {
  const entry = recorded();
  me.trace += T.RECORDED_BYTES;
  const what = entry.op;
  const to = entry.target;
  const waits = entry.wait;
  const func = entry.func;
  const many = what == <u32>DO_CALL_MANY;
  note(LOG_OP, what, many ? 0 : to, 0);
  if (many) {
    memory.copy(cpuMask(self, Mask.Targets), to, (<usize>maskWords) << 3);
    callProc(frame, PROC_CALL_MANY, 0, waits, func, meant);
  } else if (what == <u32>DO_CALL_SINGLE) callProc(frame, PROC_CALL_SINGLE, to, waits, func, meant);
  else if (what == <u32>DO_WAKE) callProc(frame, PROC_WAKE, to, 0, func, meant);
  else callSend(frame, Task.Done, senderOf(what), to, entry.vector, meant);
}

function callProc(frame: TaskFrame, proc: u32, a: u32, b: u32, c: u32, t1: u64): void {
  const category: u32 = proc == <u32>PROC_IRQS_OFF ? CAT_IRQS_OFF : CAT_SEND;
  const called = changetype<Arguments>(call(frame, Task.Done, proc, category));
  called.a = a;
  called.b = b;
  called.c = c;
  called.intended = t1;
}

function senderOf(what: u32): u32 {
  if (what == <u32>DO_SEND_MASK) return OP_MASK;
  if (what == <u32>DO_ALLBUTSELF) return OP_ALLBUTSELF;
  if (what == <u32>DO_SELF) return OP_SELF;
  return what == <u32>DO_IRQ_WORK ? OP_IRQ_WORK : OP_SEND_IPI;
}

function finish(frame: TaskFrame): void {
  const work = workload(frame.work);
  const lock = work.lock;
  if (lock != 0) release(lock - 1);
  record(HIST_CALL, now - frame.begun);
  record(HIST_CALL_INTENDED, now - frame.intended);
  note(LOG_OP_DONE, work.op, 0, now - frame.begun);
}
