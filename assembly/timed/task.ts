// What a CPU does by itself: its workload, operation after operation, in a closed loop (user work, then
// the next) or at intended times. A late operation keeps its intended time.

import { clearCpu, clearMask, nextCpu, setCpu, testCpu } from '../linux/cpumask';
import { cpus, maskWords } from '../memory/arena';
import { OP_ALLBUTSELF, OP_IRQ_WORK, OP_MASK, OP_SELF, OP_SEND_IPI } from '../memory/codes';
import { counted, cpuMask, inTimed, me, nodeRow, now, self, timed } from './arena';
import {
  CALL_ASYNC,
  CALL_LOCK_SHIFT,
  CAT_IDLE,
  CAT_IRQS_OFF,
  CAT_SEND,
  CAT_USER,
  CAT_WAIT,
  CT_DONE,
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
  DO_NOTHING,
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
  TO_ALL,
  TO_CONTIGUOUS,
  TO_EACH,
  TO_FIXED,
  TO_NEXT,
  TO_OTHERS,
  TO_PAIR,
  TO_RANDOM,
  TO_RANDOM_SET,
} from './codes';
import { draw, drawBelow, quantile } from './costs';
import { become, call, delay, goOn, wait } from './frame';
import * as T from './layout';
import { askFor, release } from './locks';
import { Recorded, Workload } from './records';
import { Arguments, TaskFrame } from './records-frame';
import { callSend } from './send';
import { record, tell } from './stats';

function workload(index: u32): Workload {
  return changetype<Workload>(inTimed(T.TM_WORK + ((<usize>index) << T.WORK_SHIFT)));
}

export const enum Task {
  Plan,
  /** The intended time has come. */
  Start,
  /** It has the lock around the operation. */
  Locked,
  Done,
}

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

/** The next recorded operation, if there is one. */
function recorded(): Recorded {
  return changetype<Recorded>(me.trace);
}

/** When the next operation begins, and what the CPU does until then. */
function plan(frame: TaskFrame): void {
  if (me.work == 0) return rest(frame, false, 0);
  // The first entry of this CPU's mix says its pace.
  const work = workload(me.work - 1);
  const stop = timed.stopSending;
  const busy = work.busy != 0;
  const loops = work.loops;
  const over = (loops != 0 && me.loops >= loops) || now >= stop;
  if (over || work.op == <u32>DO_NOTHING) {
    if (work.op != <u32>DO_NOTHING) counted(CT_DONE);
    return rest(frame, busy, work.idle);
  }
  frame.pc = Task.Start;
  if (work.op == <u32>DO_TRACE) return planRecorded(frame, busy, work.idle);
  const begin = startOf(work);
  if (work.period != 0) return planOpen(frame, work, busy);
  const think = vary(work, work.think) + (now < begin ? begin - now : 0);
  frame.intended = now + think;
  if (now < begin) idle(frame, busy, work.idle);
  else if (think != 0) become(frame, CAT_USER);
  delay(think);
}

function planRecorded(frame: TaskFrame, busy: bool, how: u32): void {
  if (me.trace >= me.traceEnd) {
    counted(CT_DONE);
    return rest(frame, busy, how);
  }
  const meant = recorded().time;
  frame.intended = meant;
  if (meant <= now) return delay(0);
  idle(frame, busy, how);
  delay(meant - now);
}

function startOf(work: Workload): u64 {
  return work.start + work.stagger * self;
}

function planOpen(frame: TaskFrame, work: Workload, busy: bool): void {
  let meant = me.intended;
  const left = me.burst;
  if (left != 0) me.burst = left - 1;
  else {
    const first = me.loops == 0;
    if (first) meant = startOf(work);
    // Periodic ones begin at the start itself.
    if (!first || work.spread != 0) meant += gap(work);
    me.intended = meant;
    me.burst = max(work.burst, 1) - 1;
  }
  frame.intended = meant;
  if (meant <= now) return delay(0);
  idle(frame, busy, work.idle);
  delay(meant - now);
}

function gap(work: Workload): u64 {
  return vary(work, work.period);
}

/** As it is, or exponential: the last table holds quantiles in 1/65536 of the mean. */
function vary(work: Workload, mean: u64): u64 {
  if (mean == 0 || work.spread == 0) return mean;
  const share = quantile(T.TABLE_MAX - 1, draw());
  return (mean >> 16) * share + (((mean & 0xffff) * share) >> 16);
}

/** Until something comes, or the delay that the caller sets ends. */
function idle(frame: TaskFrame, busy: bool, how: u32): void {
  become(frame, busy ? CAT_USER : CAT_IDLE);
  if (!busy) me.idle = how + 1;
}

