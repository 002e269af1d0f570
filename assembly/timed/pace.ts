// When a CPU's next operation begins, and what the CPU does until then: a closed loop thinks between
// operations, an open one has intended times, a recording has its own.

import { counted, inTimed, me, now, self, timed } from './arena';
import { CAT_IDLE, CAT_USER, CT_DONE, DO_NOTHING, DO_TRACE } from './codes';
import { draw, quantile } from './costs';
import { become, delay, wait } from './frame';
import * as T from './layout';
import { Recorded, Workload } from './records';
import { TaskFrame } from './records-frame';
import { Task } from './steps';

export function workload(index: u32): Workload {
  return changetype<Workload>(inTimed(T.TM_WORK, (<usize>index) << T.WORK_SHIFT));
}

/** The next recorded operation, if there is one. */
export function recorded(): Recorded {
  return changetype<Recorded>(me.trace);
}

/** When the next operation begins, and what the CPU does until then. */
export function plan(frame: TaskFrame): void {
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
