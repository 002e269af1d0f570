// A small file as one text, at once: scenarios and cost sets.
import { closeSync, openSync, readSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { compressionOf, HEAD_BYTES } from './kinds.js';
import { byteStream, headError, wrappingOf } from './lines.js';
import { explained, fdOf, refusal, statInput } from './path.js';
import type { Chunks } from './pull.js';
import { decoderOf, encodingOf } from './text.js';
import { unpackCommand } from './unpack.js';

const SIZE_MAX = 16 * 2 ** 20;
const tooLong = (path: string) =>
  refusal(path, 'more than 16 MiB', 'scenarios and cost sets are some kilobytes long');

/** What came through pipes, by receive(): it is there once. */
const received = new Map<string, Buffer>();
const keyOf = (path: string): string => (fdOf(path) === 0 ? '-' : path);

/**
 * Waits for all that a pipe or a terminal sends, so that readWhole() finds it. That one holds the thread, and
 * signals would not be seen; files need no waiting.
 * @returns false when `signal` came first
 * @throws UsageError for what can never be input, or more than 16 MiB of it; ReadError
 */
export async function receive(path: string, signal: AbortSignal): Promise<boolean> {
  const stat = statInput(path);
  if (stat.isFile() || received.has(keyOf(path))) return true;
  let stop = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
  });
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const all = allOf(path, byteStream(path, stat) as Chunks);
    all.catch(() => {}); // told by the race; after a signal nobody asks
    const bytes = await Promise.race([all, aborted]);
    if (bytes) received.set(keyOf(path), bytes);
    return bytes !== undefined;
  } catch (error) {
    throw explained(path, error);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function allOf(path: string, chunks: Chunks): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of chunks) {
    pieces.push(piece);
    length += piece.length;
    if (length > SIZE_MAX) throw tooLong(path);
  }
  return Buffer.concat(pieces);
}

function taken(path: string): Buffer | undefined {
  const bytes = received.get(keyOf(path));
  received.delete(keyOf(path));
  return bytes;
}

/** Reads to the end; waits where a pipe has nothing yet. */
function bytesOf(path: string, fd: number): Buffer {
  const pieces: Buffer[] = [];
  let length = 0;
  for (;;) {
    const piece = Buffer.alloc(1 << 16);
    let got: number;
    try {
      got = readSync(fd, piece, 0, piece.length, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') got = 0;
      else if (code !== 'EAGAIN') throw error;
      else {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
        continue;
      }
    }
    if (got === 0) return Buffer.concat(pieces);
    pieces.push(piece.subarray(0, got));
    length += got;
    if (length > SIZE_MAX) throw tooLong(path);
  }
}

function plainBytes(path: string, bytes: Buffer): Buffer {
  const compression = compressionOf(bytes);
  if (!compression) return bytes;
  if (compression !== 'gzip') {
    const command = `${unpackCommand(path, compression)} > FILE`;
    throw refusal(path, `${compression} data`, `unpack it: ${command}`);
  }
  try {
    return gunzipSync(bytes, { maxOutputLength: SIZE_MAX });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLong(path);
    throw refusal(path, `damaged gzip data (${code})`, 'copy it again');
  }
}

function bytesAt(path: string): Buffer {
  statInput(path);
  const given = fdOf(path);
  try {
    const fd = given ?? openSync(path, 'r');
    try {
      return bytesOf(path, fd);
    } finally {
      if (given === undefined) closeSync(fd);
    }
  } catch (error) {
    throw explained(path, error);
  }
}

/** @throws UsageError for what is no text, or more than 16 MiB of it; ReadError */
export function readWhole(path: string): string {
  const raw = taken(path) ?? bytesAt(path);
  const bytes = plainBytes(path, raw);
  const compression = compressionOf(raw);
  const around = compression && wrappingOf(path, compression);
  const wrong = headError(bytes.subarray(0, HEAD_BYTES), path, around);
  if (wrong) throw wrong;
  const { encoding, mark } = encodingOf(bytes.subarray(0, HEAD_BYTES));
  if (encoding === 'utf32') return '';
  const decoder = decoderOf(encoding);
  return decoder.write(bytes.subarray(mark)) + decoder.end();
}
