// How far a node may run ahead of the others: no less than that passes before one can touch another.
import { usage } from '../core/errors.js';
import { C, X } from '../core/memory.js';
import { hasSerialBus, type Model } from '../core/models.js';
import type { Operation, Scenario } from './scenario.js';

/** Lookahead of a CPU that nobody can reach, ps. */
const ALONE = 1e12;

/** Whether an operation touches another CPU's cache lines, not only its local APIC. */
function takesLines({ do: what, vector }: Operation): boolean {
  const bare = ['send_IPI', 'send_IPI_mask', 'send_IPI_allbutself', 'send_IPI_self'];
  const own = ['irq_work_queue', 'function', 'irqs_off', 'nothing'];
  if (own.includes(what)) return false;
  // Who is stopped tells its stopper.
  return !bare.includes(what) || vector === C.VECTOR_REBOOT;
}

/**
 * The least time that anything takes from one node to another, of what this scenario does on this
 * machine. Interrupt messages take the wire; asking a queue takes half a cache line each way, an
 * unlock a whole one; locks are a line of another CCD away; the serial bus a clock.
 * @param least smallest value of each cost, ps, by id
 * @param far distances that two CPUs of the machine have: 0 SMT siblings, 1 one CCD, 2 one socket, 3 two
 */
export function lookahead(
  { workloads }: Scenario,
  model: Model,
  least: Float64Array,
  far: readonly number[],
): number {
  const operations = workloads.flatMap((work) => [work, ...(work.mix ?? [])]);
  const times = [ALONE];
  if (operations.some(takesLines)) {
    times.push(...far.map((i) => Math.floor(least[X.COST_LINE_SMT + i]! / 2)));
  }
  if (operations.some(({ lock, func_lock }) => lock !== undefined || func_lock !== undefined)) {
    times.push(least[X.COST_LINE_CCD]!);
  }
  if (hasSerialBus(model)) times.push(least[X.COST_BUS_CLOCK]!);
  else times.push(...far.map((i) => least[X.COST_WIRE_SMT + i]!));
  const smallest = Math.min(...times);
  if (smallest < 1) {
    throw usage(
      'costs',
      'a wire or line cost of 0',
      'at least 0.002 ns for every wire_* (but self) and line_*',
      'between two CPUs everything takes time',
    );
  }
  return smallest;
}
