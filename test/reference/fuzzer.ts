// Differential fuzz: random machines, random operations, core against reference after every step.
import { isDeepStrictEqual } from 'node:util';
import {
  CPU_LIMIT,
  DRIVER_MODES,
  DRIVERS,
  type Driver,
  ERAS,
  type Era,
  type Mode,
  missingIn,
} from '../../src/core/config.js';
import { OPS, type Op } from '../../src/machine/linux.js';
import { Machine } from '../../src/machine/machine.js';
import { referenceHash } from './apic.js';
import { type ReferenceConfig, ReferenceMachine } from './machine.js';
import { generator, type Random } from './random.js';

function randomIds(random: Random, mode: Mode): number[] {
  const limit = Math.min(CPU_LIMIT[mode].max, random.below(12) === 0 ? 200 : 24);
  const cpus = 1 + random.below(limit);
  if (random.below(2) === 0) return Array.from({ length: cpus }, (_, i) => i);
  const top = mode.startsWith('xapic') ? 255 : mode === 'x2apic-cluster' ? 0x100000 : 0xfffffffe;
  const span = random.pick([Math.max(cpus * 3, 40), 600, top]);
  const ids = new Set<number>();
  while (ids.size < cpus) ids.add(random.below(Math.min(span, top)));
  return [...ids];
}

function randomConfig(random: Random): ReferenceConfig {
  const era = random.pick(Object.keys(ERAS) as Era[]);
  const drivers = (Object.keys(DRIVERS) as Driver[]).filter((driver) => !missingIn(driver, era));
  const driver = random.pick(drivers);
  const clustered = driver === 'physflat' && random.below(4) === 0;
  const mode = clustered ? 'xapic-cluster' : random.pick(DRIVER_MODES[driver]);
  return {
    era,
    driver,
    mode,
    apicIds: randomIds(random, mode),
    noIpiBroadcast: random.below(3) === 0,
    hotplugCpu: random.below(3) !== 0,
    vendor: random.pick(['intel', 'amd'] as const),
  };
}

const VECTORS = [0, 2, 15, 16, 31, 32, 0x35, 0x3f, 63, 64, 127, 128, 0xf6, 0xfb, 0xfc, 0xfd, 255];

function randomDest(random: Random, reference: ReferenceMachine): [number, number] {
  const { mode, apicIds } = reference.config;
  const id = random.pick(apicIds);
  if (!mode.startsWith('x2apic'))
    return [random.pick([id, random.below(256), 0xff]), 0x800 * random.below(2)];
  const logical = (((id >>> 4) & 0xffff) * 65536 + (random.below(65536) | (1 << (id & 15)))) >>> 0;
  return random.pick([
    [id, 0],
    [random.below(2 ** 32), 0],
    [0xffffffff, 0x800 * random.below(2)],
    [logical, 0x800],
    [logical, 0x800],
    [random.below(2 ** 32), 0x800],
  ] as [number, number][]);
}

