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

interface Strike {
  signal?: NodeJS.Signals;
  /** How long after somebody listens; default at once. */
  afterMs?: number;
  /** How often; default once. */
  times?: number;
  /** Reads what is printed; default true. */
  reads?: boolean;
  /** A standard input that stays open, instead of none. */
  stdin?: 'pipe';
}

/** A process of its own that gets a signal when it listens, or a while later. */
export function struck(
  { signal = 'SIGINT', afterMs = 0, times = 1, reads = true, stdin }: Strike,
  ...args: string[]
): Promise<Finished> {
  const child = spawn(process.execPath, ['--import', READY, MAIN, ...args], {
    stdio: [stdin ?? 'ignore', 'pipe', 'pipe', 'ipc'],
  });
  let [out, err] = ['', ''];
  if (reads) child.stdout!.on('data', (data) => (out += data));
  child.stderr!.on('data', (data) => (err += data));
  child.once('message', () => {
    const strike = (left: number) => {
      child.kill(signal);
      // The system makes one of two that come together.
      if (left > 1) setTimeout(strike, 200, left - 1);
    };
    setTimeout(strike, afterMs, times);
  });
  const late = setTimeout(() => child.kill('SIGKILL'), 25_000);
  return new Promise((resolve) =>
    child.on(reads ? 'close' : 'exit', (status) => {
      clearTimeout(late);
      child.stdout!.destroy();
      resolve(finished(status, out, err));
    }),
  );
}

export function interrupted(...args: string[]): Promise<Finished> {
  return struck({}, ...args);
}

let runs = 0;

/** main.js anew in this process, with its own argv, output and exit code. One at a time. */
export async function run(...args: string[]): Promise<Finished> {
  const { argv, exitCode, stdout, stderr } = process;
  const real = { out: stdout.write, err: stderr.write };
  const listeners = [stdout, stderr].map((stream) => stream.listeners('error'));
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
    for (const [i, stream] of [stdout, stderr].entries())
      for (const listener of stream.listeners('error'))
        if (!listeners[i]!.includes(listener)) stream.off('error', listener as () => void);
  }
}