function rest(frame: TaskFrame, busy: bool, how: u32): void {
  idle(frame, busy, how);
  wait();
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
  tell(LOG_OP, what, to, 0);
  const lock = work.funcLock;
  const waits = work.wait | (lock << CALL_LOCK_SHIFT);
  const func = work.func;
  const vector = work.vector;
  if (what == <u32>DO_FUNC) callProc(frame, PROC_FUNC, func, lock, 0, meant);
  else if (what == <u32>DO_CALL_SINGLE) callProc(frame, PROC_CALL_SINGLE, to, waits, func, meant);
  else if (what == <u32>DO_CALL_ASYNC) {
    callProc(frame, PROC_CALL_SINGLE, to, waits | CALL_ASYNC, func, meant);
  } else if (what == <u32>DO_CALL_ANY) {
    fillTargets(work, 0);
    callProc(frame, PROC_CALL_SINGLE, anyOf(work), waits, func, meant);
  } else if (what == <u32>DO_CALL_MANY) {
    fillTargets(work, 0);
    callProc(frame, PROC_CALL_MANY, work.here, waits, func, meant);
  } else if (what == <u32>DO_STOP) callProc(frame, PROC_STOP, 0, 0, 0, meant);
  else if (what == <u32>DO_IRQ_WORK_ON) callProc(frame, PROC_WAKE, to, 1, func, meant);
  else if (what == <u32>DO_RESCHED) callProc(frame, PROC_RESCHED, to, 0, 0, meant);
  else if (what == <u32>DO_WAKE) callProc(frame, PROC_WAKE, to, 0, func, meant);
  else if (what == <u32>DO_IRQS_OFF) callProc(frame, PROC_IRQS_OFF, 0, 0, 0, work.think);
  else {
    if (what == <u32>DO_SEND_MASK) fillTargets(work, 1);
    callSend(frame, Task.Done, senderOf(what), to, vector, meant);
  }
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
  tell(LOG_OP, what, many ? 0 : to, 0);
  if (many) {
    memory.copy(cpuMask(self, 0), to, (<usize>maskWords) << 3);
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
  tell(LOG_OP_DONE, work.op, 0, now - frame.begun);
}

// --- targets, among WK_TARGET_FIRST to WK_TARGET_LAST ---

function target(work: Workload): u32 {
  const how = work.targets;
  const first = work.targetFirst;
  const last = work.targetLast;
  if (how == <u32>TO_FIXED) return work.target;
  if (how == <u32>TO_NEXT) return self >= last || self < first ? first : self + 1;
  if (how == <u32>TO_PAIR) return (self ^ 1) < cpus ? self ^ 1 : self;
  if (how == <u32>TO_RANDOM) return randomOther(first, last);
  if (how == <u32>TO_EACH) return nextInTurn(first, last);
  return self;
}

/** Any CPU of the range but this one. */
function randomOther(first: u32, last: u32): u32 {
  const inside = self >= first && self <= last;
  const range = last - first + 1;
  if (inside && range == 1) return self;
  const pick = first + drawBelow(inside ? range - 1 : range);
  return inside && pick >= self ? pick + 1 : pick;
}

function nextInTurn(first: u32, last: u32): u32 {
  for (let tries: u32 = 0; tries < 2; tries++) {
    const turn = me.turn;
    const cpu = first + turn > last ? first : first + turn;
    me.turn = cpu - first + 1;
    if (cpu != self) return cpu;
  }
  return self;
}

// smp_call_function_any(): this CPU if it may, else one of its node, else the first.
function anyOf(work: Workload): u32 {
  if (work.here != 0) return self;
  const mask = cpuMask(self, 0);
  const first = nextCpu(mask, 0);
  for (let cpu = first; cpu >= 0; cpu = nextCpu(mask, cpu + 1)) {
    if (nodeRow(cpu).socket == me.socket) return cpu;
  }
  return first < 0 ? self : first;
}

/** Fills mask `which` of this CPU. */
function fillTargets(work: Workload, which: u32): void {
  const mask = cpuMask(self, which);
  const how = work.targets;
  const first = work.targetFirst;
  const last = work.targetLast;
  clearMask(mask);
  // A send without a copy has emptied the mask that this CPU keeps (FAULT_NO_COPY).
  if (which == 1 && me.maskLost != 0) return;
  if (how == <u32>TO_RANDOM_SET || how == <u32>TO_CONTIGUOUS) {
    const inside = self >= first && self <= last;
    const size = min(work.size, last - first + (inside ? 0 : 1));
    let cpu = self;
    for (let made: u32 = 0; made < size; made++) {
      cpu =
        how == <u32>TO_RANDOM_SET
          ? first + drawBelow(last - first + 1)
          : wrap(cpu + 1, first, last);
      while (cpu == self || testCpu(mask, cpu)) cpu = wrap(cpu + 1, first, last);
      setCpu(mask, cpu);
    }
  } else if (how == <u32>TO_OTHERS || how == <u32>TO_ALL) {
    for (let cpu = first; cpu <= last; cpu++) if (cpu != self) setCpu(mask, cpu);
  } else {
    const cpu = target(work);
    if (cpu != self) setCpu(mask, cpu);
  }
  const chance = work.cond;
  if (chance != 0) keepSome(mask, chance);
}

/** on_each_cpu_cond(): only CPUs that meet the condition, each with the same chance. */
function keepSome(mask: usize, chance: u64): void {
  for (let cpu = nextCpu(mask, 0); cpu >= 0; cpu = nextCpu(mask, cpu + 1)) {
    if (draw() >> 32 >= chance) clearCpu(mask, cpu);
  }
}

function wrap(cpu: u32, first: u32, last: u32): u32 {
  return cpu > last || cpu < first ? first : cpu;
}