/** One random operation on both; returns what it was and both results. */
function step(
  random: Random,
  core: Machine,
  reference: ReferenceMachine,
): [string, unknown, unknown] {
  const cpus = reference.apics.length;
  const cpu = random.below(cpus);
  const apic = reference.apics[cpu]!;
  const lapic = core.lapic(cpu);
  const vector = random.below(3) === 0 ? random.below(256) : random.pick(VECTORS);
  const kind = random.below(12);
  if (kind === 0) {
    const level = random.below(2) === 0;
    return [
      `accept ${cpu} ${vector} ${level}`,
      lapic.accept(vector, level ? 'level' : 'edge'),
      apic.accept(vector, level),
    ];
  }
  if (kind <= 2) return [`acknowledge ${cpu}`, lapic.acknowledge(), apic.acknowledge()];
  if (kind === 3)
    return [
      `acknowledgeVector ${cpu} ${vector}`,
      lapic.acknowledgeVector(vector),
      apic.acknowledge(vector),
    ];
  if (kind <= 5) return [`eoi ${cpu}`, lapic.eoi(), apic.eoi()];
  if (kind === 6) {
    const tpr = random.pick([0, 0, 0x10, 0x30, 0x3f, 0xf0, random.below(256)]);
    lapic.tpr = tpr;
    return [`tpr ${cpu} ${tpr}`, 0, apic.setTpr(tpr) ?? 0];
  }
  if (kind === 7) {
    core.runHandlers();
    for (const each of reference.apics) if (each.woken) each.runHandlers();
    return ['runHandlers', 0, 0];
  }
  if (kind === 8) {
    const [dest, logical] = randomDest(random, reference);
    const low =
      (random.pick([0, 0, 0, 1, 2, 3]) * 0x40000 +
        logical +
        random.pick([vector, vector, 0x400])) >>>
      0;
    return [
      `icr ${cpu} ${dest} ${low}`,
      core.writeICR(cpu, dest, low),
      reference.icr(cpu, dest, low),
    ];
  }
  const op = random.pick(Object.keys(OPS) as Op[]);
  const share = random.pick([0, 0.1, 0.5, 1]);
  const list =
    random.below(5) === 0 ? others(cpus, cpu) : all(cpus).filter(() => random.next() < share);
  const targets =
    op === 'send_IPI' || op.includes('single') || op.includes('resched')
      ? [random.below(cpus)]
      : list;
  return [
    `${op} ${cpu} ${targets} ${vector}`,
    core.linux.send(op, cpu, targets, vector),
    reference.send(op, cpu, targets, vector),
  ];
}

const all = (cpus: number) => Array.from({ length: cpus }, (_, i) => i);
const others = (cpus: number, from: number) => all(cpus).filter((cpu) => cpu !== from);

export function coreState(core: Machine, cpu: number): object {
  const { irr, isr, tmr, tpr, ppr, intr, counters } = core.lapic(cpu);
  return { irr, isr, tmr, tpr, ppr, intr, ...counters };
}

export function firstDifference(got: object, expected: object): string {
  for (const [key, value] of Object.entries(expected)) {
    const other = (got as Record<string, unknown>)[key];
    if (!isDeepStrictEqual(other, value))
      return `${key}: got ${JSON.stringify(other)}, expected ${JSON.stringify(value)}`;
  }
  return '';
}

/** @throws Error with one line to paste: seed, options, step, first differing field */
export function fuzz(seed: number, steps: number, module?: object): void {
  const random = generator(seed);
  const config = randomConfig(random);
  const reference = new ReferenceMachine(config);
  const options = { ...config, ...(module ? { module } : {}) };
  let core = Machine.create(options);
  const fail = (n: number, what: string, difference: string) => {
    const ids =
      config.apicIds.length > 30 ? `${config.apicIds.length} ids` : config.apicIds.join(',');
    throw new Error(
      `fuzz seed ${seed} step ${n} (${what}) ${JSON.stringify({ ...config, apicIds: ids })}: ${difference}`,
    );
  };
  for (let n = 0; n < steps; n++) {
    const [what, got, expected] = step(random, core, reference);
    if (got !== expected) fail(n, what, `result: got ${got}, expected ${expected}`);
    const difference = compare(core, reference);
    if (difference) fail(n, what, difference);
    if (random.below(40) === 0) core = Machine.restore(core.snapshot(), module ? { module } : {});
  }
}

function compare(core: Machine, reference: ReferenceMachine): string {
  for (let cpu = 0; cpu < reference.apics.length; cpu++) {
    const difference = firstDifference(coreState(core, cpu), reference.apics[cpu]!.state());
    if (difference) return `CPU ${cpu} ${difference}`;
  }
  // A bare ICR write is one of the core's icrWrites; the reference counts senders only.
  const { icrWrites: _, unclaimed, ...costs } = core.senderCosts();
  const { icrWrites: __, ...expected } = reference.costs;
  if (unclaimed !== reference.unclaimed)
    return `unclaimed: got ${unclaimed}, expected ${reference.unclaimed}`;
  const hash = referenceHash(reference.apics);
  if (core.eventHash !== hash) return `eventHash: got ${core.eventHash}, expected ${hash}`;
  return firstDifference(costs, expected);
}
