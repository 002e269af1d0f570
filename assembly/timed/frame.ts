// A CPU's stack of frames: its task, what the task called, and the interrupts on top. Each frame is a
// procedure with a program counter; it takes time by setting the end of its step, or waits.

import { cpus } from '../memory/arena';
import { me, NEVER, now, self } from './arena';
import { CAT_IRQS_OFF, PROC_DEAD } from './codes';
import * as T from './layout';
import { Frame } from './records-frame';
import { spendOn } from './stats';

export function depth(): u32 {
  return me.depth;
}

/** The frame on top. */
export function top(): Frame {
  return frameAt(depth() - 1);
}

export function frameAt(index: u32): Frame {
  return changetype<Frame>(changetype<usize>(me) + T.N_FRAMES + ((<usize>index) << T.FRAME_SHIFT));
}

/** Whether a frame is one of the running node's; for assertions. */
function isMine(frame: Frame): bool {
  const offset = changetype<usize>(frame) - changetype<usize>(frameAt(0));
  return offset < (<usize>depth()) << T.FRAME_SHIFT && (offset & (T.FRAME_BYTES - 1)) == 0;
}

/** The running step ends `ps` from now. */
export function delay(ps: u64): void {
  me.end = now + ps;
}

/** Until somebody calls wake(). */
export function wait(): void {
  me.end = NEVER;
}

/** Goes on at `pc` after `ps`. */
export function goOn(frame: Frame, pc: u32, ps: u64): void {
  if (!ASC_NO_ASSERT) assert(frame == top());
  frame.pc = pc;
  delay(ps);
}

/** The frame waits no more: it goes on `ps` from now, or, with others on top, `ps` after them. */
export function wake(frame: Frame, ps: u64): void {
  if (!ASC_NO_ASSERT) assert(isMine(frame));
  if (frame == top()) delay(ps);
  else frame.left = ps;
}

/** Starts a procedure on top; its first step runs at once. */
export function push(proc: u32, category: u32, interrupt: bool): Frame {
  const count = depth();
  if (!ASC_NO_ASSERT) assert(self < cpus && count < <u32>T.FRAME_MAX);
  if (count > 0) {
    const end = me.end;
    frameAt(count - 1).left = end == NEVER ? NEVER : end - now;
  }
  const frame = frameAt(count);
  memory.fill(changetype<usize>(frame), 0, T.FRAME_BYTES);
  frame.proc = proc;
  frame.interrupt = interrupt ? 1 : 0;
  frame.category = category;
  me.depth = count + 1;
  spendOn(category);
  delay(0);
  return frame;
}

/** A procedure called by the one on top, which goes on at `pc` after it. */
export function call(caller: Frame, pc: u32, proc: u32, category: u32): Frame {
  if (!ASC_NO_ASSERT) assert(caller == top());
  caller.pc = pc;
  delay(0);
  return push(proc, category, false);
}

/** The procedure on top is over; the one below goes on where it was. */
export function pop(): void {
  // The task stays.
  if (!ASC_NO_ASSERT) assert(depth() > 1);
  const count = depth() - 1;
  me.depth = count;
  const below = frameAt(count - 1);
  spendOn(below.category);
  const left = below.left;
  me.end = left == NEVER ? NEVER : now + left;
}

/** The frame on top changes what its time counts as. */
export function become(frame: Frame, category: u32): void {
  if (!ASC_NO_ASSERT) assert(frame == top());
  frame.category = category;
  spendOn(category);
}

/** From here on the CPU answers nothing. */
export function die(frame: Frame): void {
  frame.proc = PROC_DEAD;
  me.interruptFlag = 0;
  me.dead = 1;
  become(frame, CAT_IRQS_OFF);
  wait();
}
