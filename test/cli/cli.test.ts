import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCommand } from '../../src/cli/options.js';
import { runStorm, STORM } from '../../src/cli/storm.js';
import { Terminal } from '../../src/cli/terminal.js';
import { InvariantError } from '../../src/core/errors.js';
import { Machine } from '../../src/machine/machine.js';
import { interrupted, MAIN, run, spawned } from './run.js';

const TRACES = new URL('../fixtures/traces/', import.meta.url).pathname;
const RECORDINGS = new URL('../fixtures/recordings/', import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), 'ipistorm-cli-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const ICR = [
  'icr',
  '--era',
  'linux-6.12',
  '--driver',
  'x2apic_cluster',
  '--apic-ids',
  '0-15,32-47',
];

describe('ipistorm icr', () => {
  it('prints the writes of one send as JSON', async () => {
    const { json } = await run(
      ...ICR,
      '--from',
      '0',
      '--op',
      'mask',
      '--cpus',
      '1-31',
      '--vector',
      '0xfc',
      '--json',
    );
    expect(json().writes).toEqual([
      { dest: 0xfffe, low: 0x8fc },
      { dest: 0x2ffff, low: 0x8fc },
    ]);
    expect(json().counts).toMatchObject({ icr_writes: 2, fences: 1, irq_saves: 1, mask_copies: 1 });
  });

  it('decodes the writes for people, without control characters off a terminal', async () => {
    const { stdout } = await run(...ICR, '--op', 'mask', '--cpus', '1-31');
    expect(stdout).toContain('cluster 2 members 0-15, fixed vector 0xfc');
    expect(stdout).not.toContain('\x1b');
  });

  it('a long list ends in how many more there are', async () => {
    const odd = Array.from({ length: 400 }, (_, i) => 2 * i + 1).join(',');
    const args = ['icr', '--driver', 'x2apic_phys', '--cpus', odd];
    const { stdout } = await run(...args);
    expect(stdout).toMatch(/^send_IPI_mask from CPU 0 to CPUs 1,3,.*,45,47 and 376 more: /);
    expect(stdout).toContain('... and 144 more writes (--json has all)');
    expect((await run(...args, '--json')).json().writes).toHaveLength(400);
  });

  it('lists hypercalls apart from writes', async () => {
    const { json } = await run(
      'icr',
      '--driver',
      'kvm_pv',
      '--apic-ids',
      '0-199',
      '--op',
      'mask',
      '--json',
    );
    expect(json().writes).toEqual([]);
    expect(json().hypercalls.map((h: { targets: number }) => h.targets)).toEqual([128, 71]);
  });
});

