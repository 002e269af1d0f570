// A CPU takes what its IF and PPR let it take, and Linux's handler runs: EOI first, then the work, with
// interrupts off throughout. Linux 6.12 arch/x86/kernel/smp.c sysvec_call_function().

import { eoi } from '../board/eoi';
import { Lapic } from '../lapic/lapic';
import { wakesBySingle } from '../linux/era';
import {
  ICR_NMI,
  VECTOR_CALL_FUNCTION,
  VECTOR_CALL_FUNCTION_SINGLE,
  VECTOR_REBOOT,
  VECTOR_RESCHEDULE,
} from '../memory/codes';
import { counted, me, now, self, slotOf } from './arena';
import {
  CAT_IRQ,
  COST_ENTRY,
  COST_EOI,
  COST_EXIT,
  COST_HANDLER,
  COST_IDLE_WAKE,
  COST_POLL_WAKE,
  CT_EOIS_EXTRA,
  CT_EOIS_LOST,
  CT_RESCHEDULES,
  CT_STOPPED,
  CT_WAKES,
  FAULT_EXTRA_EOI,
  FAULT_LOST_EOI,
  HIST_DELIVERY,
  HIST_DELIVERY_INTENDED,
  HIST_HANDLER,
  HIST_IRR_TO_HANDLER,
  LOG_EOI,
  LOG_FAULT,
  LOG_HANDLER,
  LOG_HANDLER_DONE,
  LOG_STOPPED,
  LOG_TAKE,
  MSG_STOPPED,
  PROC_HANDLER,
} from './codes';
import { cost, line } from './costs';
import { struck } from './faults';
import { callFlush } from './flush';
import { die, goOn, pop, push } from './frame';
import { post } from './inbox';
import { HandlerFrame } from './records-frame';
import { Idle } from './records-node';
import { note, noteNoise, record } from './stats';
import { Handler } from './steps';

/** Takes what IF and PPR allow. */
export function takeInterrupts(): void {
  if (me.interruptFlag == 0 || me.uninterruptible != 0) return;
  if (!Lapic.eligible(self)) return;
  const vector = Lapic.dispatch(self);
  if (vector < 0) return;
  const slot = slotOf(self, vector);
  note(LOG_TAKE, vector, slot.source, 0);
  enter(vector, slot.source, slot.accepted);
}

/** The CPU enters the handler of a vector, or of NMI. */
export function enter(what: u32, source: u32, accepted: u64): void {
  const idle = me.idle;
  me.idle = 0;
  const wakes = idle == Idle.Busy ? 0 : cost(idle == Idle.Halted ? COST_IDLE_WAKE : COST_POLL_WAKE);
  if (idle != Idle.Busy) counted(CT_WAKES);
  if (!ASC_NO_ASSERT) assert(me.dead == 0);
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
  note(LOG_HANDLER, what, frame.source, 0);
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
    return note(LOG_FAULT, FAULT_LOST_EOI, what, 0);
  }
  const ended = eoi(self);
  note(LOG_EOI, what, <u32>ended, 0);
  if (struck(FAULT_EXTRA_EOI, FAULT_EXTRA_EOI, self, what) < 0) return;
  counted(CT_EOIS_EXTRA);
  const other = eoi(self);
  note(LOG_FAULT, FAULT_EXTRA_EOI, what, <u64>other);
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
  note(LOG_STOPPED, self, source, 0);
  post(MSG_STOPPED, source, source == self ? 0 : line(source), self, 0, 0, 0, 0, 0);
  die(frame);
}

function leave(frame: HandlerFrame): void {
  const what = frame.what;
  record(HIST_HANDLER, now - frame.begun);
  note(LOG_HANDLER_DONE, what, 0, 0);
  if (what == <u32>ICR_NMI) me.inNmi = 0;
  me.interruptFlag = frame.interruptFlag;
  const from = frame.begun;
  const ran = me.func != 0;
  const source = ran ? me.funcSource : frame.source;
  me.idle = frame.idle;
  pop();
  noteNoise(from, source, what);
}
