// The csd watch: a CPU that has waited too long for an unlock reports it, asks what the target is doing, and
// may send the IPI again. Linux 6.12 kernel/smp.c csd_lock_wait_toolong().

import { OP_CALL_SINGLE } from '../memory/codes';
import { counted, me, now, timed } from './arena';
import {
  CALL_WAITS,
  CAT_WAIT,
  CT_CSD_REPORTS,
  CT_CSD_RESENT,
  CT_PANICS,
  LOG_CSD_RESEND,
  LOG_CSD_STATE,
  LOG_CSD_STUCK,
  LOG_PANIC,
  MSG_PEEK,
  PROC_CALL_SINGLE,
} from './codes';
import { line } from './costs';
import { become, delay, die, wait, wake } from './frame';
import { post } from './inbox';
import { CallFrame } from './records-frame';
import { Peeked } from './records-message';
import { callSend } from './send';
import { note } from './stats';
import { Stuck } from './steps';

/** Waits on; `resume` keeps where the frame goes on once it is unlocked. */
export function watch(frame: CallFrame, pc: u32): void {
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
export function released(frame: CallFrame): void {
  if (frame.pc >= <u32>Stuck.Report) frame.pc = frame.resume;
  wake(frame, 0);
}

// Linux 6.12 kernel/smp.c csd_lock_wait_toolong(): asks what the target is doing, and sends the IPI again
// when it is doing nothing.
export function stepStuck(frame: CallFrame, pc: u32): void {
  const target = me.waitsFor;
  if (pc == Stuck.Report) report(frame, target);
  else if (pc == Stuck.State) {
    const current = frame.answer;
    note(LOG_CSD_STATE, current & 0xffff, target, current >> 16);
    if (current != 0) return watch(frame, frame.resume);
    counted(CT_CSD_RESENT);
    note(LOG_CSD_RESEND, 0, target, 0);
    callSend(frame, Stuck.Resent, OP_CALL_SINGLE, target, 0, frame.intended);
  } else if (unlocked(frame)) {
    frame.pc = frame.resume;
    become(frame, CAT_WAIT);
    delay(0);
  } else watch(frame, frame.resume);
}

/** One more report; the answer says what the target is doing. */
function report(frame: CallFrame, target: u32): void {
  frame.reports++;
  me.reports++;
  counted(CT_CSD_REPORTS);
  const waited = now - frame.begun;
  note(LOG_CSD_STUCK, frame.reports | (frame.func << 16), target, waited);
  const limit = timed.panic;
  if (limit != 0 && waited > limit) return panic(frame, target, waited);
  const far = line(target);
  post(MSG_PEEK, target, far >> 1, 0, 0, 0, 0, far - (far >> 1), 0);
  frame.pc = Stuck.State;
  wait();
}

/** BUG_ON() of csd_lock_wait_toolong(): this CPU does nothing from here on. */
function panic(frame: CallFrame, target: u32, waited: u64): void {
  counted(CT_PANICS);
  note(LOG_PANIC, 0, target, waited);
  die(frame);
}

/** Whether what the frame waits for has come while it was busy reporting. */
function unlocked(frame: CallFrame): bool {
  if (frame.proc != <u32>PROC_CALL_SINGLE) return me.outstanding == 0;
  if ((frame.flags & CALL_WAITS) == 0) return me.csdLocked == 0;
  return me.outstanding == 0;
}

/** MSG_PEEKED: what the target is doing. */
export function peeked(frame: CallFrame, message: Peeked): void {
  if (!ASC_NO_ASSERT) assert(frame.pc == Stuck.State);
  frame.answer = message.func | (message.mine << 16);
  wake(frame, 0);
}
