// Interrupts at a CPU: a message sets IRR, the CPU takes what its IF and PPR let it take, and Linux's
// handler runs: EOI first, then the work, with interrupts off throughout.
// Linux 6.12 arch/x86/kernel/smp.c sysvec_call_function(), kernel/smp.c __flush_smp_call_function_queue().

import { hasSerialBus } from '../bus/serial';
import { Lapic } from '../lapic/lapic';
import { reject, wouldReject } from '../lapic/special';
import { asyncUnlocksFirst, sharesOneQueue, syncCallsFirst, wakesBySingle } from '../linux/era';
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
import { busNode, counted, me, now, self, slotOf } from './arena';
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
import { listAt } from './lists';
import { askFor, release } from './locks';
import { FlushFrame, Frame, FuncFrame, HandlerFrame } from './records-frame';
import { Ipi, List, Message, NONE, QueuedCall } from './records-message';
import { Idle } from './records-node';
import { noteNoise, record, tell } from './stats';

const REPEATED: u32 = 2;
const HELD: u32 = 4;

/** MSG_IPI: the local APIC accepts the message, unless a fault strikes it. */
export function ipiArrives(message: Ipi): void {
  const what = message.what;
  const source = message.sender;
  const flags = message.flags;
  if ((flags & REPEATED) == 0 && strike(message, what, source, flags)) return;
  if ((flags & HELD) != 0) return releaseHeld();
  arrives(what, source, message.sent, message.intended);
  if (me.heldBack != 0) releaseHeld();
}

/** What a fault does to a message; true when the message itself doesn't arrive now. */
function strike(message: Ipi, what: u32, source: u32, flags: u32): bool {
  const fault = struckMessage(source, what);
  if (fault < 0) return false;
  const kind = faultKind(fault);
  if (kind == <u32>FAULT_REORDER && me.heldBack != 0) return false;
  tell(LOG_FAULT, kind, source, faultDelay(fault));
  if (kind == <u32>FAULT_DROP) {
    counted(CT_DROPPED);
    return true;
  }
  const t0 = message.sent;
  const t1 = message.intended;
  const held = kind == <u32>FAULT_REORDER;
  counted(kind == <u32>FAULT_DELAY ? CT_DELAYED : held ? CT_REORDERED : CT_DUPLICATED);
  const again = flags | REPEATED | (held ? HELD : 0);
  post(MSG_IPI, self, faultDelay(fault), what, source, again, t0, t1, 0);
  if (held) {
    me.heldBack = what + 1;
    me.heldSource = source;
    me.heldSent = t0;
    me.heldIntended = t1;
  }
  return kind != <u32>FAULT_DUPLICATE;
}

/** The message held back arrives: right behind the next one, or after the fault's delay. */
function releaseHeld(): void {
  const held = me.heldBack;
  if (held == 0) return;
  me.heldBack = 0;
  const source = me.heldSource;
  arrives(held - 1, source, me.heldSent, me.heldIntended);
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
    slot.merged++;
    return tell(LOG_MERGED, vector, source, sent);
  }
  slot.sent = sent;
  slot.intended = intended;
  slot.accepted = now;
  slot.source = source;
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
  if (me.inNmi != 0 || me.dead != 0) return;
  me.inNmi = 1;
  enter(ICR_NMI, source, now);
}

/** Takes what IF and PPR allow. */
export function takeInterrupts(): void {
  if (me.interruptFlag == 0 || me.uninterruptible != 0) return;
  if (!Lapic.eligible(self)) return;
  const vector = Lapic.dispatch(self);
  if (vector < 0) return;
  const slot = slotOf(self, vector);
  tell(LOG_TAKE, vector, slot.source, 0);
  enter(vector, slot.source, slot.accepted);
}

/** The CPU enters the handler of a vector, or of NMI. */
function enter(what: u32, source: u32, accepted: u64): void {
  const idle = me.idle;
  me.idle = 0;
  const wakes = idle == Idle.Busy ? 0 : cost(idle == Idle.Halted ? COST_IDLE_WAKE : COST_POLL_WAKE);
  if (idle != Idle.Busy) counted(CT_WAKES);
  const frame = changetype<HandlerFrame>(push(PROC_HANDLER, CAT_IRQ, true));
  me.func = 0;
  frame.what = what;
  frame.source = source;
  frame.interruptFlag = me.interruptFlag;
  frame.idle = idle;
  frame.begun = now;
  frame.accepted = accepted;
  me.interruptFlag = 0;
  goOn(frame, Handler.Begin, cost(COST_ENTRY) + wakes);
}

