// What goes the way of a call without being one: reschedules, remote wakeups, irq_work. Linux 6.12
// kernel/sched/core.c, kernel/irq_work.c; 4.0 where the era says so.

import { wakesBySingle } from '../linux/era';
import { OP_CALL_SINGLE, OP_RESCHEDULE } from '../memory/codes';
import { counted, me, now, self } from './arena';
import { enqueue } from './ask';
import {
  CSD_IRQ_WORK,
  CSD_TTWU,
  CT_POLLING,
  CT_SUPPRESSED,
  LOG_IPI_POLLING,
  LOG_IPI_SUPPRESSED,
  MSG_NEED_RESCHED,
  QUEUE_PREP,
} from './codes';
import { line } from './costs';
import { goOn, pop, wait } from './frame';
import { post } from './inbox';
import { CallFrame } from './records-frame';
import { Answer } from './records-message';
import { callSend } from './send';
import { note } from './stats';
import { Resched, Wake } from './steps';

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

// ttwu_queue_wakelist(): 6.12 queues on call_single_queue and sends CALL_FUNCTION_SINGLE; 4.0 has a wake
// list of its own and sends RESCHEDULE.
export function stepWake(frame: CallFrame): void {
  const pc = frame.pc;
  const to = frame.target;
  if (pc == Wake.Queue) {
    if (to == self) return pop();
    me.replies = 1;
    // With flags: irq_work_queue_on() instead, which sends a call's IPI in both eras.
    enqueue(to, frame.flags != 0 ? CSD_IRQ_WORK : CSD_TTWU, frame, QUEUE_PREP, 0);
    frame.pc = Wake.Ipi;
    wait();
  } else if (pc == Wake.Ipi) {
    const single = wakesBySingle() || frame.flags != 0;
    ipiIf(frame, Wake.Done, single ? OP_CALL_SINGLE : OP_RESCHEDULE, to);
  } else pop();
}

function ipiIf(frame: CallFrame, pc: u32, op: u32, to: u32): void {
  const answer = frame.answer;
  if (answer == Answer.Ipi) return callSend(frame, pc, op, to, 0, frame.intended);
  counted(answer == Answer.NoIpi ? CT_SUPPRESSED : CT_POLLING);
  note(answer == Answer.NoIpi ? LOG_IPI_SUPPRESSED : LOG_IPI_POLLING, 1, to, 0);
  goOn(frame, pc, 0);
}
