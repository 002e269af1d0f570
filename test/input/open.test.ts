// Every path is opened, or refused with what it is; pipes are read like files.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { asArgument, explained, fdOf, quoted, ReadError } from '../../src/input/path.js';
import { readWhole } from '../../src/input/whole.js';
import { MAIN } from '../cli/run.js';
import { file, readAll, refusalOf, scratch } from './files.js';

const RECORDING = new URL('../fixtures/recordings/kvm-x2-4cpu-s1.txt.gz', import.meta.url).pathname;

/** sh -c, with the command in $1 and the recording in $2. */
function sh(script: string, shell = 'sh') {
  const args = ['-c', script, shell, MAIN, RECORDING];
  return spawnSync(shell, args, { encoding: 'utf8', input: '', cwd: scratch });
}

describe('what is never input', () => {
  it.each([
    ['a directory', scratch, /got a directory, allowed/],
    ['nothing there', join(scratch, 'nowhere.txt'), /got no such file/],
    ['a file taken for a folder', `${file('plain', 'x')}/x`, /got no such file/],
    ['a name without end', 'x'.repeat(5000), /got a name that is too long/],
    ['an empty file', file('empty', ''), /it is empty/],
    ['packed nothing', file('empty.gz', gzipSync('')), /got empty gzip data/],
    ['/dev/null', '/dev/null', /it is empty/],
    ['/dev/zero', '/dev/zero', /got a device without an end/],
    ['an empty name', '', /"": got no such file/],
  ])('%s: a usage error that says so', async (_what, path, message) => {
    const error = await refusalOf(path);
    expect(error.name).toBe('UsageError');
    expect(error.message).toMatch(message);
    expect(() => readWhole(path)).toThrow(message);
  });

  it('a link to itself', async () => {
    symlinkSync('loop', join(scratch, 'loop'));
    expect((await refusalOf(join(scratch, 'loop'))).message).toMatch(/a link to itself/);
  });

  it('a socket: one line, exit 2', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(join(scratch, 'socket'), done));
    const { status, stderr } = spawnSync(
      process.execPath,
      [MAIN, 'verify', join(scratch, 'socket')],
      {
        encoding: 'utf8',
      },
    );
    server.close();
    expect(stderr).toMatch(/^ipistorm: .*socket: got a socket, allowed [^\n]*\n$/);
    expect(status).toBe(2);
  });

  it.skipIf(!existsSync('/dev/loop0'))('a block device (needs /dev/loop0)', async () => {
    expect((await refusalOf('/dev/loop0')).message).toMatch(/got a block device/);
  });
});

describe('what the machine does not give', () => {
  it.skipIf(!existsSync('/proc/self/mem'))('EIO is exit 3, and the other files are read', () => {
    const args = [MAIN, 'verify', '--json', '/proc/self/mem', RECORDING];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status).toBe(3);
    expect(JSON.parse(stdout).files).toMatchObject([
      { ok: false, error: expect.stringMatching(/mem: cannot be read: input\/output error/) },
      { ok: true },
    ]);
  });

  it.skipIf(process.getuid?.() === 0)('a file without permission (not as root)', async () => {
    const path = file('secret', 'x');
    chmodSync(path, 0);
    expect(await refusalOf(path)).toBeInstanceOf(ReadError);
  });

  it('codes become words', () => {
    const denied = Object.assign(new Error('EACCES: x'), { code: 'EACCES', syscall: 'open' });
    expect(explained('a', denied)).toBeInstanceOf(ReadError);
    expect(`${explained('a', denied)}`).toMatch(
      /a: cannot be read: permission denied \(EACCES\); /,
    );
    expect(explained('a', denied.message)).toBe(denied.message);
  });
});

