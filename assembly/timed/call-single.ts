// smp_call_function_single() and _single_async(). Linux 6.12 kernel/smp.c; 4.0 where the era says so.

import { setCpu, testCpu } from '../linux/cpumask';
import { OP_CALL_SINGLE, VECTOR_CALL_FUNCTION_SINGLE } from '../memory/codes';
import { counted, cpuMask, Mask, me, now, self } from './arena';
import { enqueue } from './ask';
import {
  CALL_ASYNC,
  CALL_LOCK_SHIFT,
  CALL_WAITS,
  CAT_SEND,
  COST_CALL_SETUP,
  CSD_ASYNC,
  CSD_SYNC,
  CT_BUSY,
  CT_CALLS_SINGLE,
  CT_POLLING,
  CT_SUPPRESSED,
  HIST_QUEUE_TO_FUNC,
  LOG_IPI_NEEDED,
  LOG_IPI_POLLING,
  LOG_IPI_SUPPRESSED,
  QUEUE_ASYNC,
  QUEUE_PREP,
} from './codes';
import { cost } from './costs';
import { newCall, waited, waitFor } from './csd';
import { stepStuck } from './csd-watch';
import { become, goOn, pop, wait } from './frame';
import { runFunc } from './func';
import { CallFrame } from './records-frame';
import { Answer } from './records-message';
import { callSend } from './send';
import { note, record } from './stats';
import { Single } from './steps';

export function stepCallSingle(frame: CallFrame): void {
  const pc = frame.pc;
  const to = frame.target;
  const waits = (frame.flags & CALL_WAITS) != 0;
  if (pc == Single.Setup) {
    counted(CT_CALLS_SINGLE);
    frame.begun = now;
    goOn(frame, to == self ? Single.Here : Single.Queue, cost(COST_CALL_SETUP));
  } else if (pc == Single.Queue) {
    if ((frame.flags & CALL_ASYNC) != 0) beginAsync(frame, to);
    else begin(frame, to, waits);
  } else if (pc == Single.Ipi) sendIfEmpty(frame, Single.Wait, to);
  else if (pc == Single.Wait) {
    if (!waits || me.outstanding == 0) goOn(frame, Single.Done, 0);
    else waitFor(frame, Single.Done, to);
  } else if (pc == Single.Done) {
    if (waits) waited(frame, to);
    pop();
  } else if (pc == Single.Here) runHere(frame);
  else if (pc == Single.HereDone) {
    me.interruptFlag = 1;
    pop();
  } else stepStuck(frame, pc);
}

/** generic_exec_single() on this CPU: the function runs here, with interrupts off. */
function runHere(frame: CallFrame): void {
  record(HIST_QUEUE_TO_FUNC, now - frame.begun);
  me.interruptFlag = 0;
  runFunc(frame, Single.HereDone, frame.func, frame.flags >> CALL_LOCK_SHIFT);
}

function begin(frame: CallFrame, to: u32, waits: bool): void {
  // Without wait the csd is csd_data, one per CPU: csd_lock() spins until its last call has begun.
  if (!waits && me.csdLocked != 0) return waitFor(frame, Single.Queue, to);
  become(frame, CAT_SEND);
  frame.begun = 0;
  if (waits) newCall(1);
  else me.csdLocked = 1;
  me.replies = 1;
  enqueue(to, waits ? CSD_SYNC : CSD_ASYNC, frame, QUEUE_PREP, 0);
  frame.pc = Single.Ipi;
  wait();
}

/** smp_call_function_single_async(): -EBUSY while the target has the caller's csd for it. */
function beginAsync(frame: CallFrame, to: u32): void {
  const locked = cpuMask(self, Mask.AsyncLocked);
  if (testCpu(locked, to)) {
    counted(CT_BUSY);
    return pop();
  }
  setCpu(locked, to);
  me.replies = 1;
  enqueue(to, CSD_ASYNC, frame, QUEUE_PREP | QUEUE_ASYNC, 0);
  frame.pc = Single.Ipi;
  wait();
}

/** "IPI only when the queue was empty", and not to an idle CPU that polls (6.12). */
function sendIfEmpty(frame: CallFrame, pc: u32, to: u32): void {
  const answer = frame.answer;
  if (answer == Answer.Ipi) {
    note(LOG_IPI_NEEDED, VECTOR_CALL_FUNCTION_SINGLE, to, 0);
    return callSend(frame, pc, OP_CALL_SINGLE, to, 0, frame.intended);
  }
  counted(answer == Answer.NoIpi ? CT_SUPPRESSED : CT_POLLING);
  note(answer == Answer.NoIpi ? LOG_IPI_SUPPRESSED : LOG_IPI_POLLING, 0, to, 0);
  goOn(frame, pc, 0);
}
