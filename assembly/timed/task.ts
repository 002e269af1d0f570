// What a CPU does by itself: its workload, operation after operation, in a closed loop (user work, then
// the next) or at intended times. A late operation keeps its intended time.

import { clearCpu, clearMask, nextCpu, setCpu, testCpu } from '../linux/cpumask';
import { cpus, maskWords } from '../memory/arena';
import { OP_ALLBUTSELF, OP_IRQ_WORK, OP_MASK, OP_SELF, OP_SEND_IPI } from '../memory/codes';
import { at, counted, cpuMask, nodeRow, now, self, timed } from './arena';
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
import { callSend } from './send';
import { record, tell } from './stats';

// F_A the workload of the operation under way, F_B its target, F_T0 begun, F_T1 intended.

function workload(index: u32): usize {
  return timed + T.TM_WORK + ((<usize>index) << T.WORK_SHIFT);
}

/** The first entry of this CPU's mix: its pace. 0: none. */
function own(): usize {
  const index = load<u32>(at, T.N_WORK);
  return index == 0 ? 0 : workload(index - 1);
}

export enum Task {
  Plan,
  /** The intended time has come. */
  Start,
  /** It has the lock around the operation. */
  Locked,
  Done,
}

export function stepTask(frame: usize): void {
  const pc = load<u32>(frame, T.F_PC);
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

/** The next recorded operation, or 0. */
function recorded(): usize {
  const next = load<u32>(at, T.N_TRACE);
  return next < load<u32>(at, T.N_TRACE_END) ? next : 0;
}

/** When the next operation begins, and what the CPU does until then. */
function plan(frame: usize): void {
  const work = own();
  const stop = load<u64>(timed, T.TM_STOP_SENDING);
  if (work == 0) return rest(frame, false, 0);
  const busy = load<u32>(work, T.WK_BUSY) != 0;
  const loops = load<u64>(work, T.WK_LOOPS);
  const over = (loops != 0 && load<u64>(at, T.N_LOOPS) >= loops) || now >= stop;
  if (over || load<u32>(work) == <u32>DO_NOTHING) {
    if (load<u32>(work) != <u32>DO_NOTHING) counted(CT_DONE);
    return rest(frame, busy, load<u32>(work, T.WK_IDLE));
  }
  store<u32>(frame, Task.Start, T.F_PC);
  if (load<u32>(work) == <u32>DO_TRACE)
    return planRecorded(frame, busy, load<u32>(work, T.WK_IDLE));
  const begin = startOf(work);
  if (load<u64>(work, T.WK_PERIOD) != 0) return planOpen(frame, work, busy);
  const think = vary(work, load<u64>(work, T.WK_THINK)) + (now < begin ? begin - now : 0);
  store<u64>(frame, now + think, T.F_T1);
  if (now < begin) idle(frame, busy, load<u32>(work, T.WK_IDLE));
  else if (think != 0) become(frame, CAT_USER);
  delay(think);
}

function planRecorded(frame: usize, busy: bool, how: u32): void {
  const next = recorded();
  if (next == 0) {
    counted(CT_DONE);
    return rest(frame, busy, how);
  }
  const meant = load<u64>(next);
  store<u64>(frame, meant, T.F_T1);
  if (meant <= now) return delay(0);
  idle(frame, busy, how);
  delay(meant - now);
}

function startOf(work: usize): u64 {
  return load<u64>(work, T.WK_START) + load<u64>(work, T.WK_STAGGER) * self;
}

function planOpen(frame: usize, work: usize, busy: bool): void {
  let meant = load<u64>(at, T.N_INTENDED);
  const left = load<u32>(at, T.N_BURST);
  if (left != 0) store<u32>(at, left - 1, T.N_BURST);
  else {
    const first = load<u64>(at, T.N_LOOPS) == 0;
    if (first) meant = startOf(work);
    // Periodic ones begin at the start itself.
    if (!first || load<u32>(work, T.WK_SPREAD) != 0) meant += gap(work);
    store<u64>(at, meant, T.N_INTENDED);
    store<u32>(at, max(load<u32>(work, T.WK_BURST), 1) - 1, T.N_BURST);
  }
  store<u64>(frame, meant, T.F_T1);
  if (meant <= now) return delay(0);
  idle(frame, busy, load<u32>(work, T.WK_IDLE));
  delay(meant - now);
}

function gap(work: usize): u64 {
  return vary(work, load<u64>(work, T.WK_PERIOD));
}

/** As it is, or exponential: the last table holds quantiles in 1/65536 of the mean. */
function vary(work: usize, mean: u64): u64 {
  if (mean == 0 || load<u32>(work, T.WK_SPREAD) == 0) return mean;
  const share = quantile(T.TABLE_MAX - 1, draw());
  return (mean >> 16) * share + (((mean & 0xffff) * share) >> 16);
}

/** Until something comes, or the delay that the caller sets ends. */
function idle(frame: usize, busy: bool, how: u32): void {
  become(frame, busy ? CAT_USER : CAT_IDLE);
  if (!busy) store<u32>(at, how + 1, T.N_IDLE);
}

function rest(frame: usize, busy: bool, how: u32): void {
  idle(frame, busy, how);
  wait();
}

/** Chooses from the mix and takes the lock around it. */
function start(frame: usize): void {
  store<u32>(at, 0, T.N_IDLE);
  if (now >= load<u64>(timed, T.TM_STOP_SENDING)) return goOn(frame, Task.Plan, 0);
  const chosen = choose();
  const work = workload(chosen);
  store<u64>(at, load<u64>(at, T.N_LOOPS) + 1, T.N_LOOPS);
  store<u32>(frame, chosen, T.F_A);
  store<u64>(frame, now, T.F_T0);
  become(frame, CAT_SEND);
  counted(CT_OPS);
  const lock = load<u32>(work, T.WK_LOCK);
  if (lock == 0) return perform(frame);
  store<u32>(frame, Task.Locked, T.F_PC);
  store<u32>(frame, lock, T.F_B);
  become(frame, CAT_WAIT);
  askFor(lock - 1);
  wait();
}

function choose(): u32 {
  const first = load<u32>(at, T.N_WORK) - 1;
  const count = load<u32>(workload(first), T.WK_COUNT);
  if (count <= 1) return first;
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) sum += load<u32>(workload(first + i), T.WK_WEIGHT);
  let pick = drawBelow(sum);
  for (let i: u32 = 0; i < count; i++) {
    const weight = load<u32>(workload(first + i), T.WK_WEIGHT);
    if (pick < weight) return first + i;
    pick -= weight;
  }
  return first;
}

