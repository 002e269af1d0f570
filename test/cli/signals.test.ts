// Ctrl-C, SIGTERM and SIGHUP: what was done so far is printed, and the exit code names the signal.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { MAIN, struck } from './run.js';

const FIXTURES = new URL('../fixtures/', import.meta.url).pathname;
const RECORDING = join(FIXTURES, 'recordings/kvm-x2-4cpu-s1.txt.gz');

const TRACE = join(FIXTURES, 'traces/ftrace-xapic-4cpu.txt.gz');

const JSON_COMMANDS: string[][] = [
  ['storm', '--sends', '100G', '--json'],
  ['storm', '--sends', '10k', '--repeat', '1000', '--json'],
  ['run', 'scftorture', '--duration', '100s', '--json'],
  ['run', 'scftorture', '--cpus', '2048', '--duration', '1s', '--json'],
  ['run', 'dropped-icr', '--why', '--json'],
  ['compare', '--cpus', '512', '--rounds', '1000', '--json'],
  ['verify', RECORDING, RECORDING, '--json'],
  ['replay', TRACE, '--json'],
  ['replay', TRACE, '--costs', 'kvm-avic', '--json'],
  ['icr', '--json'],
  ['models', '--json'],
];

const lastLine = (text: string) => JSON.parse(text.trim().split('\n').at(-1)!);

describe('a signal at start-up', () => {
  it.each(JSON_COMMANDS)('%s %s %s %s: a whole document', async (...args) => {
    const { status, json } = await struck({}, ...args);
    expect(status).toBe(130);
    expect(json().interrupted).toBe(true);
  });

  it.each([['ramp', 'tlb-shootdown'], ['costs'], ['scenarios'], ['compare', '--cpus', '8'], []])(
    '%s %s: what there is, exit 130',
    async (...args) => {
      const { status, stderr } = await struck({}, ...args);
      expect(status).toBe(130);
      expect(stderr).not.toMatch(/\n\s+at /);
    },
  );

  it('SIGTERM exits with 143', async () => {
    const { status, json } = await struck({ signal: 'SIGTERM' }, ...JSON_COMMANDS[0]!);
    expect(status).toBe(143);
    expect(json().interrupted).toBe(true);
  });

  it('nothing verified is not good', async () => {
    const { json } = await struck({}, 'verify', RECORDING, '--json');
    expect(json()).toMatchObject({ ok: false, interrupted: true });
  });
});

describe('a signal while it works', () => {
  it.each([
    ['ramp', 'tlb-shootdown', '--json'],
    ['run', 'scftorture', '--cpus', '4096', '--duration', '1s', '--format', 'jsonl'],
    ['storm', '--cpus', '65536', '--model', 'qemu', '--sends', '1M', '--json'],
    ['compare', '--cpus', '4096', '--rounds', '1000', '--json'],
  ])('%s %s: soon, exit 143', async (...args) => {
    const { status, stdout } = await struck({ signal: 'SIGTERM', afterMs: 900 }, ...args);
    expect(status).toBe(143);
    const document = args.includes('jsonl') || args[0] === 'ramp' ? lastLine(stdout) : stdout;
    const whole = typeof document === 'string' ? JSON.parse(document) : document;
    expect(whole.interrupted).toBe(true);
  });

  it('the steps of a ramp that were complete are shown', async () => {
    const { status, stdout } = await struck({ afterMs: 1500 }, 'ramp', 'tlb-shootdown');
    expect(status).toBe(130);
    expect(stdout).toMatch(/^tlb-shootdown, costs/);
  });

  it('prints whole CSV lines', async () => {
    const { status, stdout } = await struck({ afterMs: 200 }, 'storm', '--sends', '9G', '--csv');
    const rows = stdout.trim().split('\n');
    expect(status).toBe(130);
    expect(rows).toHaveLength(65);
    expect(new Set(rows.map((row) => row.split(',').length)).size).toBe(1);
  });

  it('a second one ends it at once, though nobody reads what it prints', async () => {
    const csv = ['storm', '--cpus', '65536', '--sends', '10', '--csv'];
    const { status } = await struck({ afterMs: 1500, times: 2, reads: false }, ...csv);
    expect(status).toBe(130);
  });
});

