// Interrupts at a CPU: a message sets IRR, the CPU takes what its IF and PPR let it take, and Linux's
// handler runs: EOI first, then the work, with interrupts off throughout.
// Linux 6.12 arch/x86/kernel/smp.c sysvec_call_function(), kernel/smp.c __flush_smp_call_function_queue().

import { hasSerialBus } from '../bus/serial';
import { Lapic } from '../lapic/lapic';
import { reject, wouldReject } from '../lapic/special';
import { is612 } from '../linux/config';
import { coldRow, row } from '../memory/arena';
import {
  EVENT_NMI,
  ICR_NMI,
  VECTOR_CALL_FUNCTION,
  VECTOR_CALL_FUNCTION_SINGLE,
  VECTOR_REBOOT,
  VECTOR_RESCHEDULE,
} from '../memory/codes';
import * as L from '../memory/layout';
import { note } from '../record/hash';
import { at, busNode, counted, now, self, slotOf } from './arena';
import {
  CAT_IRQ,
  CAT_IRQS_OFF,
  COST_BUS_CLOCK,
  COST_ENTRY,
  COST_EOI,
  COST_EXIT,
  COST_FUNC,
  COST_HANDLER,
  COST_IDLE_WAKE,
  COST_POLL_WAKE,
  CSD_ASYNC,
  CSD_IRQ_WORK,
  CSD_SYNC,
  CSD_TTWU,
  CT_DELAYED,
  CT_DROPPED,
  CT_DUPLICATED,
  CT_EOIS_EXTRA,
  CT_EOIS_LOST,
  CT_FUNCS,
  CT_NMIS,
  CT_REORDERED,
  CT_RESCHEDULES,
  CT_STOPPED,
  CT_WAKES,
  FAULT_DELAY,
  FAULT_DROP,
  FAULT_DUPLICATE,
  FAULT_EXTRA_EOI,
  FAULT_LOST_EOI,
  FAULT_REORDER,
  FUNC_FLUSH_TLB,
  HIST_DELIVERY,
  HIST_DELIVERY_INTENDED,
  HIST_FUNC,
  HIST_HANDLER,
  HIST_IRR_TO_HANDLER,
  HIST_QUEUE_TO_FUNC,
  HIST_SEND_TO_IRR,
  LOG_EOI,
  LOG_FAULT,
  LOG_FLUSH,
  LOG_FUNC,
  LOG_FUNC_DONE,
  LOG_HANDLER,
  LOG_HANDLER_DONE,
  LOG_IRR,
  LOG_MERGED,
  LOG_NMI,
  LOG_REJECTED,
  LOG_STOPPED,
  LOG_TAKE,
  LOG_UNLOCK,
  MSG_BUS_STATUS,
  MSG_IPI,
  MSG_STOPPED,
  MSG_UNLOCK,
  PROC_DEAD,
  PROC_FLUSH,
  PROC_FUNC,
  PROC_HANDLER,
  QUEUE_ASYNC,
  QUEUE_LOCK_SHIFT,
  QUEUE_MANY,
  UNLOCK_ASYNC,
  UNLOCK_DATA,
  UNLOCK_MANY,
  UNLOCK_STACK,
} from './codes';
import { cost, line } from './costs';
import { faultDelay, faultKind, struck, struckMessage } from './faults';
import { become, call, goOn, pop, push, wait } from './frame';
import { freeRecord, post } from './inbox';
import * as T from './layout';
import { askFor, release } from './locks';
import { noteNoise, record, tell } from './stats';

const REPEATED: u32 = 2;
const HELD: u32 = 4;

/** MSG_IPI: the local APIC accepts the message, unless a fault strikes it. */
export function ipiArrives(message: usize): void {
  const what = load<u32>(message, T.M_A);
  const source = load<u32>(message, T.M_B);
  const flags = load<u32>(message, T.M_C);
  if ((flags & REPEATED) == 0 && strike(message, what, source, flags)) return;
  if ((flags & HELD) != 0) return releaseHeld();
  arrives(what, source, load<u64>(message, T.M_T0), load<u64>(message, T.M_T1));
  if (load<u32>(at, T.N_HELD) != 0) releaseHeld();
}

