// What is written: checked before the work, named when it fails, never left half done.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { MAIN, run, struck } from './run.js';

const scratch = mkdtempSync(join(tmpdir(), 'ipistorm-out-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const full = existsSync('/dev/full');
const sh = (line: string, ...args: string[]) =>
  spawnSync('bash', ['-c', line, 'bash', process.execPath, MAIN, ...args], { encoding: 'utf8' });

describe('an output that cannot be written', () => {
  mkdirSync(join(scratch, 'folder'));
  it.each([
    ['--ftrace', join(scratch, 'none/x'), /ENOENT.*make the directory first/],
    ['--hdr', join(scratch, 'folder'), /EISDIR.*name a file in it/],
    ['--chrome', join(scratch, 'n'.repeat(300)), /ENAMETOOLONG/],
    ['--perfetto', join(scratch, 'folder', '\x1b[31m', 'x'), /ENOENT/],
  ])('%s %s is named before the work begins: exit 3', async (option, path, message) => {
    // A day of simulated time: whoever works first is not done in time.
    const { status, stdout, stderr } = await run('run', 'normal', '--duration', '9s', option, path);
    expect(stderr).toMatch(message);
    expect(stderr).toContain(`${option}: got `);
    expect(stderr).not.toMatch(/\x1b|\n\s+at /);
    expect(stdout).toBe('');
    expect(status).toBe(3);
  });

  it.skipIf(!full).each(['--ftrace', '--chrome', '--perfetto', '--hdr'])(
    '%s on a full disk: named with option, file and next step',
    async (option) => {
      const { status, stderr } = await run('run', 'normal', option, '/dev/full');
      expect(stderr).toMatch(
        new RegExp(`${option}: got "/dev/full" \\(ENOSPC: no space left.*free space`),
      );
      expect(status).toBe(3);
    },
  );

  it('what was written before the disk was full is removed', () => {
    const path = join(scratch, 'cut.json');
    const line = 'ulimit -f 64; "$1" "$2" run tlb-shootdown --chrome "$3"';
    const { status, stderr } = sh(line, path);
    expect(stderr).toMatch(/--chrome: got .*EFBIG.*what was written of it is removed/);
    expect(status).toBe(3);
    expect(existsSync(path)).toBe(false);
  });
});

describe('an output behind a link', () => {
  it('that leads nowhere yet: the link stays, and its file is made', async () => {
    const [link, file] = [join(scratch, 'link.txt'), join(scratch, 'folder', 'linked.txt')];
    symlinkSync('folder/linked.txt', link);
    expect((await run('run', 'irqs-off', '--hdr', link)).status).toBe(0);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(file, 'utf8').slice(0, 40)).toContain('Histogram log');
    const two = ['run', 'irqs-off', '--hdr', link, '--chrome', file];
    rmSync(file);
    expect((await run(...two)).stderr).toContain('--chrome goes there');
  });

  it('that cannot be completed: its file is removed, not the link', () => {
    const [link, file] = [join(scratch, 'link.json'), join(scratch, 'folder', 'linked.json')];
    symlinkSync('folder/linked.json', link);
    const { stderr } = sh('ulimit -f 64; "$1" "$2" run tlb-shootdown --chrome "$3"', link);
    expect(stderr).toContain('what was written of it is removed');
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(existsSync(file)).toBe(false);
  });

  // Root may remove everything: another user, who has to reach the package.
  const asNobody = (line: string, ...args: string[]) =>
    spawnSync('bash', ['-c', line, 'bash', process.execPath, MAIN, ...args], {
      encoding: 'utf8',
      ...(process.getuid?.() === 0 ? { uid: 65534 } : {}),
    });

  it.skipIf(asNobody('test -r "$2"').status !== 0)('that cannot be removed is emptied', () => {
    const [folder, file] = [join(scratch, 'shut'), join(scratch, 'shut', 'old.json')];
    mkdirSync(folder);
    writeFileSync(file, 'what was there before');
    chmodSync(file, 0o666);
    chmodSync(folder, 0o555);
    chmodSync(scratch, 0o755);
    const line = 'ulimit -f 64; "$1" "$2" run tlb-shootdown --chrome "$3"';
    const { status, stderr } = asNobody(line, file);
    chmodSync(folder, 0o755);
    expect(stderr).toContain('what was written of it is emptied');
    expect(status).toBe(3);
    expect(readFileSync(file, 'utf8')).toBe('');
  });
});

describe('one file for two', () => {
  it.each([
    ['an option', (path: string) => ['--chrome', path, '--ftrace', `${scratch}/folder/../x`], 'x'],
    ['the scenario', (path: string) => ['--hdr', path], 'own.jsonc'],
    ['the costs', (path: string) => ['--costs', path, '--hdr', path], 'costs.json'],
  ])('%s: exit 2, and the file is as it was', async (_, options, name) => {
    const [own, costs] = [join(scratch, 'own.jsonc'), join(scratch, 'costs.json')];
    writeFileSync(own, (await run('scenarios', 'normal')).stdout);
    writeFileSync(costs, (await run('costs', 'kvm-avic')).stdout);
    const path = join(scratch, name);
    const { status, stderr } = await run('run', own, ...options(path));
    expect(stderr).toMatch(/allowed a file of its own; \S+ (goes there|is read from it)/);
    expect(status).toBe(2);
    expect(readFileSync(own, 'utf8')).toContain('"name"');
  });

  it.each([
    ['a pipe behind standard output', '"$1" "$2" run irqs-off --chrome /dev/stdout 2>&1 | cat'],
    [
      'two outputs into one pipe',
      'mkfifo "$3"; "$1" "$2" run irqs-off --chrome "$3" --hdr "$3" 2>&1',
    ],
  ])('%s: refused, what goes there would be mixed', (_, line) => {
    expect(sh(line, join(scratch, 'fifo')).stdout).toMatch(
      /allowed a file of its own; (standard output|--chrome) goes there\n$/,
    );
  });

  it('standard output: exit 2', () => {
    const { status, stderr } = sh('"$1" "$2" run normal --ftrace "$3" > "$3"', `${scratch}/same`);
    expect(stderr).toContain('standard output goes there');
    expect(status).toBe(2);
  });
});

describe('a machine that gives too little', () => {
  it('address space: one line that says what to do, exit 3', () => {
    const { status, stdout, stderr } = sh('ulimit -v 6000000; "$1" "$2" icr');
    if (status === 0) return expect(stdout).toContain('reached: 7'); // a Node that needs less
    expect(stderr).toMatch(
      /^ipistorm: memory: got none \(.*, allowed .*; raise ulimit -v[^\n]*\n$/,
    );
    expect(status).toBe(3);
    const line = 'ulimit -v 6000000; NODE_OPTIONS=--disable-wasm-trap-handler "$1" "$2" icr';
    expect(sh(line).stdout).toContain('reached: 7');
  });

  it('its own files: one line, exit 3', () => {
    const folder = join(scratch, 'package');
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    for (const name of ['main', 'signals', 'standard', 'failure'])
      copyFileSync(join(MAIN, `../${name}.js`), join(folder, `${name}.js`));
    const { status, stderr } = sh('"$1" "$3" icr', join(folder, 'main.js'));
    expect(stderr).toMatch(/^ipistorm: package: got Cannot find module .*commands\.js[^\n]*\n$/);
    expect(status).toBe(3);
  });
});

describe('standard output and error', () => {
  it('many files: Node has nothing to warn of', () => {
    const { stderr } = sh('"$1" "$2" verify none-$(seq -s " none-" 12)');
    expect(stderr.trim().split('\n')).toHaveLength(12);
    expect(stderr).not.toContain('Warning');
  });

  it.skipIf(!full)('full: one line, exit 3', () => {
    const out = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [MAIN, 'models'], {
      stdio: ['ignore', out, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(out);
    expect(stderr).toMatch(/^ipistorm: standard output: got ENOSPC.*\n$/);
    expect(status).toBe(3);
  });

  it('a disk that fills up in the middle is no success', () => {
    const line = 'ulimit -f 64; "$1" "$2" storm --cpus 9000 --sends 10 --csv > "$3"';
    const { status, stderr } = sh(line, join(scratch, 'short.csv'));
    expect(stderr).toMatch(/^ipistorm: standard output: got EFBIG.*\n$/);
    expect(status).toBe(3);
  });

  it('a reader that leaves ends it quietly, a closed standard error is not missed', () => {
    const line = '"$1" "$2" storm --cpus 9000 --sends 10 --csv | head -1; echo "$PIPESTATUS"';
    expect(sh(line).stdout.trim().split('\n').at(-1)).toBe('0');
    const closed = '"$1" "$2" storm --sends 10 --json 2> >(exec true); echo "$?"';
    expect(sh(closed).stdout.trim().split('\n').at(-1)).toBe('0');
  });

  it('a trace that goes into a pipe', () => {
    const line =
      '"$1" "$2" run irqs-off --format simple --ftrace >(head -1 > "$3"); sleep 0.3; cat "$3"';
    expect(sh(line, join(scratch, 'piped')).stdout).toContain('# tracer: nop');
  });
});

it('a signal while a trace is written: the part of it is removed, and said so', async () => {
  const path = join(scratch, 'part.json');
  const args = ['run', 'irqs-off', '--format', 'simple', '--chrome', path];
  const { status, stderr } = await struck({ afterMs: 1600 }, ...args);
  // On a fast machine it was written before.
  if (status === 0) return;
  expect(status).toBe(130);
  expect(stderr).toMatch(/interrupted/);
  if (/is removed/.test(stderr)) expect(existsSync(path)).toBe(false);
  else JSON.parse(readFileSync(path, 'utf8'));
});

it('a signal while the first of two files is written: the second is not begun', async () => {
  const [pipe, second] = [join(scratch, 'unread'), join(scratch, 'second.txt')];
  sh('mkfifo "$3"', pipe);
  const args = ['run', 'irqs-off', '--json', '--chrome', pipe, '--ftrace', second];
  const { status, stderr, json } = await struck({ afterMs: 1200 }, ...args);
  expect(status).toBe(130);
  expect(stderr).toContain(`--chrome ${pipe}: not complete`);
  expect(stderr).toContain(`--ftrace ${second}: not written`);
  expect(existsSync(second)).toBe(false);
  expect(json().interrupted).toBe(true);
});
