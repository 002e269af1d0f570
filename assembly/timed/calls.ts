// smp_call_function_single(), _many() and what goes the same way: reschedules and remote wakeups. The
// target's queue and flags are its own; asking about them is a message there and one back, each half
// a cache line's way. Linux 6.12 kernel/smp.c, kernel/sched/core.c; 4.0 where the era says so.

import { clearCpu, clearMask, nextCpu, setCpu, testCpu } from '../linux/cpumask';
import { manySkipsQueued, ownFlushFirst, wakesBySingle } from '../linux/era';
import { maskWords } from '../memory/arena';
import {
  OP_CALL_MANY,
  OP_CALL_SINGLE,
  OP_RESCHEDULE,
  VECTOR_CALL_FUNCTION_SINGLE,
} from '../memory/codes';
import { counted, cpuMask, me, now, self, timed } from './arena';
import {
  CALL_ASYNC,
  CALL_LOCK_SHIFT,
  CALL_WAITS,
  CAT_SEND,
  CAT_WAIT,
  COST_CALL_SETUP,
  CSD_ASYNC,
  CSD_IRQ_WORK,
  CSD_SYNC,
  CSD_TTWU,
  CT_BUSY,
  CT_CALLS_MANY,
  CT_CALLS_SINGLE,
  CT_CSD_REPORTS,
  CT_CSD_RESENT,
  CT_PANICS,
  CT_POLLING,
  CT_QUEUED,
  CT_SUPPRESSED,
  HIST_CSD_WAIT,
  HIST_QUEUE_TO_FUNC,
  LOG_CSD_RESEND,
  LOG_CSD_STATE,
  LOG_CSD_STUCK,
  LOG_CSD_UNSTUCK,
  LOG_IPI_NEEDED,
  LOG_IPI_POLLING,
  LOG_IPI_SUPPRESSED,
  LOG_PANIC,
  LOG_QUEUE,
  LOG_WAIT,
  LOG_WAIT_DONE,
  MSG_NEED_RESCHED,
  MSG_PEEK,
  MSG_QUEUE,
  PROC_CALL_MANY,
  PROC_CALL_SINGLE,
  QUEUE_ASYNC,
  QUEUE_LOCK_SHIFT,
  QUEUE_MANY,
  QUEUE_PREP,
  UNLOCK_ASYNC,
  UNLOCK_DATA,
  UNLOCK_MANY,
} from './codes';
import { cost, line } from './costs';
import { become, delay, goOn, pop, wait, wake } from './frame';
import { die, runFunc } from './handler';
import { post } from './inbox';
import { CallFrame } from './records-frame';
import { Answer, AnswerMessage, Peeked, Unlock } from './records-message';
import { callSend } from './send';
import { noteWait, record, tell } from './stats';

/** llist_add() to the target's queue; the answer says whether it was empty. `after` ps from now. */
function push(to: u32, type: u32, frame: CallFrame, flags: u32, after: u64): void {
  const func = frame.func;
  const far = line(to);
  counted(CT_QUEUED);
  tell(LOG_QUEUE, func, to, 0);
  const lock = frame.flags >> CALL_LOCK_SHIFT;
  post(
    MSG_QUEUE,
    to,
    after + (far >> 1),
    type,
    func,
    flags | (lock << QUEUE_LOCK_SHIFT),
    now,
    far - (far >> 1),
    me.call,
  );
}

// --- one target ---

const enum Single {
  Setup,
  Queue,
  Ipi,
  Wait,
  Done,
  /** The target is this CPU. */
  Here,
  HereDone,
}