/** What a fault does to a message; true when the message itself doesn't arrive now. */
function strike(message: usize, what: u32, source: u32, flags: u32): bool {
  const fault = struckMessage(source, what);
  if (fault < 0) return false;
  const kind = faultKind(fault);
  if (kind == <u32>FAULT_REORDER && load<u32>(at, T.N_HELD) != 0) return false;
  tell(LOG_FAULT, kind, source, faultDelay(fault));
  if (kind == <u32>FAULT_DROP) {
    counted(CT_DROPPED);
    return true;
  }
  const t0 = load<u64>(message, T.M_T0);
  const t1 = load<u64>(message, T.M_T1);
  const held = kind == <u32>FAULT_REORDER;
  counted(kind == <u32>FAULT_DELAY ? CT_DELAYED : held ? CT_REORDERED : CT_DUPLICATED);
  const again = flags | REPEATED | (held ? HELD : 0);
  post(MSG_IPI, self, faultDelay(fault), what, source, again, t0, t1, 0);
  if (held) {
    store<u32>(at, what + 1, T.N_HELD);
    store<u32>(at, source, T.N_HELD_SOURCE);
    store<u64>(at, t0, T.N_HELD_T0);
    store<u64>(at, t1, T.N_HELD_T1);
  }
  return kind != <u32>FAULT_DUPLICATE;
}

/** The message held back arrives: right behind the next one, or after the fault's delay. */
function releaseHeld(): void {
  const held = load<u32>(at, T.N_HELD);
  if (held == 0) return;
  store<u32>(at, 0, T.N_HELD);
  const source = load<u32>(at, T.N_HELD_SOURCE);
  arrives(held - 1, source, load<u64>(at, T.N_HELD_T0), load<u64>(at, T.N_HELD_T1));
}

function arrives(what: u32, source: u32, sent: u64, intended: u64): void {
  if (what == <u32>ICR_NMI) nmiArrives(source);
  else vectorArrives(what, source, sent, intended);
}

function vectorArrives(vector: u32, source: u32, sent: u64, intended: u64): void {
  if (hasSerialBus() && wouldReject(self, vector)) {
    reject(self, vector);
    store<u64>(row(self), load<u64>(row(self), L.R_ATTEMPTED) + 1, L.R_ATTEMPTED);
    tell(LOG_REJECTED, vector, source, 0);
    return post(MSG_BUS_STATUS, busNode(), cost(COST_BUS_CLOCK), self, 0, 0, 0, 0, 0);
  }
  const slot = slotOf(self, vector);
  const pending = irrBit(vector);
  Lapic.accept(self, vector, false);
  record(HIST_SEND_TO_IRR, now - sent);
  if (pending) {
    store<u32>(slot, load<u32>(slot, T.SL_MERGED) + 1, T.SL_MERGED);
    return tell(LOG_MERGED, vector, source, sent);
  }
  store<u64>(slot, sent, T.SL_SENT);
  store<u64>(slot, intended, T.SL_INTENDED);
  store<u64>(slot, now, T.SL_ACCEPTED);
  store<u32>(slot, source, T.SL_SOURCE);
  tell(LOG_IRR, vector, source, sent);
}

function irrBit(vector: u32): bool {
  const word: u32 = load<u16>(row(self) + ((<usize>vector >> 4) << 1), L.R_IRR);
  return ((word >> (vector & 15)) & 1) != 0;
}

function nmiArrives(source: u32): void {
  const counter = coldRow(self) + L.C_NMIS;
  store<u64>(counter, load<u64>(counter) + 1);
  note(row(self), EVENT_NMI, 2);
  counted(CT_NMIS);
  tell(LOG_NMI, 0, source, 0);
  if (load<u32>(at, T.N_IN_NMI) != 0 || load<u32>(at, T.N_DEAD) != 0) return;
  store<u32>(at, 1, T.N_IN_NMI);
  enter(ICR_NMI, source, now);
}

/** Takes what IF and PPR allow. */
export function takeInterrupts(): void {
  if (load<u32>(at, T.N_IF) == 0 || load<u32>(at, T.N_NOINT) != 0) return;
  if (!Lapic.eligible(self)) return;
  const vector = Lapic.dispatch(self);
  if (vector < 0) return;
  const slot = slotOf(self, vector);
  tell(LOG_TAKE, vector, load<u32>(slot, T.SL_SOURCE), 0);
  enter(vector, load<u32>(slot, T.SL_SOURCE), load<u64>(slot, T.SL_ACCEPTED));
}

