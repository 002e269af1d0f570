// The built CLI, in this process or in one of its own.
import { spawn, spawnSync } from 'node:child_process';

export const MAIN = new URL('../../dist/src/cli/main.js', import.meta.url).pathname;

export interface Finished {
  status: number | null;
  stdout: string;
  stderr: string;
  // biome-ignore lint/suspicious/noExplicitAny: what the CLI printed, for tests that look into it
  json: () => any;
}

function finished(status: number | null, stdout: string, stderr: string): Finished {
  return { status, stdout, stderr, json: () => JSON.parse(stdout) };
}

/** A process of its own: what users start. Slower than run() by all that Node does before main(). */
export function spawned(...args: string[]): Finished {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return finished(status, stdout, stderr);
}

/** Tells its parent, before main(), when somebody listens for Ctrl-C. */
const READY = `data:text/javascript,${encodeURIComponent(
  "process.on('newListener', (name) => name === 'SIGINT' && process.send('ready'))",
)}`;

/** A process of its own that gets Ctrl-C as soon as it listens. */
export function interrupted(...args: string[]): Promise<Finished> {
  const child = spawn(process.execPath, ['--import', READY, MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let [out, err] = ['', ''];
  child.stdout!.on('data', (data) => (out += data));
  child.stderr!.on('data', (data) => (err += data));
  child.once('message', () => child.kill('SIGINT'));
  return new Promise((resolve) =>
    child.on('close', (status) => resolve(finished(status, out, err))),
  );
}

let runs = 0;

/** main.js anew in this process, with its own argv, output and exit code. One at a time. */
export async function run(...args: string[]): Promise<Finished> {
  const { argv, exitCode, stdout, stderr } = process;
  const real = { out: stdout.write, err: stderr.write };
  const listeners = stdout.listeners('error');
  let [out, err] = ['', ''];
  process.argv = [argv[0]!, MAIN, ...args];
  process.exitCode = undefined;
  stdout.write = (text: string | Uint8Array) => {
    out += typeof text === 'string' ? text : Buffer.from(text).toString();
    return true;
  };
  stderr.write = (text: string | Uint8Array) => {
    err += typeof text === 'string' ? text : Buffer.from(text).toString();
    return true;
  };
  try {
    await import(/* @vite-ignore */ `${MAIN}?run=${runs++}`);
    return finished(Number(process.exitCode ?? 0), out, err);
  } finally {
    [stdout.write, stderr.write] = [real.out, real.err];
    [process.argv, process.exitCode] = [argv, exitCode];
    for (const listener of stdout.listeners('error'))
      if (!listeners.includes(listener)) stdout.off('error', listener as () => void);
  }
}
