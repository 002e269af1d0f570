// The sender's side of a target's queue and flags, which are the target's own: asking about them is a
// message there and one back, each half a cache line's way.

import { setCpu } from '../linux/cpumask';
import { counted, cpuMask, Mask, me, now, self } from './arena';
import {
  CALL_LOCK_SHIFT,
  CT_QUEUED,
  LOG_QUEUE,
  MSG_QUEUE,
  PROC_TASK,
  QUEUE_LOCK_SHIFT,
} from './codes';
import { line } from './costs';
import { wake } from './frame';
import { post } from './inbox';
import { CallFrame } from './records-frame';
import { Answer, AnswerMessage } from './records-message';
import { note } from './stats';

/** llist_add() to the target's queue; the answer says whether it was empty. `after` ps from now. */
export function enqueue(to: u32, type: u32, frame: CallFrame, flags: u32, after: u64): void {
  const func = frame.func;
  const far = line(to);
  counted(CT_QUEUED);
  note(LOG_QUEUE, func, to, 0);
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

/** MSG_QUEUED, MSG_NEED_RESCHED_SET. */
export function answered(frame: CallFrame, message: AnswerMessage): void {
  const answer = message.answer;
  if (answer == Answer.Ipi) setCpu(cpuMask(self, Mask.Receivers), message.target);
  frame.answer = answer;
  if (!ASC_NO_ASSERT) assert(me.replies != 0 && frame.proc != <u32>PROC_TASK);
  const left = me.replies - 1;
  me.replies = left;
  if (left == 0) wake(frame, 0);
}
