// How a timed run begins: every node at rest, every CPU at its task.
import { cpus } from '../memory/arena';
import { setQuiet } from '../record/wake';
import { enterNode, me, NEVER, nodeCount, setNow } from './arena';
import { resetBus } from './bus';
import { CAT_IDLE, MSG_IRQS_OFF, PROC_TASK } from './codes';
import { delay, push } from './frame';
import { post } from './inbox';

/** Every CPU is at its task, the bus and the locks are free. */
export function start(): void {
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

/** CPU `cpu` turns its interrupts off at `when` ps for `ps`. */
export function turnIrqsOff(cpu: u32, when: u64, ps: u64): void {
  enterNode(cpu);
  setNow(0);
  post(MSG_IRQS_OFF, cpu, when, 0, 0, 0, 0, 0, ps);
}
