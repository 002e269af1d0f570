// npm run bench [-- --smoke] [--json FILE]: the core against its pure-JS twin, alternating.
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { cpus as hostCpus } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { Bench } from 'tinybench';
import { Machine } from '../dist/src/index.js';
import { Twin } from './twin.mjs';

const { values: args } = parseArgs({
  options: { smoke: { type: 'boolean' }, json: { type: 'string' } },
});
const ROUNDS = args.smoke ? 3 : 15;
const SLICE_IPIS = args.smoke ? 20_000 : 400_000;

const V3 = [0xfb, 0xfc, 0xfd];
const V240 = Array.from({ length: 240 }, (_, i) => 16 + ((i * 77) % 240));

/** One workload: both sides do `sends` sends of `targets` IPIs each. */
function storm(name, cpus, vectors, driver, options, twin, targets = 1) {
  const machine = Machine.create({ cpus, driver });
  const js = new Twin(cpus);
  const sends = Math.max(1, Math.floor(SLICE_IPIS / targets));
  // A storm starts its turns anew at each call: so does the twin.
  return {
    name,
    cpus,
    vectors: vectors.length,
    ipis: sends * targets,
    wasm: () =>
      machine.storm({ ...options, vectors, sends, slice: Math.max(1, Math.floor(1e5 / targets)) }),
    js: () => {
      js.source = 0;
      js.turn = 0;
      twin(js, sends, vectors);
    },
    check: () => same(name, machine, js),
  };
}

function same(name, machine, js) {
  const got = machine.counters();
  const want = js.totals();
  const bad = Object.keys(want).find((key) => got[key] !== want[key]);
  if (bad) throw new Error(`${name}: ${bad}: core ${got[bad]}, twin ${want[bad]}`);
}

/** An embedder that calls for each send and lets the woken CPUs run every 64 sends. */
function perCall(cpus) {
  const machine = Machine.create({ cpus, driver: 'x2apic_phys' });
  const js = new Twin(cpus);
  const { linux } = machine;
  const sends = Math.floor(SLICE_IPIS / 4);
  const drive = (send, drain) => {
    for (let i = 0; i < sends; i++) {
      send(i % cpus, (i + 1) % cpus);
      if (i % 64 === 63) drain();
    }
    drain();
  };
  return {
    name: 'one JS call per send',
    cpus,
    vectors: 1,
    ipis: sends,
    wasm: () =>
      drive(
        (from, to) => linux.sendIPI(from, to, 0xfd),
        () => machine.runHandlers(),
      ),
    js: () =>
      drive(
        (_from, to) => js.icr(to, 0xfd),
        () => js.drain(),
      ),
    check: () => same('one JS call per send', machine, js),
  };
}

const ring = (via) => (js, sends, vectors) => js.ring(sends, vectors, 1, via);
const WORKLOADS = [
  storm('unicast', 64, V3, 'x2apic_phys', { pattern: 'ring', via: 'icr' }, ring('icr')),
  storm('unicast', 64, V240, 'x2apic_phys', { pattern: 'ring', via: 'icr' }, ring('icr')),
  storm('unicast', 1024, V240, 'x2apic_phys', { pattern: 'ring', via: 'icr' }, ring('icr')),
  storm(
    'cluster multicast, 16 targets',
    1024,
    V3,
    'x2apic_cluster',
    { pattern: 'mask', size: 16 },
    (js, n, v) => js.multicast(n, v, 16),
    16,
  ),
  ...[1024, 4096].map((cpus) =>
    storm(
      'broadcast',
      cpus,
      V3,
      'x2apic_cluster',
      { pattern: 'allbutself' },
      (js, n, v) => js.broadcast(n, v),
      cpus - 1,
    ),
  ),
  ...[8, 64, 256, 1024, 4096].flatMap((cpus) => [
    storm(
      'send_IPI',
      cpus,
      V3,
      'x2apic_cluster',
      { pattern: 'ring', via: 'single' },
      ring('single'),
    ),
    storm(
      'send_IPI_mask of one',
      cpus,
      V3,
      'x2apic_cluster',
      { pattern: 'ring', via: 'mask' },
      ring('mask'),
    ),
  ]),
  perCall(64),
];

/** Times `run` once through tinybench; ms per IPI. */
async function sample(workload, sides) {
  const bench = new Bench({ iterations: 1, time: 0, warmup: false, retainSamples: true });
  for (const side of sides) {
    bench.add(side, () => {
      const start = bench.now();
      workload[side]();
      return { overriddenDuration: (bench.now() - start) / workload.ipis };
    });
  }
  await bench.run();
  return bench.tasks.map((task) => {
    if (task.result.error) throw task.result.error;
    return task.result.latency.samples[0] * 1e6;
  });
}

const quantile = (sorted, q) => sorted[Math.round((sorted.length - 1) * q)];

async function measure(workload) {
  const times = { wasm: [], js: [] };
  for (let round = -2; round < ROUNDS; round++) {
    const sides = round % 2 === 0 ? ['wasm', 'js'] : ['js', 'wasm'];
    const got = await sample(workload, sides);
    if (round < 0) continue;
    for (const [i, side] of sides.entries()) times[side].push(got[i]);
  }
  workload.check();
  const stats = (list) => {
    const sorted = [...list].sort((a, b) => a - b);
    return {
      median: quantile(sorted, 0.5),
      p25: quantile(sorted, 0.25),
      p75: quantile(sorted, 0.75),
    };
  };
  return { wasm: stats(times.wasm), js: stats(times.js) };
}

function commit() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}

const host = {
  commit: commit(),
  cpu: hostCpus()[0].model,
  node: process.version,
  wasm_bytes: statSync(new URL('../build/release.wasm', import.meta.url)).size,
};
console.log(
  `commit ${host.commit}, ${host.cpu}, Node ${host.node}, wasm ${host.wasm_bytes} bytes; ns per complete IPI, median of ${ROUNDS} alternating rounds [p25-p75]`,
);
console.log(
  `${'workload'.padEnd(42)} ${'CPUs'.padStart(5)} ${'vec'.padStart(4)} ${'wasm ns'.padStart(8)} ${'p25-p75'.padStart(12)} ${'M/s'.padStart(6)} ${'JS ns'.padStart(8)} ${'JS/wasm'.padStart(8)}`,
);
const rows = [];
for (const workload of WORKLOADS) {
  const { wasm, js } = await measure(workload);
  const overlap = wasm.p75 >= js.p25 && js.p75 >= wasm.p25;
  console.log(
    `${workload.name.padEnd(42)} ${String(workload.cpus).padStart(5)} ${String(workload.vectors).padStart(4)} ${wasm.median.toFixed(2).padStart(8)} ${`${wasm.p25.toFixed(1)}-${wasm.p75.toFixed(1)}`.padStart(12)} ${(1000 / wasm.median).toFixed(0).padStart(6)} ${js.median.toFixed(2).padStart(8)} ${overlap ? 'no difference measured' : `${(js.median / wasm.median).toFixed(2)}x`.padStart(8)}`,
  );
  rows.push({
    workload: workload.name,
    cpus: workload.cpus,
    vectors: workload.vectors,
    wasm_ns: wasm.median,
    wasm_p25: wasm.p25,
    wasm_p75: wasm.p75,
    js_ns: js.median,
    js_to_wasm: js.median / wasm.median,
  });
}
if (args.json) {
  mkdirSync(dirname(args.json), { recursive: true });
  writeFileSync(args.json, `${JSON.stringify({ ...host, rows }, null, 2)}\n`);
}
if (args.smoke) console.log(`bench smoke: ${rows.length} workloads, counters right`);
await import('./timed.mjs');
