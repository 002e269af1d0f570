// smp_call_function_single(), _many() and what goes the same way: reschedules and remote wakeups. The
// target's queue and flags are its own; asking about them is a message there and one back, each half
// a cache line's way. Linux 6.12 kernel/smp.c, kernel/sched/core.c; 4.0 where the era says so.

import { is612 } from '../linux/config';
import { clearCpu, clearMask, nextCpu, setCpu, testCpu } from '../linux/cpumask';
import { maskWords } from '../memory/arena';
import {
  OP_CALL_MANY,
  OP_CALL_SINGLE,
  OP_RESCHEDULE,
  VECTOR_CALL_FUNCTION_SINGLE,
} from '../memory/codes';
import { at, counted, cpuMask, now, self, timed } from './arena';
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
import * as T from './layout';
import { callSend } from './send';
import { noteWait, record, tell } from './stats';

// F_A target, F_B CALL_* | lock << 8, F_C func, F_T1 intended time of the call; F_D the answer.
/** llist_add() to the target's queue; the answer says whether it was empty. `after` ps from now. */
function push(to: u32, type: u32, frame: usize, flags: u32, after: u64): void {
  const func = load<u32>(frame, T.F_C);
  const far = line(to);
  counted(CT_QUEUED);
  tell(LOG_QUEUE, func, to, 0);
  const lock = load<u32>(frame, T.F_B) >> CALL_LOCK_SHIFT;
  post(
    MSG_QUEUE,
    to,
    after + (far >> 1),
    type,
    func,
    flags | (lock << QUEUE_LOCK_SHIFT),
    now,
    far - (far >> 1),
    load<u32>(at, T.N_CALL),
  );
}

// --- one target ---

enum Single {
  Setup,
  Queue,
  Ipi,
  Wait,
  Done,
  /** The target is this CPU. */
  Here,
  HereDone,
}

export function stepCallSingle(frame: usize): void {
  const pc = load<u32>(frame, T.F_PC);
  const to = load<u32>(frame, T.F_A);
  const waits = (load<u32>(frame, T.F_B) & CALL_WAITS) != 0;
  if (pc == Single.Setup) {
    counted(CT_CALLS_SINGLE);
    store<u64>(frame, now, T.F_T0);
    goOn(frame, to == self ? Single.Here : Single.Queue, cost(COST_CALL_SETUP));
  } else if (pc == Single.Queue) {
    if ((load<u32>(frame, T.F_B) & CALL_ASYNC) != 0) return beginAsync(frame, to);
    // Without wait the csd is csd_data, one per CPU: csd_lock() spins until its last call has begun.
    if (!waits && load<u32>(at, T.N_CSD_LOCKED) != 0) return waitFor(frame, Single.Queue, to);
    begin(frame, to, waits);
  } else if (pc == Single.Ipi) sendIfEmpty(frame, Single.Wait, to);
  else if (pc == Single.Wait) {
    if (!waits || load<u32>(at, T.N_OUTSTANDING) == 0) goOn(frame, Single.Done, 0);
    else waitFor(frame, Single.Done, to);
  } else if (pc == Single.Done) {
    if (waits) waited(frame, to);
    pop();
  } else if (pc == Single.Here) {
    // generic_exec_single() on this CPU: the function runs here, with interrupts off.
    record(HIST_QUEUE_TO_FUNC, now - load<u64>(frame, T.F_T0));
    store<u32>(at, 0, T.N_IF);
    runFunc(
      frame,
      Single.HereDone,
      load<u32>(frame, T.F_C),
      load<u32>(frame, T.F_B) >> CALL_LOCK_SHIFT,
    );
  } else if (pc == Single.HereDone) {
    store<u32>(at, 1, T.N_IF);
    pop();
  } else stepStuck(frame, pc);
}

function begin(frame: usize, to: u32, waits: bool): void {
  become(frame, CAT_SEND);
  store<u64>(frame, 0, T.F_T0);
  if (waits) newCall(1);
  else store<u32>(at, 1, T.N_CSD_LOCKED);
  store<u32>(at, 1, T.N_REPLIES);
  push(to, waits ? CSD_SYNC : CSD_ASYNC, frame, QUEUE_PREP, 0);
  store<u32>(frame, Single.Ipi, T.F_PC);
  wait();
}

