// Standard output and standard error: what it means when they cannot be written.
import { fstatSync, writeSync } from 'node:fs';
import { failureText } from './failure.js';
import { leave } from './signals.js';

type Writable = NodeJS.WriteStream & {
  _write(chunk: Uint8Array, encoding: string, done: (error?: Error) => void): void;
  _handle?: { setBlocking?(on: boolean): void };
};

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

/** Node gives up after one write to a file, even when the disk took only a part of it. */
function writeWhole(out: Writable, fd: number): void {
  out._write = (chunk, _encoding, done) => {
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
      done();
    } catch (error) {
      done(error as Error);
    }
  };
}

/** @param stopCode the exit code that a signal asks for, else 0 */
export function guardStandard(stopCode: () => number): void {
  const out = process.stdout as Writable;
  if (isFile(1)) writeWhole(out, 1);
  // A reader that waits would keep signals from being seen.
  out._handle?.setBlocking?.(false);
  out.on('error', (error: NodeJS.ErrnoException) => {
    // The reader has what it wants, as head does. Of a terminal that was closed nothing more can be had.
    if (error.code === 'EPIPE' || (error.code === 'EIO' && stopCode() !== 0)) leave(stopCode());
    const next = 'free space, or send it elsewhere';
    process.stderr.write(`ipistorm: ${failureText('standard output', '', error, next)}\n`);
    leave(stopCode() || 3);
  });
  // Nobody reads the messages: the work goes on without them.
  process.stderr.on('error', () => {});
}

/** Resolves when standard output has taken everything. */
export async function settled(): Promise<void> {
  while (process.stdout.writableLength > 0) await new Promise((resolve) => setTimeout(resolve, 2));
}
