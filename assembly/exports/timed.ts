// What the host may call of the timed engine.
import { settled } from '../board/audit';
import { cpus } from '../memory/arena';
import { BAD_ARGUMENT } from '../memory/codes';
import { nodeCount, nodeRow, planTimed, timed } from '../timed/arena';
import * as T from '../timed/layout';
import { runSlice } from '../timed/schedule';
import { start, turnIrqsOff } from '../timed/start';
import { bucketOf, timedHash as hashOf } from '../timed/stats';

/** Step 1: the regions. The address of the scalars, or an error. Then the host writes what it wants simulated. */
export function timedCreate(logCapacity: u32, traceBytes: u32): i32 {
  if (cpus == 0 || cpus > <u32>T.TIMED_CPUS_MAX || changetype<usize>(timed) != 0)
    return BAD_ARGUMENT;
  const status = planTimed(logCapacity, traceBytes);
  return status != 0 ? status : <i32>changetype<usize>(timed);
}

/** Step 2: every CPU is at its task, the bus and the locks are free. */
export function timedStart(): void {
  start();
}

/** CPU `cpu` turns its interrupts off at `when` ps for `ps`; after timedStart(), before the first run. */
export function timedIrqsOff(cpu: u32, when: u64, ps: u64): i32 {
  if (cpu >= cpus) return BAD_ARGUMENT;
  turnIrqsOff(cpu, when, ps);
  return 0;
}

/** Runs to `until` ps or through `events`; RUN_MORE, RUN_DONE, RUN_LOG_FULL or RUN_NO_MEMORY. */
export function timedRun(until: u64, events: u32): i32 {
  return settled(runSlice(until, events));
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