export function stepCallSingle(frame: CallFrame): void {
  const pc = frame.pc;
  const to = frame.target;
  const waits = (frame.flags & CALL_WAITS) != 0;
  if (pc == Single.Setup) {
    counted(CT_CALLS_SINGLE);
    frame.begun = now;
    goOn(frame, to == self ? Single.Here : Single.Queue, cost(COST_CALL_SETUP));
  } else if (pc == Single.Queue) {
    if ((frame.flags & CALL_ASYNC) != 0) return beginAsync(frame, to);
    // Without wait the csd is csd_data, one per CPU: csd_lock() spins until its last call has begun.
    if (!waits && me.csdLocked != 0) return waitFor(frame, Single.Queue, to);
    begin(frame, to, waits);
  } else if (pc == Single.Ipi) sendIfEmpty(frame, Single.Wait, to);
  else if (pc == Single.Wait) {
    if (!waits || me.outstanding == 0) goOn(frame, Single.Done, 0);
    else waitFor(frame, Single.Done, to);
  } else if (pc == Single.Done) {
    if (waits) waited(frame, to);
    pop();
  } else if (pc == Single.Here) {
    // generic_exec_single() on this CPU: the function runs here, with interrupts off.
    record(HIST_QUEUE_TO_FUNC, now - frame.begun);
    me.interruptFlag = 0;
    runFunc(frame, Single.HereDone, frame.func, frame.flags >> CALL_LOCK_SHIFT);
  } else if (pc == Single.HereDone) {
    me.interruptFlag = 1;
    pop();
  } else stepStuck(frame, pc);
}

function begin(frame: CallFrame, to: u32, waits: bool): void {
  become(frame, CAT_SEND);
  frame.begun = 0;
  if (waits) newCall(1);
  else me.csdLocked = 1;
  me.replies = 1;
  push(to, waits ? CSD_SYNC : CSD_ASYNC, frame, QUEUE_PREP, 0);
  frame.pc = Single.Ipi;
  wait();
}

/** smp_call_function_single_async(): -EBUSY while the target has the caller's csd for it. */
function beginAsync(frame: CallFrame, to: u32): void {
  const locked = cpuMask(self, 3);
  if (testCpu(locked, to)) {
    counted(CT_BUSY);
    return pop();
  }
  setCpu(locked, to);
  me.replies = 1;
  push(to, CSD_ASYNC, frame, QUEUE_PREP | QUEUE_ASYNC, 0);
  frame.pc = Single.Ipi;
  wait();
}

function newCall(locks: u32): void {
  me.call++;
  me.outstanding = locks;
}

/** "IPI only when the queue was empty", and not to an idle CPU that polls (6.12). */
function sendIfEmpty(frame: CallFrame, pc: u32, to: u32): void {
  const answer = frame.answer;
  if (answer == Answer.Ipi) {
    tell(LOG_IPI_NEEDED, VECTOR_CALL_FUNCTION_SINGLE, to, 0);
    return callSend(frame, pc, OP_CALL_SINGLE, to, 0, frame.intended);
  }
  counted(answer == Answer.NoIpi ? CT_SUPPRESSED : CT_POLLING);
  tell(answer == Answer.NoIpi ? LOG_IPI_SUPPRESSED : LOG_IPI_POLLING, 0, to, 0);
  goOn(frame, pc, 0);
}

// --- csd_lock_wait() ---

/** Spins until an unlock wakes the frame at `pc`; under the csd watch, no longer than its timeout. */
function waitFor(frame: CallFrame, pc: u32, target: u32): void {
  become(frame, CAT_WAIT);
  tell(LOG_WAIT, 0, target, 0);
  frame.begun = now;
  frame.pc = pc;
  frame.reports = 0;
  me.waitsFor = target;
  watch(frame, pc);
}

/** Waits on; `resume` keeps where the frame goes on once it is unlocked. */
function watch(frame: CallFrame, pc: u32): void {
  const timeout = timed.csdTimeout;
  if (timeout == 0) return wait();
  frame.resume = pc;
  frame.pc = Stuck.Report;
  // First after the timeout, then when more than timeout * (n + 1) * (ilog2(online) / 2 + 1) has passed.
  const reports = frame.reports;
  const factor = <u64>(reports + 1) * ((timed.onlineLog2 >> 1) + 1);
  delay(reports == 0 ? timeout : timeout * factor);
}

/** An unlock has come: the wait is over. */
function released(frame: CallFrame): void {
  if (frame.pc >= <u32>Stuck.Report) frame.pc = frame.resume;
  wake(frame, 0);
}