function perform(frame: usize): void {
  const work = workload(load<u32>(frame, T.F_A));
  const what = load<u32>(work);
  const meant = load<u64>(frame, T.F_T1);
  if (what == <u32>DO_TRACE) return repeatRecorded(frame, meant);
  const to = target(work);
  tell(LOG_OP, what, to, 0);
  const lock = load<u32>(work, T.WK_FUNC_LOCK);
  const waits = load<u32>(work, T.WK_WAIT) | (lock << CALL_LOCK_SHIFT);
  const func = load<u32>(work, T.WK_FUNC);
  const vector = load<u32>(work, T.WK_VECTOR);
  if (what == <u32>DO_FUNC) callProc(frame, PROC_FUNC, func, lock, 0, meant);
  else if (what == <u32>DO_CALL_SINGLE) callProc(frame, PROC_CALL_SINGLE, to, waits, func, meant);
  else if (what == <u32>DO_CALL_ASYNC) {
    callProc(frame, PROC_CALL_SINGLE, to, waits | CALL_ASYNC, func, meant);
  } else if (what == <u32>DO_CALL_ANY) {
    fillTargets(work, 0);
    callProc(frame, PROC_CALL_SINGLE, anyOf(work), waits, func, meant);
  } else if (what == <u32>DO_CALL_MANY) {
    fillTargets(work, 0);
    callProc(frame, PROC_CALL_MANY, load<u32>(work, T.WK_HERE), waits, func, meant);
  } else if (what == <u32>DO_STOP) callProc(frame, PROC_STOP, 0, 0, 0, meant);
  else if (what == <u32>DO_IRQ_WORK_ON) callProc(frame, PROC_WAKE, to, 1, func, meant);
  else if (what == <u32>DO_RESCHED) callProc(frame, PROC_RESCHED, to, 0, 0, meant);
  else if (what == <u32>DO_WAKE) callProc(frame, PROC_WAKE, to, 0, func, meant);
  else if (what == <u32>DO_IRQS_OFF)
    callProc(frame, PROC_IRQS_OFF, 0, 0, 0, load<u64>(work, T.WK_THINK));
  else {
    if (what == <u32>DO_SEND_MASK) fillTargets(work, 1);
    callSend(frame, Task.Done, senderOf(what), to, vector, meant);
  }
}

