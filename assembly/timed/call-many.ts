// smp_call_function_many_cond(). Linux 6.12 kernel/smp.c; 4.0 where the era says so.

import { clearMask, nextCpu, setCpu } from '../linux/cpumask';
import { manySkipsQueued, ownFlushFirst } from '../linux/era';
import { maskWords } from '../memory/arena';
import { OP_CALL_MANY, OP_CALL_SINGLE } from '../memory/codes';
import { counted, cpuMask, Mask, me, self } from './arena';
import { enqueue } from './ask';
import {
  CALL_LOCK_SHIFT,
  CALL_WAITS,
  CAT_SEND,
  COST_CALL_SETUP,
  CSD_ASYNC,
  CSD_SYNC,
  CT_CALLS_MANY,
  LOG_IPI_NEEDED,
  LOG_IPI_SUPPRESSED,
  QUEUE_MANY,
} from './codes';
import { cost, line } from './costs';
import { firstBusy, firstLocked, newCall, waited, waitFor } from './csd';
import { stepStuck } from './csd-watch';
import { become, delay, goOn, pop, wait } from './frame';
import { runFunc } from './func';
import { CallFrame } from './records-frame';
import { callSend } from './send';
import { note } from './stats';
import { Many } from './steps';

/** Whether the caller's own share runs; flush_tlb_mm_range() did it first in linux-4.0. */
const enum Share {
  None,
  Here,
  Flush,
}

// smp_call_function_many_cond(): a csd per target, IPIs only to those whose queue was empty (4.0: to all),
// this CPU's own call in between, then a wait for each.
export function stepCallMany(frame: CallFrame): void {
  const pc = frame.pc;
  const waits = (frame.flags & CALL_WAITS) != 0;
  if (pc == Many.Setup) {
    counted(CT_CALLS_MANY);
    const first = frame.target == Share.Flush && ownFlushFirst();
    goOn(frame, first ? Many.HereFirst : Many.Queue, cost(COST_CALL_SETUP));
  } else if (pc == Many.Queue) {
    queueWhenFree(frame, waits);
  } else if (pc == Many.Ipi) sendToEmpty(frame);
  else if (pc == Many.Here) {
    if (frame.target == Share.None) goOn(frame, Many.Wait, 0);
    else runHere(frame, Many.HereDone);
  } else if (pc == Many.HereDone) ranHere(frame, Many.Wait);
  else if (pc == Many.Wait) {
    if (!waits || me.outstanding == 0) goOn(frame, Many.Done, 0);
    else waitFor(frame, Many.Done, firstLocked());
  } else if (pc == Many.Done) {
    if (waits) waited(frame, me.waitsFor);
    pop();
  } else if (pc == Many.HereFirst) runHere(frame, Many.HereFirstDone);
  else if (pc == Many.HereFirstDone) {
    frame.target = Share.None;
    ranHere(frame, Many.Queue);
  } else stepStuck(frame, pc);
}

/** on_each_cpu(): this CPU's share, with interrupts off. */
function runHere(frame: CallFrame, pc: u32): void {
  me.interruptFlag = 0;
  runFunc(frame, pc, frame.func, frame.flags >> CALL_LOCK_SHIFT);
}

function ranHere(frame: CallFrame, pc: u32): void {
  me.interruptFlag = 1;
  goOn(frame, pc, 0);
}

/** csd_lock() of each target's csd, then all of them are queued. */
function queueWhenFree(frame: CallFrame, waits: bool): void {
  const busy = firstBusy();
  if (busy >= 0) return waitFor(frame, Many.Queue, busy);
  become(frame, CAT_SEND);
  frame.begun = 0;
  queueAll(frame, waits);
}

function queueAll(frame: CallFrame, waits: bool): void {
  const call = cpuMask(self, Mask.Targets);
  const locked = cpuMask(self, Mask.Locked);
  clearMask(cpuMask(self, Mask.Receivers));
  let count: u32 = 0;
  let after: u64 = 0;
  for (let cpu = nextCpu(call, 0); cpu >= 0; cpu = nextCpu(call, cpu + 1)) count++;
  newCall(waits ? count : 0);
  me.replies = count;
  for (let cpu = nextCpu(call, 0); cpu >= 0; cpu = nextCpu(call, cpu + 1)) {
    setCpu(locked, cpu);
    enqueue(cpu, waits ? CSD_SYNC : CSD_ASYNC, frame, QUEUE_MANY, after);
    after += line(cpu);
  }
  frame.pc = Many.Ipi;
  if (count == 0) delay(0);
  else wait();
}

function sendToEmpty(frame: CallFrame): void {
  const empty = cpuMask(self, Mask.Receivers);
  if (!manySkipsQueued()) memory.copy(empty, cpuMask(self, Mask.Targets), (<usize>maskWords) << 3);
  const first = nextCpu(empty, 0);
  if (first < 0) {
    note(LOG_IPI_SUPPRESSED, 0, self, 0);
    return goOn(frame, Many.Here, 0);
  }
  const meant = frame.intended;
  const single = nextCpu(empty, first + 1) < 0;
  note(LOG_IPI_NEEDED, 0, first, 0);
  if (single) callSend(frame, Many.Here, OP_CALL_SINGLE, first, 0, meant);
  else callSend(frame, Many.Here, OP_CALL_MANY, 0, 0, meant);
}