/** Steps that any waiting frame may be in; beyond the steps of all procedures. */
const enum Stuck {
  Report = 16,
  State,
  Resent,
}

// Linux 6.12 kernel/smp.c csd_lock_wait_toolong(): asks what the target is doing, and sends the IPI again
// when it is doing nothing.
function stepStuck(frame: CallFrame, pc: u32): void {
  const target = me.waitsFor;
  if (pc == Stuck.Report) {
    const reports = frame.reports + 1;
    frame.reports = reports;
    me.reports++;
    counted(CT_CSD_REPORTS);
    const waited = now - frame.begun;
    tell(LOG_CSD_STUCK, reports | (frame.func << 16), target, waited);
    const limit = timed.panic;
    if (limit != 0 && waited > limit) return panic(frame, target, waited);
    const far = line(target);
    post(MSG_PEEK, target, far >> 1, 0, 0, 0, 0, far - (far >> 1), 0);
    frame.pc = Stuck.State;
    wait();
  } else if (pc == Stuck.State) {
    const current = frame.answer;
    tell(LOG_CSD_STATE, current & 0xffff, target, current >> 16);
    if (current != 0) return watch(frame, frame.resume);
    counted(CT_CSD_RESENT);
    tell(LOG_CSD_RESEND, 0, target, 0);
    callSend(frame, Stuck.Resent, OP_CALL_SINGLE, target, 0, frame.intended);
  } else if (unlocked(frame)) {
    frame.pc = frame.resume;
    become(frame, CAT_WAIT);
    delay(0);
  } else watch(frame, frame.resume);
}

/** BUG_ON() of csd_lock_wait_toolong(): this CPU does nothing from here on. */
function panic(frame: CallFrame, target: u32, waited: u64): void {
  counted(CT_PANICS);
  tell(LOG_PANIC, 0, target, waited);
  die(frame);
}

/** Whether what the frame waits for has come while it was busy reporting. */
function unlocked(frame: CallFrame): bool {
  if (frame.proc != <u32>PROC_CALL_SINGLE) return me.outstanding == 0;
  if ((frame.flags & CALL_WAITS) == 0) return me.csdLocked == 0;
  return me.outstanding == 0;
}

/** The wait is over: its length, and the report when it had been reported. */
function waited(frame: CallFrame, target: u32): void {
  const begin = frame.begun;
  const length = begin == 0 ? 0 : now - begin;
  recordWait(length, begin, target, frame.func);
  if (frame.reports != 0) tell(LOG_CSD_UNSTUCK, frame.reports, target, length);
  tell(LOG_WAIT_DONE, 0, target, length);
}

function recordWait(length: u64, begin: u64, target: u32, func: u32): void {
  record(HIST_CSD_WAIT, length);
  noteWait(length, begin, target, func);
}

// --- many targets ---

/** Whether the caller's own share runs; flush_tlb_mm_range() did it first in linux-4.0. */
const enum Share {
  None,
  Here,
  Flush,
}

const enum Many {
  Setup,
  Queue,
  Ipi,
  Here,
  HereDone,
  Wait,
  Done,
  /** linux-4.0's flush_tlb_mm_range(). */
  HereFirst,
  HereFirstDone,
}

