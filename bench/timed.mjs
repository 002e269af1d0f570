// The timed engine: ns per event and per IPI, both schedulers alternating in one process.
import { parseArgs } from 'node:util';
import { checkScenario, costSet, TimedRun } from '../dist/src/timed-index.js';

const { values: args } = parseArgs({
  options: { smoke: { type: 'boolean' }, json: { type: 'string' } },
});
const ROUNDS = args.smoke ? 1 : 7;
const IPIS = args.smoke ? 5_000 : 150_000;

const WORKLOADS = [
  ['send_IPI', { do: 'send_IPI', targets: 'random' }],
  ['call and wait', { do: 'smp_call_function_single', targets: 'random', wait: true }],
];

function measure(cpus, work, costs, scheduler) {
  const what = checkScenario({
    name: 'bench',
    summary: '',
    machine: { cpus },
    duration_ns: 1e9,
    workloads: [
      {
        cpus: 'all',
        ...work,
        think_ns: 1000,
        spread: 'exponential',
        loops: Math.ceil(IPIS / cpus),
      },
    ],
  });
  const run = new TimedRun(what, costs, { scheduler });
  const start = performance.now();
  for (const _ of run.slices());
  const ns = (performance.now() - start) * 1e6;
  const { events, counts, timedHash } = run.result();
  return { perEvent: ns / events, perIpi: ns / counts.ipis_sent, timedHash };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const costs = costSet('intel-xeon-x2apic-cluster');
console.log(
  `\nTimed engine, ${ROUNDS} rounds, heap and windows alternating; one IPI is 10 to 29 events`,
);
console.log('workload          CPUs  scheduler  ns/event  (min-max)      ns/IPI');
for (const [name, work] of WORKLOADS) {
  for (const cpus of [64, 1024]) {
    const rounds = { heap: [], windows: [] };
    for (let round = 0; round < ROUNDS; round++) {
      const order = round % 2 === 0 ? ['heap', 'windows'] : ['windows', 'heap'];
      for (const scheduler of order) rounds[scheduler].push(measure(cpus, work, costs, scheduler));
    }
    for (const [scheduler, results] of Object.entries(rounds)) {
      const events = results.map(({ perEvent }) => perEvent);
      const spread = `(${Math.min(...events).toFixed(0)}-${Math.max(...events).toFixed(0)})`;
      console.log(
        `${name.padEnd(16)}${String(cpus).padStart(6)}  ${scheduler.padEnd(9)}${median(events).toFixed(1).padStart(10)}  ${spread.padEnd(12)}${median(
          results.map(({ perIpi }) => perIpi),
        )
          .toFixed(0)
          .padStart(9)}`,
      );
    }
    const [a, b] = [rounds.heap[0].timedHash, rounds.windows[0].timedHash];
    if (a !== b) throw new Error(`${name}, ${cpus} CPUs: heap ${a}, windows ${b}`);
  }
}