/** smp_call_function_single_async(): -EBUSY while the target has the caller's csd for it. */
function beginAsync(frame: usize, to: u32): void {
  const locked = cpuMask(self, 3);
  if (testCpu(locked, to)) {
    counted(CT_BUSY);
    return pop();
  }
  setCpu(locked, to);
  store<u32>(at, 1, T.N_REPLIES);
  push(to, CSD_ASYNC, frame, QUEUE_PREP | QUEUE_ASYNC, 0);
  store<u32>(frame, Single.Ipi, T.F_PC);
  wait();
}

function newCall(locks: u32): void {
  store<u32>(at, load<u32>(at, T.N_CALL) + 1, T.N_CALL);
  store<u32>(at, locks, T.N_OUTSTANDING);
}

/** "IPI only when the queue was empty", and not to an idle CPU that polls (6.12). */
function sendIfEmpty(frame: usize, pc: u32, to: u32): void {
  const answer = load<u32>(frame, T.F_D);
  if (answer == 1) {
    tell(LOG_IPI_NEEDED, VECTOR_CALL_FUNCTION_SINGLE, to, 0);
    return callSend(frame, pc, OP_CALL_SINGLE, to, 0, load<u64>(frame, T.F_T1));
  }
  counted(answer == 0 ? CT_SUPPRESSED : CT_POLLING);
  tell(answer == 0 ? LOG_IPI_SUPPRESSED : LOG_IPI_POLLING, 0, to, 0);
  goOn(frame, pc, 0);
}

// --- csd_lock_wait() ---

/** Spins until an unlock wakes the frame at `pc`; under the csd watch, no longer than its timeout. */
function waitFor(frame: usize, pc: u32, target: u32): void {
  become(frame, CAT_WAIT);
  tell(LOG_WAIT, 0, target, 0);
  store<u64>(frame, now, T.F_T0);
  store<u32>(frame, pc, T.F_PC);
  store<u32>(frame, 0, T.F_G);
  store<u32>(at, target, T.N_WAITS_FOR);
  watch(frame, pc);
}

/** Waits on; F_E keeps where the frame goes on once it is unlocked. */
function watch(frame: usize, pc: u32): void {
  const timeout = load<u64>(timed, T.TM_CSD_TIMEOUT);
  if (timeout == 0) return wait();
  store<u32>(frame, pc, T.F_E);
  store<u32>(frame, Stuck.Report, T.F_PC);
  // First after the timeout, then when more than timeout * (n + 1) * (ilog2(online) / 2 + 1) has passed.
  const reports = load<u32>(frame, T.F_G);
  const factor = <u64>(reports + 1) * ((load<u32>(timed, T.TM_ONLINE_LOG2) >> 1) + 1);
  delay(reports == 0 ? timeout : timeout * factor);
}

/** An unlock has come: the wait is over. */
function released(frame: usize): void {
  if (load<u32>(frame, T.F_PC) >= <u32>Stuck.Report)
    store<u32>(frame, load<u32>(frame, T.F_E), T.F_PC);
  wake(frame, 0);
}

/** Steps that any waiting frame may be in; beyond the steps of all procedures. */
enum Stuck {
  Report = 16,
  State,
  Resent,
}