/** The CPU enters the handler of a vector, or of NMI. */
function enter(what: u32, source: u32, accepted: u64): void {
  const idle = load<u32>(at, T.N_IDLE);
  store<u32>(at, 0, T.N_IDLE);
  const wakes = idle == 0 ? 0 : cost(idle == 1 ? COST_IDLE_WAKE : COST_POLL_WAKE);
  if (idle != 0) counted(CT_WAKES);
  const frame = push(PROC_HANDLER, CAT_IRQ, true);
  store<u32>(at, 0, T.N_FUNC);
  store<u32>(frame, what, T.F_A);
  store<u32>(frame, source, T.F_B);
  store<u32>(frame, load<u32>(at, T.N_IF), T.F_C);
  store<u32>(frame, idle, T.F_D);
  store<u64>(frame, now, T.F_T0);
  store<u64>(frame, accepted, T.F_T1);
  store<u32>(at, 0, T.N_IF);
  goOn(frame, Handler.Begin, cost(COST_ENTRY) + wakes);
}

function begins(frame: usize): void {
  const what = load<u32>(frame, T.F_A);
  tell(LOG_HANDLER, what, load<u32>(frame, T.F_B), 0);
  if (what == <u32>ICR_NMI) return;
  const slot = slotOf(self, what);
  record(HIST_IRR_TO_HANDLER, now - load<u64>(frame, T.F_T1));
  record(HIST_DELIVERY, now - load<u64>(slot, T.SL_SENT));
  record(HIST_DELIVERY_INTENDED, now - load<u64>(slot, T.SL_INTENDED));
}

/** The handler's EOI, unless it is lost; once more where a fault says so. */
function writeEoi(what: u32): void {
  if (struck(FAULT_LOST_EOI, FAULT_LOST_EOI, self, what) >= 0) {
    counted(CT_EOIS_LOST);
    return tell(LOG_FAULT, FAULT_LOST_EOI, what, 0);
  }
  const ended = Lapic.eoi(self);
  tell(LOG_EOI, what, <u32>ended, 0);
  if (struck(FAULT_EXTRA_EOI, FAULT_EXTRA_EOI, self, what) < 0) return;
  counted(CT_EOIS_EXTRA);
  const other = Lapic.eoi(self);
  tell(LOG_FAULT, FAULT_EXTRA_EOI, what, <u64>other);
}

enum Handler {
  Begin,
  Eoi,
  Work,
  Exit,
  Leave,
}

export function stepHandler(frame: usize): void {
  const what = load<u32>(frame, T.F_A);
  const pc = load<u32>(frame, T.F_PC);
  if (pc == Handler.Begin) {
    begins(frame);
    if (what == <u32>ICR_NMI) goOn(frame, Handler.Work, cost(COST_HANDLER));
    else goOn(frame, Handler.Eoi, cost(COST_EOI));
  } else if (pc == Handler.Eoi) {
    writeEoi(what);
    goOn(frame, Handler.Work, cost(COST_HANDLER));
  } else if (pc == Handler.Work) {
    // NMIs are native_stop_other_cpus()'s here.
    if (what == <u32>ICR_NMI || what == <u32>VECTOR_REBOOT) return stop(frame);
    const calls = what == <u32>VECTOR_CALL_FUNCTION || what == <u32>VECTOR_CALL_FUNCTION_SINGLE;
    // 4.0: scheduler_ipi() empties the wake list.
    const wakes = what == <u32>VECTOR_RESCHEDULE;
    if (wakes) {
      store<u32>(at, 0, T.N_NEED_RESCHED);
      counted(CT_RESCHEDULES);
    }
    if (calls || (wakes && !is612())) callFlush(frame, Handler.Exit, wakes);
    else goOn(frame, Handler.Exit, 0);
  } else if (pc == Handler.Exit) goOn(frame, Handler.Leave, cost(COST_EXIT));
  else leave(frame);
}

// stop_this_cpu(): halted with interrupts off, for good.
function stop(frame: usize): void {
  const source = load<u32>(frame, T.F_B);
  counted(CT_STOPPED);
  tell(LOG_STOPPED, self, source, 0);
  post(MSG_STOPPED, source, source == self ? 0 : line(source), self, 0, 0, 0, 0, 0);
  die(frame);
}