function begins(frame: HandlerFrame): void {
  const what = frame.what;
  tell(LOG_HANDLER, what, frame.source, 0);
  if (what == <u32>ICR_NMI) return;
  const slot = slotOf(self, what);
  record(HIST_IRR_TO_HANDLER, now - frame.accepted);
  record(HIST_DELIVERY, now - slot.sent);
  record(HIST_DELIVERY_INTENDED, now - slot.intended);
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

const enum Handler {
  Begin,
  Eoi,
  Work,
  Exit,
  Leave,
}

export function stepHandler(frame: HandlerFrame): void {
  const what = frame.what;
  const pc = frame.pc;
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
      me.needResched = 0;
      counted(CT_RESCHEDULES);
    }
    if (calls || (wakes && !wakesBySingle())) callFlush(frame, Handler.Exit, wakes);
    else goOn(frame, Handler.Exit, 0);
  } else if (pc == Handler.Exit) goOn(frame, Handler.Leave, cost(COST_EXIT));
  else leave(frame);
}

// stop_this_cpu(): halted with interrupts off, for good.
function stop(frame: HandlerFrame): void {
  const source = frame.source;
  counted(CT_STOPPED);
  tell(LOG_STOPPED, self, source, 0);
  post(MSG_STOPPED, source, source == self ? 0 : line(source), self, 0, 0, 0, 0, 0);
  die(frame);
}

/** From here on the CPU answers nothing. */
export function die(frame: Frame): void {
  frame.proc = PROC_DEAD;
  me.interruptFlag = 0;
  me.dead = 1;
  become(frame, CAT_IRQS_OFF);
  wait();
}

function leave(frame: HandlerFrame): void {
  const what = frame.what;
  record(HIST_HANDLER, now - frame.begun);
  tell(LOG_HANDLER_DONE, what, 0, 0);
  if (what == <u32>ICR_NMI) me.inNmi = 0;
  me.interruptFlag = frame.interruptFlag;
  const from = frame.begun;
  const ran = me.func != 0;
  const source = ran ? me.funcSource : frame.source;
  me.idle = frame.idle;
  pop();
  noteNoise(from, source, what);
}

// --- the queue ---

/**
 * Where a call of this type is queued. linux-6.12 has one list; linux-4.0 has call_single_queue, the run
 * queue's wake_list and irq_work's raised_list.
 */
export function listOf(type: u32): List {
  if (sharesOneQueue() || type <= <u32>CSD_ASYNC) return listAt(me, T.N_QUEUE);
  return listAt(me, type == <u32>CSD_TTWU ? T.N_WAKE_LIST : T.N_RAISED_LIST);
}

/**
 * The passes of the flush: synchronous calls, then asynchronous ones and irq_work, then wakeups; in
 * linux-4.0 all calls in order.
 */
function passOf(entry: QueuedCall): u32 {
  const type = entry.type;
  if (type == <u32>CSD_TTWU) return 2;
  return type == <u32>CSD_SYNC || (type == <u32>CSD_ASYNC && !syncCallsFirst()) ? 0 : 1;
}

/** llist_del_all() of a list, hung behind what the frame has already. */
function takeList(frame: FlushFrame, type: u32): void {
  const list = listOf(type);
  const first = list.first;
  if (first == NONE) return;
  list.first = NONE;
  list.last = NONE;
  let last: Message = frame.list;
  if (last == NONE) {
    frame.list = changetype<QueuedCall>(first);
    return;
  }
  while (last.next != NONE) last = last.next;
  last.next = first;
}

function takeLists(frame: FlushFrame): void {
  const wakes = frame.wakes != 0;
  if (sharesOneQueue()) return takeList(frame, CSD_SYNC);
  if (wakes) return takeList(frame, CSD_TTWU);
  takeList(frame, CSD_SYNC);
  takeList(frame, CSD_IRQ_WORK);
}