// smp_call_function_many_cond(): a csd per target, IPIs only to those whose queue was empty (4.0: to all),
// this CPU's own call in between, then a wait for each.
export function stepCallMany(frame: CallFrame): void {
  const pc = frame.pc;
  const waits = (frame.flags & CALL_WAITS) != 0;
  if (pc == Many.Setup) {
    counted(CT_CALLS_MANY);
    if (frame.target == Share.Flush && ownFlushFirst())
      goOn(frame, Many.HereFirst, cost(COST_CALL_SETUP));
    else goOn(frame, Many.Queue, cost(COST_CALL_SETUP));
  } else if (pc == Many.Queue) {
    const busy = firstBusy();
    if (busy >= 0) return waitFor(frame, Many.Queue, busy);
    become(frame, CAT_SEND);
    frame.begun = 0;
    queueAll(frame, waits);
  } else if (pc == Many.Ipi) sendToEmpty(frame);
  else if (pc == Many.Here) {
    if (frame.target == Share.None) return goOn(frame, Many.Wait, 0);
    runHere(frame, Many.HereDone);
  } else if (pc == Many.HereDone) {
    me.interruptFlag = 1;
    goOn(frame, Many.Wait, 0);
  } else if (pc == Many.Wait) {
    if (!waits || me.outstanding == 0) goOn(frame, Many.Done, 0);
    else waitFor(frame, Many.Done, firstLocked());
  } else if (pc == Many.Done) {
    if (waits) waited(frame, me.waitsFor);
    pop();
  } else if (pc == Many.HereFirst) runHere(frame, Many.HereFirstDone);
  else if (pc == Many.HereFirstDone) {
    // linux-4.0 flushes its own TLB before the others'.
    me.interruptFlag = 1;
    frame.target = Share.None;
    goOn(frame, Many.Queue, 0);
  } else stepStuck(frame, pc);
}

/** on_each_cpu(): this CPU's share, with interrupts off. */
function runHere(frame: CallFrame, pc: u32): void {
  me.interruptFlag = 0;
  runFunc(frame, pc, frame.func, frame.flags >> CALL_LOCK_SHIFT);
}

/** A target that still holds this CPU's csd of an earlier call, or -1. */
function firstBusy(): i32 {
  const call = cpuMask(self, 0);
  const locked = cpuMask(self, 2);
  for (let index: u32 = 0; index < maskWords; index++) {
    const slot = (<usize>index) << 3;
    const both = load<u64>(call + slot) & load<u64>(locked + slot);
    if (both != 0) return (index << 6) | <i32>ctz<u64>(both);
  }
  return -1;
}

function firstLocked(): u32 {
  const first = nextCpu(cpuMask(self, 2), 0);
  return first < 0 ? 0 : first;
}

function queueAll(frame: CallFrame, waits: bool): void {
  const call = cpuMask(self, 0);
  const locked = cpuMask(self, 2);
  clearMask(cpuMask(self, 1));
  let count: u32 = 0;
  let after: u64 = 0;
  for (let cpu = nextCpu(call, 0); cpu >= 0; cpu = nextCpu(call, cpu + 1)) count++;
  newCall(waits ? count : 0);
  me.replies = count;
  for (let cpu = nextCpu(call, 0); cpu >= 0; cpu = nextCpu(call, cpu + 1)) {
    setCpu(locked, cpu);
    push(cpu, waits ? CSD_SYNC : CSD_ASYNC, frame, QUEUE_MANY, after);
    after += line(cpu);
  }
  frame.pc = Many.Ipi;
  if (count == 0) delay(0);
  else wait();
}

function sendToEmpty(frame: CallFrame): void {
  const empty = cpuMask(self, 1);
  if (!manySkipsQueued()) memory.copy(empty, cpuMask(self, 0), (<usize>maskWords) << 3);
  const first = nextCpu(empty, 0);
  if (first < 0) {
    tell(LOG_IPI_SUPPRESSED, 0, self, 0);
    return goOn(frame, Many.Here, 0);
  }
  const meant = frame.intended;
  const single = nextCpu(empty, first + 1) < 0;
  tell(LOG_IPI_NEEDED, 0, first, 0);
  if (single) callSend(frame, Many.Here, OP_CALL_SINGLE, first, 0, meant);
  else callSend(frame, Many.Here, OP_CALL_MANY, 0, 0, meant);
}

// --- reschedule and wakeup ---

const enum Resched {
  Ask,
  Ipi,
  Done,
}

// resched_curr(): sets the target's TIF_NEED_RESCHED; no IPI when it was set, or when the target polls.
export function stepResched(frame: CallFrame): void {
  const pc = frame.pc;
  const to = frame.target;
  if (pc == Resched.Ask) {
    if (to == self) return pop();
    const far = line(to);
    me.replies = 1;
    post(MSG_NEED_RESCHED, to, far >> 1, 0, 0, 0, now, far - (far >> 1), 0);
    frame.pc = Resched.Ipi;
    wait();
  } else if (pc == Resched.Ipi) ipiIf(frame, Resched.Done, OP_RESCHEDULE, to);
  else pop();
}