describe('pipes', () => {
  it.each([
    ['-', 'gzip -dc "$2" | "$1" verify - --json', 'sh'],
    ['-, packed', '"$1" verify - --json < "$2"', 'sh'],
    ['/dev/stdin', 'gzip -dc "$2" | "$1" verify /dev/stdin --json', 'sh'],
    ['a FIFO', 'mkfifo fifo; cat "$2" > fifo & "$1" verify fifo --json', 'sh'],
    ['process substitution', '"$1" verify <(gzip -dc "$2") --json', 'bash'],
    ['byte by byte', 'gzip -dc "$2" | dd bs=1 2>/dev/null | "$1" verify - --json', 'sh'],
  ])('%s', (_what, script, shell) => {
    const { status, stdout, stderr } = sh(script, shell);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, files: [{ checks: 4183 }] });
    expect(status).toBe(0);
  });

  it('a socket as standard input, which is what some parents give', async () => {
    const child = spawn(process.execPath, [MAIN, 'verify', '/dev/stdin', '--json']);
    child.stdin.end(readFileSync(RECORDING));
    let out = '';
    child.stdout.on('data', (data) => (out += data));
    expect(await new Promise((done) => child.on('close', done))).toBe(0);
    expect(JSON.parse(out).ok).toBe(true);
  });

  it('a FIFO that nobody writes to ends with the second Ctrl-C', async () => {
    sh('mkfifo silent');
    const listening = `data:text/javascript,${encodeURIComponent(
      "process.on('newListener', (name) => name === 'SIGINT' && process.send('ready'))",
    )}`;
    const args = ['--import', listening, MAIN, 'verify', join(scratch, 'silent')];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const ended = new Promise((done) => child.on('close', done));
    child.once('message', () => {
      child.kill('SIGINT');
      setTimeout(() => child.kill('SIGINT'), 300);
    });
    expect(await ended).toBe(130);
  });

  it('an empty one is named', () => {
    const { status, stderr } = sh(': | "$1" verify -');
    expect(stderr).toMatch(/standard input: got nothing \(it is empty\)/);
    expect(status).toBe(2);
  });

  it('a directory as standard input', () => {
    const { status, stderr } = sh('"$1" verify - < .');
    expect(stderr).toMatch(/standard input: got a directory/);
    expect(status).toBe(2);
  });

  it('scenario and costs come by pipes, but not both by one', () => {
    const scenario = '"$1" scenarios dry-run';
    const both = sh(
      `${scenario} > s.jsonc; "$1" costs kvm-avic | "$1" run s.jsonc --costs - --json`,
    );
    expect(JSON.parse(both.stdout)).toMatchObject({ scenario: 'dry-run', costs: 'kvm-avic' });
    expect(JSON.parse(sh(`${scenario} | "$1" run - --json`).stdout).scenario).toBe('dry-run');
    const packed = sh(`${scenario} | gzip > s.gz; "$1" run s.gz --json`);
    expect(JSON.parse(packed.stdout).scenario).toBe('dry-run');
    const twice = sh(`${scenario} | "$1" run - --costs -`);
    expect(twice.stderr).toMatch(/--costs: got "-", allowed standard input once/);
    expect(twice.status).toBe(2);
  });
});

describe('names', () => {
  it('of descriptors, of arguments and in sh', () => {
    expect(['-', '/dev/stdin', '/dev/fd/63', 'x'].map(fdOf)).toEqual([0, 0, 63, undefined]);
    expect(asArgument('-rf')).toBe('./-rf');
    for (const name of ['plain.txt', "it's", 'a b', '$(x)', '"', '\\']) {
      expect(execFileSync('sh', ['-c', `printf %s ${quoted(name)}`], { encoding: 'utf8' })).toBe(
        name,
      );
    }
  });

  it('control characters in a path do not reach the terminal', async () => {
    expect((await refusalOf('\x1b[2J')).message).toMatch(/^\?\[2J: got no such file/);
  });

  it('says whether a file can be read again', async () => {
    const { source } = await readAll(file('again', 'x\n'));
    expect([source.rereadable, source.bytesTotal, source.bytesRead()]).toEqual([true, 2, 2]);
  });
});
