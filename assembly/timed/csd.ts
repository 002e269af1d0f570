// csd locks as their holder sees them: a call takes them, unlocks arrive, csd_lock_wait() spins until then.

import { clearCpu, nextCpu } from '../linux/cpumask';
import { maskWords } from '../memory/arena';
import { cpuMask, Mask, me, now, self } from './arena';
import {
  CAT_WAIT,
  HIST_CSD_WAIT,
  LOG_CSD_UNSTUCK,
  LOG_WAIT,
  LOG_WAIT_DONE,
  PROC_CALL_MANY,
  PROC_CALL_SINGLE,
  UNLOCK_ASYNC,
  UNLOCK_DATA,
  UNLOCK_MANY,
} from './codes';
import { released, watch } from './csd-watch';
import { become } from './frame';
import { CallFrame } from './records-frame';
import { Unlock } from './records-message';
import { note, noteWait, record } from './stats';
import { Many, Single, Stuck } from './steps';

export function newCall(locks: u32): void {
  me.call++;
  me.outstanding = locks;
}

/** Spins until an unlock wakes the frame at `pc`; under the csd watch, no longer than its timeout. */
export function waitFor(frame: CallFrame, pc: u32, target: u32): void {
  become(frame, CAT_WAIT);
  note(LOG_WAIT, 0, target, 0);
  frame.begun = now;
  frame.pc = pc;
  frame.reports = 0;
  me.waitsFor = target;
  watch(frame, pc);
}

/** The wait is over: its length, and the report when it had been reported. */
export function waited(frame: CallFrame, target: u32): void {
  const begin = frame.begun;
  const length = begin == 0 ? 0 : now - begin;
  recordWait(length, begin, target, frame.func);
  if (frame.reports != 0) note(LOG_CSD_UNSTUCK, frame.reports, target, length);
  note(LOG_WAIT_DONE, 0, target, length);
}

function recordWait(length: u64, begin: u64, target: u32, func: u32): void {
  record(HIST_CSD_WAIT, length);
  noteWait(length, begin, target, func);
}

/** MSG_UNLOCK. */
export function unlockArrives(frame: CallFrame, message: Unlock): void {
  const which = message.which;
  const target = message.target;
  const waiting = frame.category == <u32>CAT_WAIT && me.replies == 0;
  if (which == <u32>UNLOCK_ASYNC) return clearCpu(cpuMask(self, Mask.AsyncLocked), target);
  if (which == <u32>UNLOCK_MANY) clearCpu(cpuMask(self, Mask.Locked), target);
  if (which == <u32>UNLOCK_MANY && me.waitsFor == target) {
    // csd_lock_wait() goes on to the next CPU; the last one to unlock is who it waited for.
    if (me.outstanding > 1) me.waitsFor = firstLocked();
  } else if (which == <u32>UNLOCK_MANY && me.outstanding == 1) {
    me.waitsFor = target;
  }
  if (which == <u32>UNLOCK_DATA) {
    if (!ASC_NO_ASSERT) assert(me.csdLocked == 1);
    me.csdLocked = 0;
  } else if (<u32>message.call == me.call && me.outstanding != 0) {
    me.outstanding--;
  }
  if (waiting && canGoOn(frame)) released(frame);
}

/** Whether the waiting frame has what it waits for. */
function canGoOn(frame: CallFrame): bool {
  const pc = frame.pc;
  const next = pc >= <u32>Stuck.Report ? frame.resume : pc;
  if (pc == Stuck.State || pc == Stuck.Resent) return false;
  const proc = frame.proc;
  if (proc == <u32>PROC_CALL_SINGLE && next == Single.Queue) return me.csdLocked == 0;
  if (proc == <u32>PROC_CALL_MANY && next == Many.Queue) return firstBusy() < 0;
  return me.outstanding == 0;
}

/** A target that still holds this CPU's csd of an earlier call, or -1. */
export function firstBusy(): i32 {
  const call = cpuMask(self, Mask.Targets);
  const locked = cpuMask(self, Mask.Locked);
  for (let index: u32 = 0; index < maskWords; index++) {
    const slot = (<usize>index) << 3;
    const both = load<u64>(call + slot) & load<u64>(locked + slot);
    if (both != 0) return (index << 6) | <i32>ctz<u64>(both);
  }
  return -1;
}

export function firstLocked(): u32 {
  const first = nextCpu(cpuMask(self, Mask.Locked), 0);
  return first < 0 ? 0 : first;
}