function ipiIf(frame: CallFrame, pc: u32, op: u32, to: u32): void {
  const answer = frame.answer;
  if (answer == Answer.Ipi) return callSend(frame, pc, op, to, 0, frame.intended);
  counted(answer == Answer.NoIpi ? CT_SUPPRESSED : CT_POLLING);
  tell(answer == Answer.NoIpi ? LOG_IPI_SUPPRESSED : LOG_IPI_POLLING, 1, to, 0);
  goOn(frame, pc, 0);
}

const enum Wake {
  Queue,
  Ipi,
  Done,
}

// ttwu_queue_wakelist(): 6.12 queues on call_single_queue and sends CALL_FUNCTION_SINGLE; 4.0 has a wake
// list of its own and sends RESCHEDULE.
export function stepWake(frame: CallFrame): void {
  const pc = frame.pc;
  const to = frame.target;
  if (pc == Wake.Queue) {
    if (to == self) return pop();
    me.replies = 1;
    // With flags: irq_work_queue_on() instead, which sends a call's IPI in both eras.
    push(to, frame.flags != 0 ? CSD_IRQ_WORK : CSD_TTWU, frame, QUEUE_PREP, 0);
    frame.pc = Wake.Ipi;
    wait();
  } else if (pc == Wake.Ipi) {
    const single = wakesBySingle() || frame.flags != 0;
    ipiIf(frame, Wake.Done, single ? OP_CALL_SINGLE : OP_RESCHEDULE, to);
  } else pop();
}

// --- answers ---

/** MSG_QUEUED, MSG_NEED_RESCHED_SET. */
export function answered(frame: CallFrame, message: AnswerMessage): void {
  const answer = message.answer;
  if (answer == Answer.Ipi) setCpu(cpuMask(self, 1), message.target);
  frame.answer = answer;
  const left = me.replies - 1;
  me.replies = left;
  if (left == 0) wake(frame, 0);
}

/** MSG_UNLOCK. */
export function unlockArrives(frame: CallFrame, message: Unlock): void {
  const which = message.which;
  const target = message.target;
  const waiting = frame.category == <u32>CAT_WAIT && me.replies == 0;
  if (which == <u32>UNLOCK_ASYNC) return clearCpu(cpuMask(self, 3), target);
  if (which == <u32>UNLOCK_MANY) clearCpu(cpuMask(self, 2), target);
  if (which == <u32>UNLOCK_MANY && me.waitsFor == target) {
    // csd_lock_wait() goes on to the next CPU; the last one to unlock is who it waited for.
    if (me.outstanding > 1) me.waitsFor = firstLocked();
  } else if (which == <u32>UNLOCK_MANY && me.outstanding == 1) {
    me.waitsFor = target;
  }
  if (which == <u32>UNLOCK_DATA) me.csdLocked = 0;
  else if (<u32>message.call == me.call && me.outstanding != 0) {
    me.outstanding--;
  }
  if (waiting && canGoOn(frame)) released(frame);
}

/** Whether the waiting frame has what it waits for. */
function canGoOn(frame: CallFrame): bool {
  const pc = frame.pc;
  const next = pc >= <u32>Stuck.Report ? frame.resume : pc;
  if (pc == Stuck.State || pc == Stuck.Resent) return false;
  const proc = frame.proc;
  if (proc == <u32>PROC_CALL_SINGLE && next == Single.Queue) return me.csdLocked == 0;
  if (proc == <u32>PROC_CALL_MANY && next == Many.Queue) return firstBusy() < 0;
  return me.outstanding == 0;
}

/** MSG_PEEKED: what the target is doing. */
export function peeked(frame: CallFrame, message: Peeked): void {
  frame.answer = message.func | (message.mine << 16);
  wake(frame, 0);
}
