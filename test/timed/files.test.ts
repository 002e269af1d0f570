// Scenarios and cost sets as files: what is shipped, what is refused.
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/core/errors.js';
import {
  COST_SETS,
  checkScenario,
  costSet,
  parseCommented,
  SCENARIO_NAMES,
  scenario,
  scenarioText,
  TimedRun,
} from '../../src/timed-index.js';
import { base, busy, run } from './helpers.js';

describe('files', () => {
  it('every shipped scenario and cost set is valid and runs', () => {
    for (const name of SCENARIO_NAMES) {
      expect(COST_SETS).toContain(scenario(name).costs);
      expect(scenario(name).name).toBe(name);
      const short = { ...scenario(name), duration_ns: 50e3, drain_ns: 0 };
      expect(new TimedRun(short, costSet(scenario(name).costs!)).run().events).toBeGreaterThan(0);
    }
    for (const name of COST_SETS) expect(costSet(name).name).toBe(name);
  });

  it.each([
    [{ cpus: 2, duration_ns: 1 }, /scenario: got "a field \\"cpus\\"", allowed \$schema, name/],
    [{ duration_ns: -1 }, /scenario\.duration_ns: got -1, allowed >=0/],
    [{ workloads: [{ cpus: '0-9', do: 'send_IPI' }] }, /workloads\.0\.cpus: got "0-9"/],
    [{ workloads: [{ cpus: '0', do: 'send_ipi' }] }, /workloads\.0\.do: got "send_ipi"/],
    [{ workloads: [busy('0'), busy('0')] }, /CPU 0 again/],
    [{ faults: [{ fault: 'drop' }] }, /faults\.0: got "neither", allowed one of nth and chance/],
    [{ faults: [{ fault: 'delay', nth: 1 }] }, /faults\.0\.delay_ns/],
    [{ faults: [{ fault: 'dead', to: 9 }] }, /CPU 9/],
  ])('%j is refused with what, got and allowed', (change, message) => {
    const good = { machine: { cpus: 2 }, duration_ns: 1e3, workloads: [busy('0')] };
    expect(() => run({ ...good, ...change })).toThrow(message);
  });

  it('any JSON is refused or run, never worse', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(8), (text, at) => {
        const keys = [
          'machine',
          'workloads',
          'faults',
          'csd',
          'duration_ns',
          'costs',
          'name',
          'drain_ns',
          'x',
        ];
        const value = {
          ...base,
          machine: { cpus: 2 },
          duration_ns: 1e3,
          workloads: [busy('0')],
          [keys[at]!]: JSON.parse(text),
        };
        try {
          new TimedRun(checkScenario(value), costSet('amd-epyc-x2apic')).run();
        } catch (error) {
          expect((error as Error).name).toBe('UsageError');
        }
      }),
      { numRuns: 300, seed: 5 },
    );
  });

  it('comments and trailing commas are allowed, also around strings that look like them', () => {
    const text = '{ "a": "// no", /* b */ "c": [1, 2,], // d\n "e": "\\"/*", }';
    expect(parseCommented(text)).toEqual({ a: '// no', c: [1, 2], e: '"/*' });
    expect(() => parseCommented('{ /* open')).toThrow(UsageError);
  });

  it('the published schemas are those that check', () => {
    execFileSync('node', ['tools/schemas.mjs', '--check'], { stdio: 'pipe' });
  });

  it('a scenario text keeps its comments', () => {
    expect(scenarioText('dropped-icr')).toMatch(/^\/\/ One lost IPI/);
  });
});