// Linux 6.12 kernel/smp.c csd_lock_wait_toolong(): asks what the target is doing, and sends the IPI again
// when it is doing nothing.
function stepStuck(frame: usize, pc: u32): void {
  const target = load<u32>(at, T.N_WAITS_FOR);
  if (pc == Stuck.Report) {
    const reports = load<u32>(frame, T.F_G) + 1;
    store<u32>(frame, reports, T.F_G);
    store<u32>(at, load<u32>(at, T.N_REPORTS) + 1, T.N_REPORTS);
    counted(CT_CSD_REPORTS);
    const waited = now - load<u64>(frame, T.F_T0);
    tell(LOG_CSD_STUCK, reports | (load<u32>(frame, T.F_C) << 16), target, waited);
    const limit = load<u64>(timed, T.TM_PANIC);
    if (limit != 0 && waited > limit) return panic(frame, target, waited);
    const far = line(target);
    post(MSG_PEEK, target, far >> 1, 0, 0, 0, 0, far - (far >> 1), 0);
    store<u32>(frame, Stuck.State, T.F_PC);
    wait();
  } else if (pc == Stuck.State) {
    const current = load<u32>(frame, T.F_D);
    tell(LOG_CSD_STATE, current & 0xffff, target, current >> 16);
    if (current != 0) return watch(frame, load<u32>(frame, T.F_E));
    counted(CT_CSD_RESENT);
    tell(LOG_CSD_RESEND, 0, target, 0);
    callSend(frame, Stuck.Resent, OP_CALL_SINGLE, target, 0, load<u64>(frame, T.F_T1));
  } else if (unlocked(frame)) {
    store<u32>(frame, load<u32>(frame, T.F_E), T.F_PC);
    become(frame, CAT_WAIT);
    delay(0);
  } else watch(frame, load<u32>(frame, T.F_E));
}

/** BUG_ON() of csd_lock_wait_toolong(): this CPU does nothing from here on. */
function panic(frame: usize, target: u32, waited: u64): void {
  counted(CT_PANICS);
  tell(LOG_PANIC, 0, target, waited);
  die(frame);
}

/** Whether what the frame waits for has come while it was busy reporting. */
function unlocked(frame: usize): bool {
  if (load<u32>(frame, T.F_PROC) != <u32>PROC_CALL_SINGLE)
    return load<u32>(at, T.N_OUTSTANDING) == 0;
  if ((load<u32>(frame, T.F_B) & CALL_WAITS) == 0) return load<u32>(at, T.N_CSD_LOCKED) == 0;
  return load<u32>(at, T.N_OUTSTANDING) == 0;
}

/** The wait is over: its length, and the report when it had been reported. */
function waited(frame: usize, target: u32): void {
  const begin = load<u64>(frame, T.F_T0);
  const length = begin == 0 ? 0 : now - begin;
  recordWait(length, begin, target, load<u32>(frame, T.F_C));
  if (load<u32>(frame, T.F_G) != 0) tell(LOG_CSD_UNSTUCK, load<u32>(frame, T.F_G), target, length);
  tell(LOG_WAIT_DONE, 0, target, length);
}

function recordWait(length: u64, begin: u64, target: u32, func: u32): void {
  record(HIST_CSD_WAIT, length);
  noteWait(length, begin, target, func);
}

// --- many targets ---

/** F_A: the caller's own share runs too; flush_tlb_mm_range() did it first in linux-4.0. */
const HERE_FLUSH: u32 = 2;