/** Does again what was recorded: the IPI was needed then, so a bare one goes out unasked. */
function repeatRecorded(frame: usize, meant: u64): void {
  const entry = recorded();
  store<u32>(at, <u32>entry + T.RECORDED_BYTES, T.N_TRACE);
  const what = load<u32>(entry, T.RC_OP);
  const to = load<u32>(entry, T.RC_TARGET);
  const waits = load<u32>(entry, T.RC_WAIT);
  const func = load<u32>(entry, T.RC_FUNC);
  const many = what == <u32>DO_CALL_MANY;
  tell(LOG_OP, what, many ? 0 : to, 0);
  if (many) {
    memory.copy(cpuMask(self, 0), to, (<usize>maskWords) << 3);
    callProc(frame, PROC_CALL_MANY, 0, waits, func, meant);
  } else if (what == <u32>DO_CALL_SINGLE) callProc(frame, PROC_CALL_SINGLE, to, waits, func, meant);
  else if (what == <u32>DO_WAKE) callProc(frame, PROC_WAKE, to, 0, func, meant);
  else callSend(frame, Task.Done, senderOf(what), to, load<u32>(entry, T.RC_VECTOR), meant);
}

function callProc(frame: usize, proc: u32, a: u32, b: u32, c: u32, t1: u64): void {
  const category: u32 = proc == <u32>PROC_IRQS_OFF ? CAT_IRQS_OFF : CAT_SEND;
  const called = call(frame, Task.Done, proc, category);
  store<u32>(called, a, T.F_A);
  store<u32>(called, b, T.F_B);
  store<u32>(called, c, T.F_C);
  store<u64>(called, t1, T.F_T1);
}

function senderOf(what: u32): u32 {
  if (what == <u32>DO_SEND_MASK) return OP_MASK;
  if (what == <u32>DO_ALLBUTSELF) return OP_ALLBUTSELF;
  if (what == <u32>DO_SELF) return OP_SELF;
  return what == <u32>DO_IRQ_WORK ? OP_IRQ_WORK : OP_SEND_IPI;
}

function finish(frame: usize): void {
  const work = workload(load<u32>(frame, T.F_A));
  const lock = load<u32>(work, T.WK_LOCK);
  if (lock != 0) release(lock - 1);
  record(HIST_CALL, now - load<u64>(frame, T.F_T0));
  record(HIST_CALL_INTENDED, now - load<u64>(frame, T.F_T1));
  tell(LOG_OP_DONE, load<u32>(work), 0, now - load<u64>(frame, T.F_T0));
}

// --- targets, among WK_TARGET_FIRST to WK_TARGET_LAST ---

function target(work: usize): u32 {
  const how = load<u32>(work, T.WK_TARGETS);
  const first = load<u32>(work, T.WK_TARGET_FIRST);
  const last = load<u32>(work, T.WK_TARGET_LAST);
  if (how == <u32>TO_FIXED) return load<u32>(work, T.WK_TARGET);
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
    const turn = load<u32>(at, T.N_TURN);
    const cpu = first + turn > last ? first : first + turn;
    store<u32>(at, cpu - first + 1, T.N_TURN);
    if (cpu != self) return cpu;
  }
  return self;
}

// smp_call_function_any(): this CPU if it may, else one of its node, else the first.
function anyOf(work: usize): u32 {
  if (load<u32>(work, T.WK_HERE) != 0) return self;
  const mask = cpuMask(self, 0);
  const first = nextCpu(mask, 0);
  for (let cpu = first; cpu >= 0; cpu = nextCpu(mask, cpu + 1)) {
    if (load<u32>(nodeRow(cpu), T.N_SOCKET) == load<u32>(at, T.N_SOCKET)) return cpu;
  }
  return first < 0 ? self : first;
}

/** Fills mask `which` of this CPU. */
function fillTargets(work: usize, which: u32): void {
  const mask = cpuMask(self, which);
  const how = load<u32>(work, T.WK_TARGETS);
  const first = load<u32>(work, T.WK_TARGET_FIRST);
  const last = load<u32>(work, T.WK_TARGET_LAST);
  clearMask(mask);
  // A send without a copy has emptied the mask that this CPU keeps (FAULT_NO_COPY).
  if (which == 1 && load<u32>(at, T.N_MASK_LOST) != 0) return;
  if (how == <u32>TO_RANDOM_SET || how == <u32>TO_CONTIGUOUS) {
    const inside = self >= first && self <= last;
    const size = min(load<u32>(work, T.WK_SIZE), last - first + (inside ? 0 : 1));
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
  const chance = load<u64>(work, T.WK_COND);
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