/** From here on the CPU answers nothing. */
export function die(frame: usize): void {
  store<u32>(frame, PROC_DEAD, T.F_PROC);
  store<u32>(at, 0, T.N_IF);
  store<u32>(at, 1, T.N_DEAD);
  become(frame, CAT_IRQS_OFF);
  wait();
}

function leave(frame: usize): void {
  const what = load<u32>(frame, T.F_A);
  record(HIST_HANDLER, now - load<u64>(frame, T.F_T0));
  tell(LOG_HANDLER_DONE, what, 0, 0);
  if (what == <u32>ICR_NMI) store<u32>(at, 0, T.N_IN_NMI);
  store<u32>(at, load<u32>(frame, T.F_C), T.N_IF);
  const from = load<u64>(frame, T.F_T0);
  const ran = load<u32>(at, T.N_FUNC) != 0;
  const source = ran ? load<u32>(at, T.N_FUNC_SOURCE) : load<u32>(frame, T.F_B);
  store<u32>(at, load<u32>(frame, T.F_D), T.N_IDLE);
  pop();
  noteNoise(from, source, what);
}

// --- the queue ---

/**
 * Where a call of this type is queued. linux-6.12 has one list; linux-4.0 has call_single_queue, the run
 * queue's wake_list and irq_work's raised_list.
 */
export function listOf(type: u32): usize {
  if (is612() || type <= <u32>CSD_ASYNC) return at + T.N_QUEUE;
  return at + (type == <u32>CSD_TTWU ? T.N_WAKE_LIST : T.N_RAISED_LIST);
}

/**
 * The passes of the flush: synchronous calls, then asynchronous ones and irq_work, then wakeups; in
 * linux-4.0 all calls in order.
 */
function passOf(entry: usize): u32 {
  const type = load<u32>(entry, T.M_A);
  if (type == <u32>CSD_TTWU) return 2;
  return type == <u32>CSD_SYNC || (type == <u32>CSD_ASYNC && !is612()) ? 0 : 1;
}

/** llist_del_all() of a list, hung behind what the frame has already. */
function takeList(frame: usize, type: u32): void {
  const list = listOf(type);
  const first = load<u32>(list);
  if (first == 0) return;
  store<u64>(list, 0);
  let last = <usize>load<u32>(frame, T.F_A);
  if (last == 0) return store<u32>(frame, first, T.F_A);
  while (load<u32>(last, T.M_NEXT) != 0) last = load<u32>(last, T.M_NEXT);
  store<u32>(last, first, T.M_NEXT);
}

function takeLists(frame: usize): void {
  const wakes = load<u32>(frame, T.F_C) != 0;
  if (is612()) return takeList(frame, CSD_SYNC);
  if (wakes) return takeList(frame, CSD_TTWU);
  takeList(frame, CSD_SYNC);
  takeList(frame, CSD_IRQ_WORK);
}

/** Unhooks the first entry of the lowest pass from the list in F_A; 0 when it is empty. */
function nextEntry(frame: usize): usize {
  let best: usize = 0;
  let bestBefore: usize = 0;
  let before: usize = 0;
  for (
    let entry = <usize>load<u32>(frame, T.F_A);
    entry != 0;
    entry = <usize>load<u32>(entry, T.M_NEXT)
  ) {
    if (best == 0 || passOf(entry) < passOf(best)) {
      best = entry;
      bestBefore = before;
      if (passOf(entry) == 0) break;
    }
    before = entry;
  }
  if (best == 0) return 0;
  if (bestBefore == 0) store<u32>(frame, load<u32>(best, T.M_NEXT), T.F_A);
  else store<u32>(bestBefore, load<u32>(best, T.M_NEXT), T.M_NEXT);
  return best;
}

enum Flush {
  Take,
  /** The function of an entry has run. */
  Next,
}

