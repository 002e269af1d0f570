// ipistorm without arguments: the whole point in a few seconds.
import { fileURLToPath } from 'node:url';
import type { Era } from '../core/config.js';
import { Machine } from '../machine/machine.js';
import { candidatesFor } from '../machine/measure.js';
import { comparisonSheet } from '../report/compare-text.js';
import { replaySheet } from '../report/replay-text.js';
import { stormSheet } from '../report/storm-text.js';
import { whySheet } from '../report/text.js';
import { costSet, scenario } from '../timed/library.js';
import { measureAll } from './compare.js';
import { replayFile } from './replay.js';
import { explain, runTimed } from './run.js';
import { timedStorm } from './storm.js';
import { type Terminal, watchInterrupt } from './terminal.js';

const TRACE = fileURLToPath(
  new URL('../../../data/traces/ftrace-x2apic-cluster-20cpu.txt.gz', import.meta.url),
);

/** What follows is left out when a signal came before. */
const PARTS: readonly ((terminal: Terminal) => Promise<void>)[] = [
  showPaths,
  showStorm,
  showTrace,
  showTime,
  showNext,
];

export async function runShowcase(terminal: Terminal): Promise<number> {
  const interrupt = watchInterrupt();
  for (const part of PARTS) {
    if (interrupt.hit) break;
    if (part !== showPaths) terminal.print();
    await part(terminal);
  }
  if (interrupt.hit) terminal.note('interrupted: the rest is not shown');
  return interrupt.hit ? 130 : 0;
}

const topology = { sockets: 2, cores: 24, threads: 2 };

async function showPaths(terminal: Terminal): Promise<void> {
  terminal.title('1. Single against mask: 2 sockets x 24 cores x 2 threads, x2APIC clusters');
  const eras: Era[] = ['linux-4.0', 'linux-4.0+send_IPI', 'linux-6.12'];
  const paths = eras.flatMap((era) =>
    candidatesFor(era, 'x2apic_cluster', { topology }, 96, [2, 16]),
  );
  terminal.show(comparisonSheet(await measureAll(paths, undefined, terminal), 96));
}

async function showStorm(terminal: Terminal): Promise<void> {
  terminal.title('2. A storm of 50 million IPIs');
  const storm = await timedStorm(
    Machine.create({ topology, driver: 'x2apic_cluster' }),
    { pattern: 'random', sends: 50e6, vectors: Array.from({ length: 240 }, (_, i) => i + 16) },
    terminal,
  );
  terminal.show(stormSheet([storm]));
}

async function showTrace(terminal: Terminal): Promise<void> {
  terminal.title('3. A real trace (Linux 6.12, 20 CPUs) through every driver');
  const replayed = await replayFile(TRACE, undefined, terminal);
  if (replayed) terminal.show(replaySheet(TRACE, replayed, 4));
}

async function showNext(terminal: Terminal): Promise<void> {
  terminal.print('Next');
  for (const line of [
    'npx ipistorm icr --driver x2apic_cluster --topology 2x24x2 --op mask --cpus 1-31    what one send writes',
    'npx ipistorm compare --cpus 1024                                                    where a mask pays',
    'npx ipistorm storm --preset hot-target                                              interrupts that merge',
    'npx ipistorm run tlb-shootdown --why                                                latencies, and why one was slow',
    'npx ipistorm ramp membarrier-stampede                                               where a storm saturates',
    'npx ipistorm replay your-trace.txt --costs intel-xeon-x2apic-cluster,kvm-avic       your own load elsewhere',
    'npx ipistorm models --differences                                                   where real hardware differs',
    'npx ipistorm --help                                                                 everything else',
  ]) {
    terminal.print(`  ${line}`);
  }
}

const MACHINES = [
  'intel-xeon-x2apic-cluster',
  'kvm-x2apic-cluster',
  'kvm-paravirtual',
  'kvm-x2apic-physical',
];

/** A broadcast on four machines, and one lost IPI. */
async function showTime(terminal: Terminal): Promise<void> {
  terminal.title('4. With a clock: a call of 79 other CPUs, with wait, on four machines');
  const broadcast = {
    ...scenario('broadcast'),
    machine: { cpus: 80, no_ipi_broadcast: true },
    workloads: scenario('broadcast').workloads.map((work) => ({
      ...work,
      loops: 200,
      idle: 'busy' as const,
    })),
  };
  const rows: string[][] = [];
  for (const name of MACHINES) {
    const { result, interrupted } = await runTimed(broadcast, costSet(name), {}, terminal);
    if (interrupted) break;
    const { call, send, csd_wait } = result.latencies;
    const us = (ps: number) => `${(ps / 1e6).toFixed(2)} us`;
    const { measured, derived, guess } = result.inputs;
    rows.push([
      name,
      us(call.meanPs),
      us(send.meanPs),
      us(csd_wait.meanPs),
      `${measured}/${derived}/${guess}`,
    ]);
  }
  terminal.table(
    ['costs', 'call', 'of it sending', 'waiting', 'inputs measured/derived/guess'],
    rows,
  );
  if (watchInterrupt().hit) return;
  const lost = scenario('dropped-icr');
  const costs = costSet(lost.costs!);
  const { result } = await runTimed(lost, costs, {}, terminal);
  const why = await explain(lost, costs, {}, result, terminal);
  if (why) terminal.show(whySheet(why));
}