describe('a trace that comes by a pipe', () => {
  it('that sends nothing more: what was read, exit 143', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ipistorm-pipe-'));
    const pipe = join(folder, 'pipe');
    execFileSync('sh', ['-c', 'mkfifo "$0"', pipe]);
    const line = ' a-1 [000] 1.000001: ipi_send_cpu: cpu=1 callsite=f+0x1 callback=0x0';
    const text = `cpus=4\n${`${line}\n`.repeat(3000)}`;
    const writer = spawn('sh', ['-c', 'cat - > "$0"; sleep 30', pipe], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    writer.stdin!.write(text);
    const { status, json } = await struck(
      { signal: 'SIGTERM', afterMs: 1500 },
      'replay',
      pipe,
      '--json',
    );
    writer.kill('SIGKILL');
    rmSync(folder, { recursive: true });
    expect(status).toBe(143);
    expect(json()).toMatchObject({ interrupted: true, trace: { format: 'trace-cmd', cpus: 4 } });
    expect(json().trace.events.ipi_send_cpu).toBeGreaterThan(2000);
  });
});

describe('a scenario or cost set that comes by a pipe', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ipistorm-pipe-'));
  const pipe = join(folder, 'pipe');
  execFileSync('sh', ['-c', 'mkfifo "$0"', pipe]);
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['run', pipe, '--json'],
    ['run', 'irqs-off', '--costs', pipe, '--format', 'jsonl'],
    ['ramp', pipe, '--json'],
    ['replay', TRACE, '--costs', `kvm-avic,${pipe}`, '--json'],
  ])('%s %s %s: nobody writes, and a signal ends the waiting', async (...args) => {
    const { status, json } = await struck({ signal: 'SIGTERM', afterMs: 700 }, ...args);
    expect(status).toBe(143);
    expect(json()).toEqual({ interrupted: true });
  });

  it('standard input that stays open: the same', async () => {
    const { status } = await struck({ afterMs: 700, stdin: 'pipe' }, 'run', '-');
    expect(status).toBe(130);
  });

  it('one cost set serves all scenarios of a suite', () => {
    const script =
      '"$0" "$1" costs kvm-avic | "$0" "$1" run ipi-benchmark --costs - --set workloads.0.loops=10';
    const out = execFileSync('sh', ['-c', script, process.execPath, MAIN], { encoding: 'utf8' });
    expect(out.trim().split('\n')).toHaveLength(5);
  });
});

describe('a terminal that is closed (SIGHUP)', () => {
  const script = spawnSync('sh', ['-c', 'script --version']).status === 0;

  it.skipIf(!script)('behind a real one: no word, no abort of Node, status 129', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ipistorm-hup-'));
    const [err, status] = [join(folder, 'err'), join(folder, 'status')];
    const command = `"${process.execPath}" "${MAIN}" run scftorture --duration 100s 2> "${err}"`;
    // The first shell gets the signal from the terminal, and its end brings it to the others.
    const line = `sh -c 'trap "" HUP; ${command}; echo $? > "${status}"'; true`;
    const terminal = spawn('sh', ['-c', 'exec script -qec "$0" /dev/null', line], {
      stdio: 'ignore',
    });
    await new Promise((resolve) => setTimeout(resolve, 2000));
    terminal.kill('SIGKILL');
    for (let i = 0; i < 100 && !existsSync(status); i++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(readFileSync(status, 'utf8')).toBe('129\n');
    // The shell may say what its child ended by.
    const said = /^interrupted: the figures are of what was done\n(Hangup.*\n)?$/;
    expect(readFileSync(err, 'utf8')).toMatch(said);
    rmSync(folder, { recursive: true });
  });

  it('what was done so far, exit 129', async () => {
    const { status, json } = await struck({ signal: 'SIGHUP', afterMs: 300 }, ...JSON_COMMANDS[0]!);
    expect(status).toBe(129);
    expect(json().interrupted).toBe(true);
  });
});

it('the lines of a suite: the last one says that it was interrupted', async () => {
  const { status, stdout } = await struck({}, 'run', 'ipi-benchmark', '--json');
  expect(status).toBe(130);
  expect(lastLine(stdout)).toMatchObject({ scenario: 'dry-run', interrupted: true });
});