/** Unhooks the first entry of the lowest pass from the frame's list; NONE when it is empty. */
function nextEntry(frame: FlushFrame): QueuedCall {
  let best = NONE;
  let bestBefore = NONE;
  let before = NONE;
  let lowest: u32 = u32.MAX_VALUE;
  for (let entry: Message = frame.list; entry != NONE; entry = entry.next) {
    const pass = passOf(changetype<QueuedCall>(entry));
    if (pass < lowest) {
      best = entry;
      bestBefore = before;
      lowest = pass;
      if (pass == 0) break;
    }
    before = entry;
  }
  if (best == NONE) return changetype<QueuedCall>(NONE);
  if (bestBefore == NONE) frame.list = changetype<QueuedCall>(best.next);
  else bestBefore.next = best.next;
  return changetype<QueuedCall>(best);
}

const enum Flush {
  Take,
  /** The function of an entry has run. */
  Next,
}

export function stepFlush(frame: FlushFrame): void {
  const pc = frame.pc;
  // First come, first served.
  if (pc == Flush.Take) {
    tell(LOG_FLUSH, 0, 0, 0);
    takeLists(frame);
  } else finishEntry(frame);
  const entry = nextEntry(frame);
  if (entry == NONE) return pop();
  frame.entry = entry;
  const func = entry.func;
  const source = entry.source;
  me.currentFunc = func + 1;
  me.currentSource = source;
  if (me.func == 0) {
    me.func = func + 1;
    me.funcSource = source;
  }
  if (func == <u32>FUNC_FLUSH_TLB) me.flushes++;
  record(HIST_QUEUE_TO_FUNC, now - entry.queued);
  tell(LOG_FUNC, func, source, 0);
  if (unlocksFirst(entry)) unlock(entry);
  runFunc(frame, Flush.Next, func, entry.flags >> QUEUE_LOCK_SHIFT);
}

/** Flushes what a call's interrupt flushes, or a reschedule's. */
export function callFlush(caller: Frame, pc: u32, wakes: bool): void {
  const frame = changetype<FlushFrame>(call(caller, pc, PROC_FLUSH, CAT_IRQ));
  frame.wakes = wakes ? 1 : 0;
}

/** Calls the function; the caller goes on at `pc`. `lock`: 1 + the lock that it takes, or 0. */
export function runFunc(caller: Frame, pc: u32, func: u32, lock: u32): void {
  const frame = changetype<FuncFrame>(call(caller, pc, PROC_FUNC, caller.category));
  frame.func = func;
  frame.lock = lock;
}

function finishEntry(frame: FlushFrame): void {
  const entry = frame.entry;
  me.currentFunc = 0;
  if (holdsLock(entry) && !unlocksFirst(entry)) unlock(entry);
  freeRecord(entry);
}

/** Only calls have a lock that somebody may wait for. */
function holdsLock(entry: QueuedCall): bool {
  return entry.type <= <u32>CSD_ASYNC;
}

/** Whether an entry is unlocked before its function. */
function unlocksFirst(entry: QueuedCall): bool {
  return asyncUnlocksFirst() && entry.type == <u32>CSD_ASYNC;
}

/** csd_unlock(): the waiter sees it a cache line later. */
function unlock(entry: QueuedCall): void {
  const source = entry.source;
  const which = unlocks(entry.flags, entry.type);
  tell(LOG_UNLOCK, entry.func, source, 0);
  post(MSG_UNLOCK, source, line(source), self, which, 0, 0, 0, entry.call);
}

function unlocks(flags: u32, type: u32): u32 {
  if ((flags & QUEUE_MANY) != 0) return UNLOCK_MANY;
  if ((flags & QUEUE_ASYNC) != 0) return UNLOCK_ASYNC;
  return type == <u32>CSD_SYNC ? UNLOCK_STACK : UNLOCK_DATA;
}

export const enum Func {
  /** Asks for the lock that the function takes. */
  Ask,
  Locked,
  Done,
}

export function stepFunc(frame: FuncFrame): void {
  const pc = frame.pc;
  const lock = frame.lock;
  if (pc == Func.Ask) {
    frame.begun = now;
    if (lock == 0) return goOn(frame, Func.Done, cost(COST_FUNC + frame.func));
    frame.pc = Func.Locked;
    askFor(lock - 1);
    wait();
  } else if (pc == Func.Locked) goOn(frame, Func.Done, cost(COST_FUNC + frame.func));
  else {
    if (lock != 0) release(lock - 1);
    counted(CT_FUNCS);
    record(HIST_FUNC, now - frame.begun);
    tell(LOG_FUNC_DONE, frame.func, 0, 0);
    pop();
  }
}