describe('errors', () => {
  it.each([
    [['strom'], 2, /did you mean storm\?/],
    [['icr', '--vectr', '3'], 2, /did you mean --vector\?/],
    [['icr', '--vector', '256'], 2, /--vector: got "256", allowed an integer 0-255/],
    [['icr', '--cpus', '3-1'], 2, /ascending ranges/],
    [['icr', '--driver', 'x2apic_clustr'], 2, /did you mean x2apic_cluster\?/],
    [['icr', '--era', 'linux-6.12', '--driver', 'flat'], 2, /removed in 6.12/],
    [['storm', '--cpus', '300', '--driver', 'physflat'], 2, /1-255 in xapic-physical/],
    [['storm', '--sends'], 2, /--sends/],
    [['storm', '--tlb'], 2, /--tlb: got .* allowed --interrupts with it/],
    [['storm', 'now'], 2, /no arguments here/],
    [['replay'], 2, /FILE: got none/],
    [['replay', '/nowhere/at/all'], 2, /no such file/],
    [['replay', MAIN], 2, /--format names it/],
  ])('%j ends with exit code %i and says what, got, allowed', async (args, status, message) => {
    const result = await run(...(args as string[]));
    expect(result.stderr).toMatch(message);
    expect(result.status).toBe(status);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });

  it('a process of its own prints the same and ends with the same exit code', async () => {
    const recording = `${RECORDINGS}kvm-x2-4cpu-s1.txt.gz`;
    for (const [args, status] of [
      [[...ICR, '--cpus', '1-31', '--json'], 0],
      [['verify', recording, '--model', 'sdm', '--show', '1'], 1],
      [['icr', '--vector', '256'], 2],
      [['replay', '/nowhere/at/all'], 2],
    ] as const) {
      const alone = spawned(...args);
      expect({ ...alone, json: 0 }).toEqual({ ...(await run(...args)), json: 0 });
      expect(alone.status).toBe(status);
    }
  });

  it('every command has help with an example', async () => {
    for (const command of 'icr compare storm run ramp replay verify models scenarios costs'.split(
      ' ',
    )) {
      const { stdout, status } = await run(command, '--help');
      expect(status).toBe(0);
      expect(stdout).toMatch(new RegExp(`Examples\n.*ipistorm ${command}`));
      expect(stdout).toMatch(/Exit codes: 0 good, 1 .* 130 Ctrl-C, 143 SIGTERM/);
    }
    expect((await run('--help')).stdout).toContain('ipistorm replay FILE');
    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('a reader that leaves early is no error', () => {
    const out = execFileSync(
      'bash',
      [
        '-c',
        `set -o pipefail; "${process.execPath}" "${MAIN}" storm --cpus 2000 --sends 10 --csv | head -1`,
      ],
      { encoding: 'utf8' },
    );
    expect(out).toMatch(/^cpu,apic_id/);
  });
});

describe('ipistorm storm', () => {
  it('gives the same JSON every time but for the wall clock', async () => {
    const once = async () => {
      const { wall, ...rest } = (
        await run('storm', '--preset', 'all-vectors', '--sends', '100k', '--json')
      ).json();
      expect(wall.runs).toBe(1);
      return rest;
    };
    expect(await once()).toEqual(await once());
  });

  it('balances the counters for every preset', async () => {
    for (const preset of [
      'random',
      'all-vectors',
      'hot-target',
      'resched-pingpong',
      'tlb-shootdown',
      'membarrier',
    ]) {
      const { counters: c } = (
        await run('storm', '--preset', preset, '--sends', '1000', '--tpr', '3:0xff', '--json')
      ).json();
      expect(c.attempted, preset).toBe(c.delivered + c.coalesced + c.rejected + c.pending);
      if (preset !== 'hot-target') expect(c.pending, preset).toBeGreaterThan(0);
    }
  });

  it('lays the result out as /proc/interrupts does', async () => {
    const { stdout } = await run(
      'storm',
      '--preset',
      'tlb-shootdown',
      '--cpus',
      '4',
      '--size',
      '3',
      '--sends',
      '1000',
      '--interrupts',
    );
    const real = readFileSync(
      join(TRACES, 'ftrace-xapic-4cpu.interrupts.before.txt'),
      'utf8',
    ).split('\n');
    expect(stdout.split('\n')[0]).toBe(real[0]);
    const cal = stdout.split('\n').find((line) => line.startsWith('CAL:'))!;
    const realCal = real.find((line) => line.startsWith('CAL:'))!;
    expect(cal.replace(/\d/g, ' ')).toBe(realCal.replace(/\d/g, ' '));
    expect(cal).toContain(' 750 ');
  });

  it('prints one CSV row per CPU', async () => {
    const rows = (await run('storm', '--cpus', '5', '--sends', '100', '--csv')).stdout
      .trim()
      .split('\n');
    expect(rows).toHaveLength(6);
    expect(rows[0]!.split(',')).toHaveLength(rows[5]!.split(',').length);
  });

  it('runs of one storm that differ are a failed check', async () => {
    const { stormSlices } = Machine.prototype;
    let seed = 0;
    Machine.prototype.stormSlices = function (options) {
      return stormSlices.call(this, { ...options, seed: ++seed });
    };
    let out = '';
    const stream = { write: (text: string) => (out += text) } as unknown as NodeJS.WriteStream;
    const args = parseCommand('storm', STORM, ['--sends', '100', '--repeat', '2', '--json']);
    try {
      const failing = runStorm(args, new Terminal(stream, stream));
      await expect(failing).rejects.toThrow(/event hash: got \w+ after \w+, allowed the same/);
      await expect(failing).rejects.toBeInstanceOf(InvariantError);
    } finally {
      Machine.prototype.stormSlices = stormSlices;
    }
    expect(JSON.parse(out).wall.runs).toBe(2);
  });

  it('--repeat runs it again, and says how often', async () => {
    const { status, json } = await run('storm', '--sends', '1k', '--repeat', '3', '--json');
    expect(status).toBe(0);
    expect(json().wall.runs).toBe(3);
  });

  it('Ctrl-C prints what was done so far and exits with 130', async () => {
    const { status, json } = await interrupted('storm', '--sends', '100G', '--json');
    expect(status).toBe(130);
    const result = json();
    expect(result.wall.interrupted).toBe(true);
    expect(result.sends).toBeLessThan(100e9);
    expect(result.counters.attempted).toBe(result.sends);
  });
});

describe('ipistorm compare', () => {
  it('counts what each path costs and states a conclusion', async () => {
    const { json } = await run(
      'compare',
      '--cpus',
      '64',
      '--drivers',
      'x2apic_cluster',
      '--sizes',
      '4',
      '--rounds',
      '3',
      '--json',
    );
    const path = (era: string, name: string) =>
      json().paths.find((p: { era: string; path: string }) => p.era === era && p.path === name);
    expect(path('linux-4.0', 'single').per_call).toMatchObject({
      icr_writes: 1,
      irq_saves: 1,
      mask_copies: 1,
    });
    expect(path('linux-4.0+send_IPI', 'single').per_call).toMatchObject({
      icr_writes: 1,
      irq_saves: 0,
      mask_copies: 0,
    });
    expect(path('linux-6.12', 'allbutself').per_call).toMatchObject({ icr_writes: 1 });
    expect(json().conclusions.join('\n')).toMatch(
      /linux-6.12 x2apic_cluster, one target: single saves irq saves 1, mask copies 1, mask words 4/,
    );
  });
});

describe('ipistorm replay', () => {
  const NAMES = [
    'ftrace-x2apic-cluster-20cpu',
    'ftrace-xapic-4cpu',
    'perf-script-xapic-4cpu',
    'tracecmd-report-x2apic-cluster-4cpu',
  ];

  it.each(NAMES)(
    '%s: counts equal an independent count of the text, no damaged line',
    async (name) => {
      const file = join(TRACES, `${name}.txt.gz`);
      const { json } = await run('replay', file, '--json');
      const text = gunzipSync(readFileSync(file)).toString();
      for (const [event, count] of Object.entries(json().trace.events)) {
        expect(text.split(new RegExp(`[ :]${event}:`)).length - 1, event).toBe(count);
      }
      expect(json().trace).toMatchObject({ skipped_lines: 0, unknown_events: 0, lost_events: 0 });
      for (const d of json().drivers)
        expect(d.ipis).toBe(d.delivered + d.coalesced + d.pending + d.not_observed);
    },
  );

  it('delivers what the trace handled: one interrupt for each explained handler entry', async () => {
    for (const name of NAMES) {
      const { trace, drivers, unexplained_entries } = (
        await run('replay', join(TRACES, `${name}.txt.gz`), '--json')
      ).json();
      const entries = [
        'reschedule_entry',
        'call_function_entry',
        'call_function_single_entry',
        'irq_work_entry',
      ];
      const handled = entries.reduce((n, e) => n + (trace.events[e] ?? 0), 0);
      const missing = unexplained_entries.reduce(
        (n: number, u: { count: number }) => n + u.count,
        0,
      );
      for (const d of drivers) expect(d.delivered).toBe(handled - missing);
    }
  });

  it('says beside the answers what in the file weakens them', async () => {
    const file = join(scratch, 'weak.txt');
    const line = (cpu: number, us: number, text: string) =>
      `a-1 [00${cpu}] d..1. 1.00000${us}: ${text}`;
    const send = (cpu: number) => `ipi_send_cpu: cpu=${cpu} callsite=f+0x1/0x2 callback=0x0`;
    writeFileSync(
      file,
      [
        '# tracer: nop',
        '# entries-in-buffer/entries-written: 40/50   #P:4',
        line(0, 1, send(5)),
        'CPU:1 [LOST 17 EVENTS]',
        line(1, 3, send(2)),
        line(0, 2, send(1)),
      ].join('\n'),
    );
    const { stdout } = await run('replay', file);
    expect(stdout).toContain('the header says 4 CPUs, events name CPU 5: the machine has 6');
    expect(stdout).toContain('94 % of the events of CPU 1 are lost (17)');
    expect(stdout).toContain("10 were lost on CPUs that the file doesn't name");
    expect(stdout).toContain('lines not in time order: 1; sorted by time');
    expect(stdout).toContain(
      'the header announces 40 entries, the file has 3: it is cut or filtered',
    );
    expect(stdout).toContain(
      '3 IPIs not observed, so neither delivered nor coalesced: 3 of vectors',
    );
    expect((await run('replay', file, '--json')).json().trace).toMatchObject({
      cpus: 6,
      header_cpus: 4,
      lost_events: 27,
      entries_announced: 40,
    });
    writeFileSync(file, readFileSync(file, 'utf8').replace('LOST 17 EVENTS', 'LOST EVENTS'));
    const unsure = (await run('replay', file)).stdout;
    expect(unsure).toContain('at least 11 events lost by the recorder');
    expect(unsure).toContain('at least 50 % of the events of CPU 1 are lost (1)');
    writeFileSync(file, '5000000001 3 ipi_send_cpu cpu=1\n5000000009 3 ipi_send_cpu cpu=2\n');
    expect((await run('replay', file)).stdout).toContain('callbacks are not recorded');
  });

  it('takes the path of each era and reports damaged lines by number', async () => {
    const file = join(scratch, 'small.txt');
    const head = 'a-1 [000] d..1. 1.00000';
    writeFileSync(
      file,
      [
        '# tracer: nop',
        '# entries-in-buffer/entries-written: 4/4   #P:4',
        `${head}1: ipi_send_cpu: cpu=1 callsite=f+0x1/0x2 callback=0x0`,
        `${head}2: ipi_send_cpumask: cpumask=c callsite=g+0x1/0x2 callback=generic_smp_call_function_single_interrupt+0x0/0x20`,
        'rubbish',
        `${head}3: ipi_send_cpu: cpu=x callsite=f callback=0x0`,
        `${head}4: sched_switch: prev=1`,
        'CPU:2 [LOST 17 EVENTS]',
        `${head}5: ipi_send_cpu: cpu=0 callsite=h+0x1/0x2 callback=wake_up_klogd_work_func+0x0/0x10`,
      ].join('\n'),
    );
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file)));
    for (const path of [file, `${file}.gz`]) {
      const { trace, drivers } = (await run('replay', path, '--json')).json();
      expect(trace).toMatchObject({
        format: 'ftrace',
        cpus: 4,
        skipped_lines: 2,
        unknown_events: 1,
        lost_events: 17,
      });
      expect(trace.damaged.map((d: { line: number }) => d.line)).toEqual([5, 6]);
      const of = (era: string, driver: string) =>
        drivers.find((d: { era: string; driver: string }) => d.era === era && d.driver === driver);
      expect(of('linux-6.12', 'x2apic_phys')).toMatchObject({
        icr_writes: 4,
        fences: 2,
        ipis: 4,
        delivered: 0,
        not_observed: 4,
      });
      expect(of('linux-4.0', 'x2apic_cluster')).toMatchObject({
        icr_writes: 3,
        fences: 2,
        irq_saves: 2,
        mask_copies: 3,
      });
    }
  });

  it('a truncated gzip file is no input, and the error says so', async () => {
    const file = join(scratch, 'cut.gz');
    writeFileSync(file, readFileSync(join(TRACES, `${NAMES[1]}.txt.gz`)).subarray(0, 50000));
    const result = await run('replay', file);
    expect(result.status).toBe(2);
    expect(result.stderr).toMatch(/damaged gzip data/);
  });
});
