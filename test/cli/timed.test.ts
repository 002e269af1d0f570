import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { interrupted, run } from './run.js';

const TRACES = new URL('../fixtures/traces/', import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), 'ipistorm-timed-'));
afterAll(() => rmSync(scratch, { recursive: true }));

describe('ipistorm run', () => {
  it('prints counts, latencies, CPU time, the share of measured inputs, and no control characters', async () => {
    const { status, stdout, stderr } = await run('run', 'tlb-shootdown', '--duration', '3ms');
    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(
      /costs amd-epyc-x2apic: \d+ \(\d+ %\) measured, \d+ \(\d+ %\) derived, \d+ \(\d+ %\) guessed/,
    );
    for (const word of ['send_to_irr', 'csd_wait', 'delivery_intended', 'p99.99', 'flush_tlb_func'])
      expect(stdout).toContain(word);
    expect(stdout).not.toMatch(/\x1b|NaN|undefined/);
  });

  it('tells why one lost IPI wedges its target', async () => {
    const { stdout } = await run('run', 'dropped-icr', '--why');
    expect(stdout).toContain('still waiting in csd_lock_wait() at the end: CPU 0 for CPU 3');
    expect(stdout).toContain('Why CPU 0 still waits for CPU 3');
    expect(stdout).toContain('the message is lost (fault): IRR is not set');
    expect(stdout).toMatch(/=> one IPI, from CPU 0 to CPU 3, was lost\./);
    const { why, stuck } = (await run('run', 'dropped-icr', '--why', '--json')).json();
    expect(stuck).toHaveLength(3);
    expect(why.steps.length).toBeGreaterThan(3);
  });

  it('has the same result with either scheduler, and another with another seed', async () => {
    const hash = async (...args: string[]) =>
      (await run('run', 'scftorture', '--duration', '1ms', '--json', ...args)).json().timed_hash;
    expect(await hash('--scheduler', 'heap')).toBe(await hash('--scheduler', 'windows'));
    expect(await hash('--seed', '2')).not.toBe(await hash());
  });

  it('changes CPUs, driver, era and single fields', async () => {
    const result = (
      await run(
        ...[
          'run',
          'membarrier-stampede',
          '--cpus',
          '6',
          '--driver',
          'x2apic-phys',
          '--era',
          'linux-4.0',
        ],
        ...['--serialize', '--duration', '2ms', '--set', 'workloads.0.think_ns=100', '--json'],
      )
    ).json();
    expect(result).toMatchObject({ cpus: 6, driver: 'x2apic_phys', era: 'linux-4.0' });
    expect(result.locks_held_ns[0]).toBeGreaterThan(1e6);
  });

  it.each([
    ['csv', /^scenario,costs,seed,latency,count,/],
    ['cdf', /^latency,value_ns,share\nsend,/],
    ['log2', /@send_ns:\n\[\d/],
    ['matrix', /^from \\ to/],
    ['osnoise', /^CPU +Period +Runtime +Noise/],
    ['interrupts', /^ +CPU0 +CPU1/],
    ['simple', /^\d+\n$/],
    ['jsonl', /^\{.*\}\n$/],
    ['ipi_benchmark', /^irqs-off: +\d+, +\d+ ns\n$/],
  ])('--format %s', async (format, shape) => {
    expect((await run('run', 'irqs-off', '--format', format)).stdout).toMatch(shape);
  });

  it("prints ipi_benchmark's five lines", async () => {
    const { stdout } = await run('run', 'ipi-benchmark', '--set', 'workloads.0.loops=100');
    const names = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(':')[0]);
    expect(names).toEqual(['Dry-run', 'Self-IPI', 'Normal IPI', 'Broadcast IPI', 'Broadcast lock']);
  });

  it('writes traces that other tools read, of a window', async () => {
    const file = (name: string) => join(scratch, name);
    const { status } = await run(
      ...['run', 'scftorture', '--cpus', '8', '--duration', '2ms', '--window', '500us-1ms'],
      ...[
        '--perfetto',
        file('a.pftrace'),
        '--chrome',
        file('a.json'),
        '--ftrace',
        file('a.txt'),
        '--hdr',
        file('a.hlog'),
      ],
    );
    expect(status).toBe(0);
    expect(readFileSync(file('a.pftrace')).length).toBeGreaterThan(10_000);
    const { traceEvents } = JSON.parse(readFileSync(file('a.json'), 'utf8'));
    const times = traceEvents
      .filter((e: { ts?: number }) => e.ts !== undefined)
      .map((e: { ts: number }) => e.ts);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...times)).toBeLessThanOrEqual(1001);
    expect(readFileSync(file('a.hlog'), 'utf8')).toContain('Tag=csd_wait');
    const replayed = (await run('replay', file('a.txt'), '--json')).json();
    expect(replayed.trace).toMatchObject({ format: 'ftrace', cpus: 8, skipped_lines: 0 });
  });

  it("reads a scenario and costs of one's own, with comments", async () => {
    const [mine, costs] = [join(scratch, 'mine.jsonc'), join(scratch, 'costs.json')];
    writeFileSync(mine, (await run('scenarios', 'normal')).stdout);
    writeFileSync(costs, (await run('costs', 'kvm-avic')).stdout);
    expect((await run('run', mine, '--costs', costs, '--json')).json()).toMatchObject({
      scenario: 'normal',
      costs: 'kvm-avic',
    });
  });

  it.each([
    [['run'], /SCENARIO: got none/],
    [['run', 'dropped-ic'], /did you mean dropped-icr\?/],
    [['run', 'normal', '--costs', 'kvm-avik'], /did you mean kvm-avic\?/],
    [['run', 'normal', '--duration', '3'], /--duration: got "3", allowed a time such as/],
    [['run', 'normal', '--window', '1ms-2ms'], /--window/],
    [['run', 'normal', '--set', 'workloads.7.do=send_IPI'], /there is no workloads.7/],
    [['run', 'normal', '--set', '__proto__.x=1'], /fields of the scenario/],
    [['run', 'normal', '--cpus', '9000'], /--cpus: got "9000"/],
    [['run', 'p6-bus-storm', '--cpus', '20'], /cpus: got 20, allowed 1-8/],
    [['run', 'forgotten-copy', '--driver', 'x2apic_phys'], /no-copy with x2apic_phys/],
    [['ramp'], /SCENARIO: got none/],
    [['scenarios', 'x'], /scenario: got "x"/],
    [['costs', 'x', 'y'], /NAME: got 2 \("x", "y"/],
  ])('%j is refused: exit 2', async (args, message) => {
    const { status, stderr } = await run(...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  it('a file that is no JSON is refused with its name', async () => {
    const path = join(scratch, 'broken.jsonc');
    writeFileSync(path, '{ "name": ');
    const { status, stderr } = await run('run', path);
    expect(status).toBe(2);
    expect(stderr).toContain('broken.jsonc');
  });

  it('Ctrl-C prints what was done so far', async () => {
    const { status, stdout, stderr } = await interrupted('run', 'scftorture', '--duration', '100s');
    expect(status).toBe(130);
    expect(stderr).toContain('interrupted');
    expect(stdout).toMatch(/simulated [\d.]+ [mu]?s: [\d,]+ operations/);
  });
});

describe('ipistorm ramp', () => {
  it('a hot target saturates at one over its handling time, and is the bottleneck', async () => {
    const steps = (await run('ramp', 'hot-target', '--json')).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const last = steps.at(-1);
    expect(steps.every((step, i) => step.saturated === (i === steps.length - 1))).toBe(true);
    expect(last.bottleneck).toMatchObject({ what: 'target', which: 1 });
    // 1582 cycles at 2 GHz.
    expect(last.ipis_handled_per_s / (2e9 / 1582)).toBeCloseTo(1, 1);
    expect(last.rate_per_cpu / steps.at(-2).rate_per_cpu).toBeCloseTo(1.25, 5);
  });

  it.each([
    ['membarrier-stampede', ['--cpus', '8'], 'csd lock'],
    ['membarrier-serialized', ['--cpus', '8'], 'lock'],
    ['self-ipi', [], 'target'],
    [
      'hot-target',
      ['--set', 'workloads.0.targets="each",workloads.1.cpus=1-31', '--cpus', '32'],
      'sender',
    ],
  ])('%s %j saturates at the %s', async (name, args, what) => {
    const steps = (await run('ramp', name, '--json', ...args)).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(steps.at(-1).saturated).toBe(true);
    expect(steps.at(-1).bottleneck.what).toBe(what);
  });
});

describe('ipistorm replay --costs', () => {
  const trace = join(TRACES, 'ftrace-x2apic-cluster-20cpu.txt.gz');

  it('sends the recorded load at its times under each cost set', async () => {
    const json = (
      await run(
        'replay',
        trace,
        '--costs',
        'intel-xeon-x2apic-cluster,kvm-x2apic-physical',
        '--json',
      )
    ).json();
    const [cluster, physical] = json.results;
    expect(json.sends).toBe(1389);
    expect(cluster.counts.operations).toBe(1389);
    expect(physical.counts.operations).toBe(1389);
    expect(cluster.elapsed_ns).toBeGreaterThan(7e9);
    expect(physical.latencies.call.p999_ns).toBeGreaterThan(3 * cluster.latencies.call.p999_ns);
    expect(cluster.stuck).toEqual([]);
  });

  it('says which machine cannot be, and runs the others', async () => {
    const { stdout, status } = await run('replay', trace, '--costs', 'p6-serial-bus,kvm-avic');
    expect(status).toBe(0);
    expect(stdout).toMatch(/not run: p6-serial-bus: cpus: got 20/);
    expect(stdout).toMatch(/kvm-avic +physflat/);
  });
});
