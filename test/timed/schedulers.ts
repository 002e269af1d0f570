// Random scenarios, run by both schedulers.
import fc from 'fast-check';
import { expect } from 'vitest';
import { timedJson } from '../../src/timed-index.js';
import { MIX, run } from './helpers.js';

const scenarios = fc.record({
  machine: fc.record({
    cpus: fc.integer({ min: 5, max: 40 }),
    era: fc.constantFrom('linux-4.0', 'linux-4.0+send_IPI', 'linux-6.12'),
    ccd_cores: fc.constantFrom(2, 4, 8),
  }),
  duration_ns: fc.constant(300e3),
  workloads: fc.tuple(
    fc.record({
      ...Object.fromEntries(Object.entries(MIX).map(([k, v]) => [k, fc.constant(v)])),
      think_ns: fc.integer({ min: 0, max: 2000 }),
      spread: fc.constantFrom('periodic', 'exponential'),
      idle: fc.constantFrom('halt', 'poll', 'busy'),
    }),
    fc.record({
      cpus: fc.constant('4-'),
      do: fc.constantFrom('nothing', 'send_IPI', 'send_IPI_mask', 'irqs_off'),
      idle: fc.constantFrom('halt', 'poll', 'busy'),
      period_ns: fc.integer({ min: 200, max: 30000 }),
    }),
  ),
  faults: fc.array(
    fc.record({
      fault: fc.constantFrom('drop', 'delay', 'duplicate', 'reorder', 'lost-eoi', 'extra-eoi'),
      chance: fc.constantFrom(0.001, 0.02),
      delay_ns: fc.constantFrom(50, 5000),
    }),
    { maxLength: 2 },
  ),
  csd: fc.constantFrom(
    { timeout_ms: 0 },
    { timeout_ms: 0.01 },
    { timeout_ms: 0.005, panic_ms: 0.05 },
  ),
});
const costs = fc.constantFrom(
  'intel-xeon-x2apic-cluster',
  'amd-epyc-x2apic-fence',
  'kvm-x2apic-physical',
  'kvm-paravirtual',
);

/** Both schedulers agree on every hash, counter and latency. */
export function schedulersAgree(count: number): void {
  fc.assert(
    fc.property(scenarios, costs, fc.integer(), (what, name, seed) => {
      const old = what.machine.era !== 'linux-6.12';
      const set = name === 'kvm-paravirtual' && old ? 'kvm-x2apic-cluster' : name;
      const [a, b] = (['heap', 'windows'] as const).map((scheduler) =>
        timedJson(run(what, set, { seed: BigInt.asUintN(64, BigInt(seed)), scheduler })),
      );
      expect(b).toEqual(a);
    }),
    { numRuns: count, seed: 4 },
  );
}
