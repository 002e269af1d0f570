// native_stop_other_cpus(): REBOOT to everybody, a second to stop, then NMIs to those that have not, and
// ten milliseconds. Linux 6.12 and 4.0 arch/x86/kernel/smp.c.

import { setCpu, testCpu } from '../linux/cpumask';
import { nmiOneByOne } from '../linux/era';
import { cpus, maskWords } from '../memory/arena';
import { OP_ALLBUTSELF, OP_SEND_IPI, VECTOR_NMI, VECTOR_REBOOT } from '../memory/codes';
import { cpuMask, Mask, me, now, self } from './arena';
import { CAT_WAIT, PROC_STOP } from './codes';
import { become, delay, depth, frameAt, goOn, pop, wake } from './frame';
import { StopFrame } from './records-frame';
import { callSend } from './send';
import { Stop } from './steps';

/** The mask of those that have stopped. */
const STOPPED: u32 = Mask.Locked;
const REBOOT_WAIT: u64 = 1_000_000_000_000;
const NMI_WAIT: u64 = 10_000_000_000;

export function stepStop(frame: StopFrame): void {
  const pc = frame.pc;
  const meant = frame.intended;
  if (pc == Stop.Reboot) {
    memory.fill(cpuMask(self, STOPPED), 0, (<usize>maskWords) << 3);
    me.outstanding = cpus - 1;
    me.call++;
    if (cpus == 1) return pop();
    callSend(frame, Stop.RebootSent, OP_ALLBUTSELF, 0, VECTOR_REBOOT, meant);
  } else if (pc == Stop.RebootSent) waitFor(frame, Stop.Nmi, REBOOT_WAIT);
  else if (pc == Stop.Nmi) {
    if (nmiOneByOne()) goOn(frame, Stop.NmiToNext, 0);
    else callSend(frame, Stop.NmiSent, OP_ALLBUTSELF, 0, VECTOR_NMI, meant);
  } else if (pc == Stop.NmiToNext) {
    const next = nextRunning(frame.next);
    if (next >= cpus) return goOn(frame, Stop.NmiSent, 0);
    frame.next = next + 1;
    callSend(frame, Stop.NmiToNext, OP_SEND_IPI, next, VECTOR_NMI, meant);
  } else if (pc == Stop.NmiSent) waitFor(frame, Stop.Done, NMI_WAIT);
  else pop();
}

function nextRunning(cpu: u32): u32 {
  while (cpu < cpus && (cpu == self || testCpu(cpuMask(self, STOPPED), cpu))) cpu++;
  return cpu;
}

/** Until all have stopped, or `ps` have passed. */
function waitFor(frame: StopFrame, pc: u32, ps: u64): void {
  if (me.outstanding == 0) return goOn(frame, Stop.Done, 0);
  become(frame, CAT_WAIT);
  frame.begun = now;
  frame.pc = pc;
  delay(ps);
}

/** MSG_STOPPED: one more. */
export function stopped(cpu: u32): void {
  for (let index = depth(); index > 0; index--) {
    const frame = frameAt(index - 1);
    if (frame.proc != <u32>PROC_STOP) continue;
    if (testCpu(cpuMask(self, STOPPED), cpu)) return;
    setCpu(cpuMask(self, STOPPED), cpu);
    if (!ASC_NO_ASSERT) assert(me.outstanding != 0);
    const left = me.outstanding - 1;
    me.outstanding = left;
    if (left != 0 || frame.category != <u32>CAT_WAIT) return;
    frame.pc = Stop.Done;
    return wake(frame, 0);
  }
}
