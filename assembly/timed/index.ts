// What the host may call of the timed engine.
import { cpus } from '../memory/arena';
import { BAD_ARGUMENT } from '../memory/codes';
import { setQuiet } from '../record/wake';
import { enterNode, me, NEVER, nodeCount, nodeRow, planTimed, setNow, timed } from './arena';
import { resetBus } from './bus';
import { CAT_IDLE, MSG_IRQS_OFF, PROC_TASK } from './codes';
import { delay, push } from './frame';
import { post } from './inbox';
import * as T from './layout';
import { runSlice } from './schedule';
import { bucketOf, timedHash as hashOf } from './stats';

/** Step 1: the regions. The address of the scalars, or an error. Then the host writes what it wants simulated. */
export function timedCreate(logCapacity: u32, traceBytes: u32): i32 {
  if (cpus == 0 || cpus > <u32>T.TIMED_CPUS_MAX || changetype<usize>(timed) != 0)
    return BAD_ARGUMENT;
  const status = planTimed(logCapacity, traceBytes);
  return status != 0 ? status : <i32>changetype<usize>(timed);
}

/** Step 2: every CPU is at its task, the bus and the locks are free. */
export function timedStart(): void {
  setQuiet(true);
  setNow(0);
  for (let node: u32 = 0; node < nodeCount; node++) {
    enterNode(node);
    me.end = NEVER;
    if (node >= cpus) continue;
    me.interruptFlag = 1;
    push(PROC_TASK, CAT_IDLE, false);
    delay(0);
  }
  resetBus();
}

/** CPU `cpu` turns its interrupts off at `when` ps for `ps`; after timedStart(), before the first run. */
export function timedIrqsOff(cpu: u32, when: u64, ps: u64): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  enterNode(cpu);
  setNow(0);
  post(MSG_IRQS_OFF, cpu, when, 0, 0, 0, 0, 0, ps);
  return 0;
}

/** Runs to `until` ps or through `events`; RUN_MORE, RUN_DONE, RUN_LOG_FULL or RUN_NO_MEMORY. */
export function timedRun(until: u64, events: u32): i32 {
  return runSlice(until, events);
}

export function timedHash(): u64 {
  return hashOf();
}

/** Where HdrHistogram counts a value; for tests. */
export function histogramBucket(value: u64): u32 {
  return bucketOf(value);
}

export function nodeAddress(node: u32): i32 {
  return node < nodeCount ? <i32>changetype<usize>(nodeRow(node)) : BAD_ARGUMENT;
}
