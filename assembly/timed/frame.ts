// A CPU's stack of frames: its task, what the task called, and the interrupts on top. Each frame is a
// procedure with a program counter; it takes time by setting the end of its step, or waits.
import { at, NEVER, now } from './arena';
import * as T from './layout';
import { spendOn } from './stats';

export function depth(): u32 {
  return load<u32>(at, T.N_DEPTH);
}

/** The frame on top. */
export function top(): usize {
  return frameAt(depth() - 1);
}

export function frameAt(index: u32): usize {
  return at + T.N_FRAMES + ((<usize>index) << T.FRAME_SHIFT);
}

/** The running step ends `ps` from now. */
export function delay(ps: u64): void {
  store<u64>(at, now + ps, T.N_END);
}

/** Until somebody calls wake(). */
export function wait(): void {
  store<u64>(at, NEVER, T.N_END);
}

/** Goes on at `pc` after `ps`. */
export function goOn(frame: usize, pc: u32, ps: u64): void {
  store<u32>(frame, pc, T.F_PC);
  delay(ps);
}

/** The frame waits no more: it goes on `ps` from now, or, with others on top, `ps` after them. */
export function wake(frame: usize, ps: u64): void {
  if (frame == top()) delay(ps);
  else store<u64>(frame, ps, T.F_LEFT);
}

/** Starts a procedure on top; its first step runs at once. */
export function push(proc: u32, category: u32, interrupt: bool): usize {
  const count = depth();
  assert(count < <u32>T.FRAME_MAX);
  if (count > 0) {
    const end = load<u64>(at, T.N_END);
    store<u64>(frameAt(count - 1), end == NEVER ? NEVER : end - now, T.F_LEFT);
  }
  const frame = frameAt(count);
  memory.fill(frame, 0, T.FRAME_BYTES);
  store<u32>(frame, proc, T.F_PROC);
  store<u32>(frame, interrupt ? 1 : 0, T.F_INTERRUPT);
  store<u32>(frame, category, T.F_CATEGORY);
  store<u32>(at, count + 1, T.N_DEPTH);
  spendOn(category);
  delay(0);
  return frame;
}

/** A procedure called by the one on top, which goes on at `pc` after it. */
export function call(caller: usize, pc: u32, proc: u32, category: u32): usize {
  store<u32>(caller, pc, T.F_PC);
  delay(0);
  return push(proc, category, false);
}

/** The procedure on top is over; the one below goes on where it was. */
export function pop(): void {
  const count = depth() - 1;
  store<u32>(at, count, T.N_DEPTH);
  const below = frameAt(count - 1);
  spendOn(load<u32>(below, T.F_CATEGORY));
  const left = load<u64>(below, T.F_LEFT);
  store<u64>(at, left == NEVER ? NEVER : now + left, T.N_END);
}

/** The frame on top changes what its time counts as. */
export function become(frame: usize, category: u32): void {
  store<u32>(frame, category, T.F_CATEGORY);
  spendOn(category);
}
