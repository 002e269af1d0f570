// Differential fuzz of the hardware: core against reference, the whole state after every operation.
import { isDeepStrictEqual } from 'node:util';
import { Machine } from '../../src/index.js';
import { ReferenceHardware } from '../reference/hardware.js';
import type { LapicModel } from '../reference/lapic-model.js';
import { generator } from '../reference/random.js';
import { CoreHardware } from './core.js';
import type { Hardware } from './operations.js';
import { freshPlan, randomConfig, randomOperation, randomSwarm } from './random.js';

/** Path and values of the first difference of two states, or ''. */
export function firstDifference(got: unknown, expected: unknown, path = ''): string {
  if (isDeepStrictEqual(got, expected)) return '';
  const nested = (v: unknown): v is object => typeof v === 'object' && v !== null;
  const flat = (v: unknown) => Array.isArray(v) && v.every((x) => !nested(x));
  if (!nested(got) || !nested(expected) || flat(expected)) {
    return `${path}: got ${JSON.stringify(got)}, expected ${JSON.stringify(expected)}`;
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(got)])) {
    const inner = firstDifference(
      (got as Record<string, unknown>)[key],
      (expected as Record<string, unknown>)[key],
      path ? `${path}.${key}` : key,
    );
    if (inner) return inner;
  }
  return `${path}: differs`;
}

interface Readiness {
  intr: boolean;
  takeable: boolean;
}

function readiness(apic: LapicModel): Readiness {
  return { intr: apic.intr, takeable: apic.canTakeSomething };
}

/** A CPU whose INTR rose, or that can take something which it couldn't before, without being told. */
function untoldCpu(
  reference: ReferenceHardware,
  before: Readiness[],
  told: number[],
): number | undefined {
  const untold = reference.apics.find((apic, cpu) => {
    const now = readiness(apic);
    const news = (now.intr && !before[cpu]!.intr) || (now.takeable && !before[cpu]!.takeable);
    return news && !told.includes(cpu);
  });
  return untold?.index;
}

/** A CPU that lost an interrupt, or made one up. */
function unbalancedCpu(machine: Machine): number | undefined {
  for (let cpu = 0; cpu < machine.config.cpus; cpu++) {
    const { attempted, delivered, coalesced, rejected, discarded, pending } = machine.counters(cpu);
    if (attempted !== delivered + coalesced + rejected + discarded + pending) return cpu;
  }
  return undefined;
}

/**
 * Runs one seed; adds the reference's covered rules to `covered`.
 * @throws Error with one line to paste: seed, options, step, first differing field
 */
export function fuzzHardware(
  seed: number,
  steps: number,
  covered?: Map<string, number>,
  module?: object,
): void {
  const random = generator(seed);
  const config = randomConfig(random);
  const swarm = randomSwarm(random);
  freshPlan();
  const reference = new ReferenceHardware(config);
  const core = new CoreHardware(config, module);
  const fail = (n: number, what: string, difference: string): never => {
    throw new Error(
      `hardware fuzz seed ${seed} step ${n} ${what} ${JSON.stringify(config)}: ${difference}`,
    );
  };
  const start = firstDifference(core.state(), reference.state());
  if (start) fail(-1, 'start', start);
  for (let n = 0; n < steps; n++) {
    const operation = randomOperation(random, config, swarm);
    const what = JSON.stringify(operation);
    const before = reference.apics.map(readiness);
    core.machine.takeWoken();
    const [got, expected] = [core, reference].map((side: Hardware) => side.apply(operation));
    if (got !== expected) fail(n, what, `result: got ${got}, expected ${expected}`);
    const difference = firstDifference(core.state(), reference.state());
    if (difference) fail(n, what, difference);
    const untold = untoldCpu(reference, before, core.machine.takeWoken());
    if (untold !== undefined) fail(n, what, `CPU ${untold} got something to take, and no news`);
    const lost = unbalancedCpu(core.machine);
    if (lost !== undefined)
      fail(n, what, `CPU ${lost}: ${JSON.stringify(core.machine.counters(lost))}`);
    if (random.below(60) === 0) {
      core.machine = Machine.restore(core.machine.snapshot(), {
        gp: 'return',
        ...(module && { module }),
      });
    }
  }
  for (const [rule, times] of reference.covered)
    covered?.set(rule, (covered.get(rule) ?? 0) + times);
}