export function stepFlush(frame: usize): void {
  const pc = load<u32>(frame, T.F_PC);
  // First come, first served.
  if (pc == Flush.Take) {
    tell(LOG_FLUSH, 0, 0, 0);
    takeLists(frame);
  } else finishEntry(frame);
  const entry = nextEntry(frame);
  if (entry == 0) return pop();
  store<u32>(frame, <u32>entry, T.F_B);
  const func = load<u32>(entry, T.M_B);
  const source = <u32>(load<u64>(entry, T.M_SOURCE) >> 32);
  store<u32>(at, func + 1, T.N_CURRENT);
  store<u32>(at, source, T.N_CURRENT_SOURCE);
  if (load<u32>(at, T.N_FUNC) == 0) {
    store<u32>(at, func + 1, T.N_FUNC);
    store<u32>(at, source, T.N_FUNC_SOURCE);
  }
  if (func == <u32>FUNC_FLUSH_TLB) store<u64>(at, load<u64>(at, T.N_FLUSHES) + 1, T.N_FLUSHES);
  record(HIST_QUEUE_TO_FUNC, now - load<u64>(entry, T.M_T0));
  tell(LOG_FUNC, func, source, 0);
  if (unlocksFirst(entry)) unlock(entry);
  runFunc(frame, Flush.Next, func, load<u32>(entry, T.M_C) >> QUEUE_LOCK_SHIFT);
}

/** Flushes what a call's interrupt flushes, or a reschedule's. */
export function callFlush(caller: usize, pc: u32, wakes: bool): void {
  store<u32>(call(caller, pc, PROC_FLUSH, CAT_IRQ), wakes ? 1 : 0, T.F_C);
}

/** Calls the function; the caller goes on at `pc`. `lock`: 1 + the lock that it takes, or 0. */
export function runFunc(caller: usize, pc: u32, func: u32, lock: u32): void {
  const frame = call(caller, pc, PROC_FUNC, load<u32>(caller, T.F_CATEGORY));
  store<u32>(frame, func, T.F_A);
  store<u32>(frame, lock, T.F_B);
}

function finishEntry(frame: usize): void {
  const entry = <usize>load<u32>(frame, T.F_B);
  store<u32>(at, 0, T.N_CURRENT);
  if (holdsLock(entry) && !unlocksFirst(entry)) unlock(entry);
  freeRecord(entry);
}

/** Only calls have a lock that somebody may wait for. */
function holdsLock(entry: usize): bool {
  return load<u32>(entry, T.M_A) <= <u32>CSD_ASYNC;
}

/** Asynchronous calls are unlocked before their function since 8053871d0f7f (v4.1). */
function unlocksFirst(entry: usize): bool {
  return is612() && load<u32>(entry, T.M_A) == <u32>CSD_ASYNC;
}

/** csd_unlock(): the waiter sees it a cache line later. */
function unlock(entry: usize): void {
  const source = <u32>(load<u64>(entry, T.M_SOURCE) >> 32);
  const which = unlocks(load<u32>(entry, T.M_C), load<u32>(entry, T.M_A));
  tell(LOG_UNLOCK, load<u32>(entry, T.M_B), source, 0);
  post(MSG_UNLOCK, source, line(source), self, which, 0, 0, 0, load<u64>(entry, T.M_D));
}

function unlocks(flags: u32, type: u32): u32 {
  if ((flags & QUEUE_MANY) != 0) return UNLOCK_MANY;
  if ((flags & QUEUE_ASYNC) != 0) return UNLOCK_ASYNC;
  return type == <u32>CSD_SYNC ? UNLOCK_STACK : UNLOCK_DATA;
}

export enum Func {
  /** Asks for the lock that the function takes. */
  Ask,
  Locked,
  Done,
}

export function stepFunc(frame: usize): void {
  const pc = load<u32>(frame, T.F_PC);
  const lock = load<u32>(frame, T.F_B);
  if (pc == Func.Ask) {
    store<u64>(frame, now, T.F_T0);
    if (lock == 0) return goOn(frame, Func.Done, cost(COST_FUNC + load<u32>(frame, T.F_A)));
    store<u32>(frame, Func.Locked, T.F_PC);
    askFor(lock - 1);
    wait();
  } else if (pc == Func.Locked) goOn(frame, Func.Done, cost(COST_FUNC + load<u32>(frame, T.F_A)));
  else {
    if (lock != 0) release(lock - 1);
    counted(CT_FUNCS);
    record(HIST_FUNC, now - load<u64>(frame, T.F_T0));
    tell(LOG_FUNC_DONE, load<u32>(frame, T.F_A), 0, 0);
    pop();
  }
}
