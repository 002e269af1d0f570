// Every figure that a change of structure must not move, by name: hashes of whole results as JSON.
import { createHash } from 'node:crypto';

const digest = (value) =>
  createHash('sha256')
    .update(JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}` : v)))
    .digest('hex')
    .slice(0, 16);

/** Bytes before the configuration: version, layout fingerprint, checksum. */
const SNAPSHOT_HEAD = 24;

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const XEON = { sockets: 2, cores: 24, threads: 2 };

/** The storms of `ipistorm storm --preset`, with fewer sends. */
const PRESETS = {
  random: [{ cpus: 64 }, { sends: 100e3 }],
  'all-vectors': [{ cpus: 64 }, { sends: 100e3, vectors: range(16, 255), depth: 4096 }],
  'hot-target': [{ cpus: 64 }, { sends: 100e3, pattern: 'hot', depth: 64 }],
  'resched-pingpong': [{ cpus: 64 }, { sends: 100e3, pattern: 'pairs', vectors: [0xfd] }],
  'tlb-shootdown': [
    { topology: XEON },
    { sends: 20e3, pattern: 'mask-random', via: 'call', vectors: [0xfc] },
  ],
  membarrier: [
    { topology: XEON },
    { sends: 2e3, pattern: 'allbutself', via: 'call', vectors: [0xfc] },
  ],
  huge: [{ cpus: 65536 }, { sends: 2, pattern: 'allbutself' }],
};

const SHORT_NS = 60e3;

const PATTERNS = 'self pairs ring random hot mask mask-strided mask-random allbutself'.split(' ');
const DRIVERS = {
  flat: 'xapic-flat',
  physflat: 'xapic-physical',
  default_32: 'xapic-flat',
  x2apic_phys: 'x2apic-physical',
  x2apic_cluster: 'x2apic-cluster',
  kvm_pv: 'x2apic-physical',
  hyperv: 'x2apic-physical',
};
const ERAS = ['linux-4.0', 'linux-4.0+send_IPI', 'linux-6.12'];

function* machines() {
  for (const [driver, mode] of Object.entries(DRIVERS)) {
    for (const era of ERAS) yield { cpus: 7, driver, mode, era };
  }
  yield { apicIds: [0, 2, 4, 6, 8, 18, 34, 50], driver: 'x2apic_cluster' };
  for (const model of ['amd', 'kvm', 'qemu']) yield { cpus: 6, model };
}

function storm(Machine, options, storm, whole = true) {
  let machine;
  try {
    machine = Machine.create(options);
  } catch (error) {
    return error.message;
  }
  const result = machine.storm(storm);
  const books = [result.eventHash, result.counters, machine.senderCosts()];
  return whole ? [...books, [...machine.snapshot().slice(SNAPSHOT_HEAD)]] : books;
}

/** The result of a timed run, or why there is none. */
function run(timed, scenario, costs, options) {
  try {
    return timed.timedJson(new timed.TimedRun(scenario, timed.costSet(costs), options).run());
  } catch (error) {
    return error.message;
  }
}

/** @param {{ Machine: any }} library @param {any} timed @param {{ wide?: boolean }} options */
export function* figures({ Machine }, timed, { wide = false } = {}) {
  for (const [name, [machine, options]] of Object.entries(PRESETS))
    yield [`preset ${name}`, digest(storm(Machine, machine, options, false))];
  for (const machine of machines()) {
    const runs = PATTERNS.flatMap((pattern) =>
      ['icr', 'single', 'mask', 'shorthand', 'call']
        .filter((via) => pattern === 'allbutself' || via !== 'shorthand')
        .map((via) =>
          storm(Machine, machine, {
            pattern,
            via,
            sends: 300,
            size: 3,
            depth: 5,
            seed: 3,
            vectors: [0x31, 0x35, 0xfb],
          }),
        ),
    );
    yield [`storms ${JSON.stringify(machine)}`, digest(runs)];
  }
  for (const name of timed.SCENARIO_NAMES) {
    const scenario = timed.scenario(name);
    const short = { ...scenario, duration_ns: Math.min(scenario.duration_ns, SHORT_NS) };
    yield [`short ${name}`, digest(run(timed, short, scenario.costs, { seed: 1 }))];
    if (!wide) continue;
    for (const scheduler of ['heap', 'windows']) {
      const result = run(timed, scenario, scenario.costs, { seed: 1, scheduler });
      yield [`scenario ${name} ${scheduler}`, digest(result)];
    }
  }
  if (!wide) return;
  for (const costs of timed.COST_SETS) {
    for (const era of ERAS) {
      for (const name of ['scftorture', 'tlb-shootdown', 'resched-pingpong']) {
        const scenario = structuredClone(timed.scenario(name));
        scenario.machine = { cpus: 8, era };
        scenario.duration_ns = 200e3;
        const result = run(timed, scenario, costs, { seed: 5 });
        yield [`${name} ${costs} ${era}`, digest(result)];
      }
    }
  }
}