enum Many {
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
export function stepCallMany(frame: usize): void {
  const pc = load<u32>(frame, T.F_PC);
  const waits = (load<u32>(frame, T.F_B) & CALL_WAITS) != 0;
  if (pc == Many.Setup) {
    counted(CT_CALLS_MANY);
    if (load<u32>(frame, T.F_A) == HERE_FLUSH && !is612())
      goOn(frame, Many.HereFirst, cost(COST_CALL_SETUP));
    else goOn(frame, Many.Queue, cost(COST_CALL_SETUP));
  } else if (pc == Many.Queue) {
    const busy = firstBusy();
    if (busy >= 0) return waitFor(frame, Many.Queue, busy);
    become(frame, CAT_SEND);
    store<u64>(frame, 0, T.F_T0);
    queueAll(frame, waits);
  } else if (pc == Many.Ipi) sendToEmpty(frame);
  else if (pc == Many.Here) {
    if (load<u32>(frame, T.F_A) == 0) return goOn(frame, Many.Wait, 0);
    runHere(frame, Many.HereDone);
  } else if (pc == Many.HereDone) {
    store<u32>(at, 1, T.N_IF);
    goOn(frame, Many.Wait, 0);
  } else if (pc == Many.Wait) {
    if (!waits || load<u32>(at, T.N_OUTSTANDING) == 0) goOn(frame, Many.Done, 0);
    else waitFor(frame, Many.Done, firstLocked());
  } else if (pc == Many.Done) {
    if (waits) waited(frame, load<u32>(at, T.N_WAITS_FOR));
    pop();
  } else if (pc == Many.HereFirst) runHere(frame, Many.HereFirstDone);
  else if (pc == Many.HereFirstDone) {
    // linux-4.0 flushes its own TLB before the others'.
    store<u32>(at, 1, T.N_IF);
    store<u32>(frame, 0, T.F_A);
    goOn(frame, Many.Queue, 0);
  } else stepStuck(frame, pc);
}

/** on_each_cpu(): this CPU's share, with interrupts off. */
function runHere(frame: usize, pc: u32): void {
  store<u32>(at, 0, T.N_IF);
  runFunc(frame, pc, load<u32>(frame, T.F_C), load<u32>(frame, T.F_B) >> CALL_LOCK_SHIFT);
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

function queueAll(frame: usize, waits: bool): void {
  const call = cpuMask(self, 0);
  const locked = cpuMask(self, 2);
  clearMask(cpuMask(self, 1));
  let count: u32 = 0;
  let after: u64 = 0;
  for (let cpu = nextCpu(call, 0); cpu >= 0; cpu = nextCpu(call, cpu + 1)) count++;
  newCall(waits ? count : 0);
  store<u32>(at, count, T.N_REPLIES);
  for (let cpu = nextCpu(call, 0); cpu >= 0; cpu = nextCpu(call, cpu + 1)) {
    setCpu(locked, cpu);
    push(cpu, waits ? CSD_SYNC : CSD_ASYNC, frame, QUEUE_MANY, after);
    after += line(cpu);
  }
  store<u32>(frame, Many.Ipi, T.F_PC);
  if (count == 0) delay(0);
  else wait();
}

function sendToEmpty(frame: usize): void {
  const empty = cpuMask(self, 1);
  if (!is612()) memory.copy(empty, cpuMask(self, 0), (<usize>maskWords) << 3);
  const first = nextCpu(empty, 0);
  if (first < 0) {
    tell(LOG_IPI_SUPPRESSED, 0, self, 0);
    return goOn(frame, Many.Here, 0);
  }
  const meant = load<u64>(frame, T.F_T1);
  const single = nextCpu(empty, first + 1) < 0;
  tell(LOG_IPI_NEEDED, 0, first, 0);
  if (single) callSend(frame, Many.Here, OP_CALL_SINGLE, first, 0, meant);
  else callSend(frame, Many.Here, OP_CALL_MANY, 0, 0, meant);
}

// --- reschedule and wakeup ---

enum Resched {
  Ask,
  Ipi,
  Done,
}

// resched_curr(): sets the target's TIF_NEED_RESCHED; no IPI when it was set, or when the target polls.
export function stepResched(frame: usize): void {
  const pc = load<u32>(frame, T.F_PC);
  const to = load<u32>(frame, T.F_A);
  if (pc == Resched.Ask) {
    if (to == self) return pop();
    const far = line(to);
    store<u32>(at, 1, T.N_REPLIES);
    post(MSG_NEED_RESCHED, to, far >> 1, 0, 0, 0, now, far - (far >> 1), 0);
    store<u32>(frame, Resched.Ipi, T.F_PC);
    wait();
  } else if (pc == Resched.Ipi) ipiIf(frame, Resched.Done, OP_RESCHEDULE, to);
  else pop();
}

function ipiIf(frame: usize, pc: u32, op: u32, to: u32): void {
  const answer = load<u32>(frame, T.F_D);
  if (answer == 1) return callSend(frame, pc, op, to, 0, load<u64>(frame, T.F_T1));
  counted(answer == 0 ? CT_SUPPRESSED : CT_POLLING);
  tell(answer == 0 ? LOG_IPI_SUPPRESSED : LOG_IPI_POLLING, 1, to, 0);
  goOn(frame, pc, 0);
}

enum Wake {
  Queue,
  Ipi,
  Done,
}

// ttwu_queue_wakelist(): 6.12 queues on call_single_queue and sends CALL_FUNCTION_SINGLE; 4.0 has a wake
// list of its own and sends RESCHEDULE.
export function stepWake(frame: usize): void {
  const pc = load<u32>(frame, T.F_PC);
  const to = load<u32>(frame, T.F_A);
  if (pc == Wake.Queue) {
    if (to == self) return pop();
    store<u32>(at, 1, T.N_REPLIES);
    // F_B: irq_work_queue_on() instead, which sends a call's IPI in both eras.
    push(to, load<u32>(frame, T.F_B) != 0 ? CSD_IRQ_WORK : CSD_TTWU, frame, QUEUE_PREP, 0);
    store<u32>(frame, Wake.Ipi, T.F_PC);
    wait();
  } else if (pc == Wake.Ipi) {
    const single = is612() || load<u32>(frame, T.F_B) != 0;
    ipiIf(frame, Wake.Done, single ? OP_CALL_SINGLE : OP_RESCHEDULE, to);
  } else pop();
}

// --- answers ---

/** MSG_QUEUED, MSG_NEED_RESCHED_SET: 0 nothing to send, 1 send, 2 the target polls. */
export function answered(frame: usize, message: usize): void {
  const answer = load<u32>(message, T.M_B);
  if (answer == 1) setCpu(cpuMask(self, 1), load<u32>(message, T.M_A));
  store<u32>(frame, answer, T.F_D);
  const left = load<u32>(at, T.N_REPLIES) - 1;
  store<u32>(at, left, T.N_REPLIES);
  if (left == 0) wake(frame, 0);
}

/** MSG_UNLOCK: a the target, b UNLOCK_*. */
export function unlockArrives(frame: usize, message: usize): void {
  const which = load<u32>(message, T.M_B);
  const target = load<u32>(message, T.M_A);
  const waiting =
    load<u32>(frame, T.F_CATEGORY) == <u32>CAT_WAIT && load<u32>(at, T.N_REPLIES) == 0;
  if (which == <u32>UNLOCK_ASYNC) return clearCpu(cpuMask(self, 3), target);
  if (which == <u32>UNLOCK_MANY) clearCpu(cpuMask(self, 2), target);
  if (which == <u32>UNLOCK_MANY && load<u32>(at, T.N_WAITS_FOR) == target) {
    // csd_lock_wait() goes on to the next CPU; the last one to unlock is who it waited for.
    if (load<u32>(at, T.N_OUTSTANDING) > 1) store<u32>(at, firstLocked(), T.N_WAITS_FOR);
  } else if (which == <u32>UNLOCK_MANY && load<u32>(at, T.N_OUTSTANDING) == 1) {
    store<u32>(at, target, T.N_WAITS_FOR);
  }
  if (which == <u32>UNLOCK_DATA) store<u32>(at, 0, T.N_CSD_LOCKED);
  else if (
    <u32>load<u64>(message, T.M_D) == load<u32>(at, T.N_CALL) &&
    load<u32>(at, T.N_OUTSTANDING) != 0
  ) {
    store<u32>(at, load<u32>(at, T.N_OUTSTANDING) - 1, T.N_OUTSTANDING);
  }
  if (waiting && canGoOn(frame)) released(frame);
}

/** Whether the waiting frame has what it waits for. */
function canGoOn(frame: usize): bool {
  const pc = load<u32>(frame, T.F_PC);
  const next = pc >= <u32>Stuck.Report ? load<u32>(frame, T.F_E) : pc;
  if (pc == Stuck.State || pc == Stuck.Resent) return false;
  const proc = load<u32>(frame, T.F_PROC);
  if (proc == <u32>PROC_CALL_SINGLE && next == Single.Queue)
    return load<u32>(at, T.N_CSD_LOCKED) == 0;
  if (proc == <u32>PROC_CALL_MANY && next == Many.Queue) return firstBusy() < 0;
  return load<u32>(at, T.N_OUTSTANDING) == 0;
}

/** MSG_PEEKED: what the target is doing. */
export function peeked(frame: usize, message: usize): void {
  store<u32>(frame, load<u32>(message, T.M_A) | (load<u32>(message, T.M_B) << 16), T.F_D);
  wake(frame, 0);
}
