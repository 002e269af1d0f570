// Scenarios and cost sets as files: what is shipped, what is refused.
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import type { InferOutput } from 'valibot';
import { describe, expect, it } from 'vitest';
import type { CostSetSchema } from '../../src/timed/costs.js';
import type { ScenarioSchema } from '../../src/timed/scenario.js';
import {
  COST_SETS,
  type CostSet,
  checkCosts,
  checkScenario,
  costSet,
  SCENARIO_NAMES,
  type Scenario,
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
    [{ duration_ns: -1 }, /scenario\.duration_ns: got -1, allowed a number 1-1000000000000000/],
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

  it.each([
    [{ durration_ns: 1 }, /a field \\"durration_ns\\"".*did you mean duration_ns\?/],
    [{ machine: { cpu: 2 } }, /scenario\.machine: .*did you mean cpus\?/],
    [{ workloads: [{ ...busy('0'), loop: 1 }] }, /scenario\.workloads\.0: .*did you mean loops\?/],
    [{ workloads: [{ ...busy('0'), idle: 'hlt' }] }, /idle: got "hlt", .*did you mean halt\?/],
    [{ faults: [{ fault: 'dropp', nth: 1 }] }, /did you mean drop\?/],
    [{ constructor: 1 }, /scenario: got "a field \\"constructor\\""/],
    [{ machine: { toString: 1 } }, /scenario\.machine: got "a field \\"toString\\""/],
    [JSON.parse('{"machine": {"cpus": 2, "__proto__": {}}}'), /a field \\"__proto__\\"/],
    [{ workloads: [busy(Array(5000).fill('0-1').join(','))] }, /each of the 2 CPUs once/],
  ])('%j: what was meant', (change, message) => {
    const good = { machine: { cpus: 2 }, duration_ns: 1e3, workloads: [busy('0')] };
    expect(() => run({ ...good, ...change })).toThrow(message);
  });

  it.each([
    [
      { unifrm: [1, 2] },
      /the fields unifrm.*one of uniform, modes, lognormal; did you mean uniform\?/,
    ],
    [{ uniform: [1, 2], modes: [[1, 1]] }, /the fields uniform, modes.*one of uniform/],
    [{}, /the fields none.*one of uniform/],
    [{ uniform: [1] }, /v\.uniform\.1: got "nothing", allowed/],
    [
      { lognormal: { median: 1, sigm: 1 } },
      /lognormal: got "no field .*did you mean sigma with \\?"sigm/,
    ],
    [
      null,
      /send_setup\.v: got null, allowed a number 0-1000000000000, or \{ uniform \}, or \{ modes \}, or/,
    ],
  ])('a cost of %j', (amount, message) => {
    const set = costSet('kvm-avic');
    const costs = { ...set.costs, send_setup: { ...set.costs.send_setup, v: amount } };
    expect(() => checkCosts({ ...set, costs })).toThrow(message);
    const odd = { ...set.costs, send_setup: { ...set.costs.send_setup, sorce: 'x' } };
    expect(() => checkCosts({ ...set, costs: odd })).toThrow(/a field .*allowed v, u, kind, src/);
  });

  it.each([
    [{ machine: { cpus: 1.5 } }, 'scenario.machine.cpus: got 1.5, allowed an integer 1-8192'],
    [{ machine: [] }, 'scenario.machine: got an array of 0, allowed an object'],
    [{ machine: null }, 'scenario.machine: got null, allowed an object'],
    [{ csd: [] }, 'scenario.csd: got an array of 0, allowed an object'],
    [{ workloads: {} }, 'scenario.workloads: got an object, allowed an array of 1-64'],
    [{ workloads: [] }, 'scenario.workloads: got an array of 0, allowed an array of 1-64'],
    [{ workloads: [[]] }, 'scenario.workloads.0: got an array of 0, allowed an object'],
    [{ summary: 1 }, 'scenario.summary: got 1, allowed text of at most 600 characters'],
    [{ name: 'A' }, 'scenario.name: got "A", allowed text that fits ^[a-z0-9]'],
    [{ workloads: [busy('')] }, 'cpus: got "", allowed CPUs as the kernel lists them, such as'],
    [{ workloads: [{ ...busy('0'), wait: 0 }] }, 'wait: got 0, allowed true, false'],
    [{ workloads: [{ ...busy('0'), idle: 1 }] }, 'idle: got 1, allowed halt, poll, busy'],
    [{ csd: { timeout_ms: -1 } }, 'csd.timeout_ms: got -1, allowed a number from 0'],
  ])('%j: what is allowed, in plain words', (change, message) => {
    const good = { machine: { cpus: 2 }, duration_ns: 1e3, workloads: [busy('0')] };
    expect(() => run({ ...good, ...change } as never)).toThrow(message);
  });

  it('a field that is lacking may be one that is mistyped', () => {
    const { name: _, ...rest } = scenario('normal');
    expect(() => checkScenario({ ...rest, nmae: 'x' })).toThrow(/did you mean name with "nmae"\?/);
  });

  it('unknown names and fields of cost sets, too', () => {
    const set = costSet('kvm-avic');
    expect(() => costSet('kvm-avik')).toThrow(/did you mean kvm-avic\?/);
    expect(() => scenario('dry-rum')).toThrow(/did you mean dry-run\?/);
    expect(() => scenario('constructor')).toThrow(/scenario: got "constructor"/);
    expect(() => checkCosts({ ...set, sumary: '' })).toThrow(/did you mean summary\?/);
    const [name] = Object.keys(set.costs);
    const costs = { [`${name}x`]: set.costs[name!] };
    expect(() => checkCosts({ ...set, costs })).toThrow(new RegExp(`did you mean ${name}\\?`));
  });

  it('the published schemas are those that check', () => {
    execFileSync('node', ['tools/schemas.mjs', '--check'], { stdio: 'pipe' });
  });

  it('a scenario text keeps its comments', () => {
    expect(scenarioText('dropped-icr')).toMatch(/^\/\/ One lost IPI/);
  });
});

/** All fields, without the names of the types. */
type Plain<T> = T extends readonly (infer U)[]
  ? Plain<U>[]
  : T extends object
    ? { [K in keyof T]: Plain<T[K]> }
    : T;
type Same<A, B> =
  (<T>() => T extends Plain<A> ? 1 : 2) extends <T>() => T extends Plain<B> ? 1 : 2 ? true : false;

describe('the published types', () => {
  it('are those of the schemas: the compiler compares them', () => {
    const scenarios: Same<Scenario, InferOutput<typeof ScenarioSchema>> = true;
    const costs: Same<CostSet, InferOutput<typeof CostSetSchema>> = true;
    expect([scenarios, costs]).toEqual([true, true]);
  });
});
