// Binary recordings through the tool that makes text of them; what it prints is the input.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync } from 'node:fs';
import { type BinaryKind, binaryKind, commandLine, HEAD_BYTES } from './kinds.js';
import { headError, type LineSource } from './lines.js';
import {
  asArgument,
  explained,
  fdOf,
  printable,
  ReadError,
  refusal,
  shownName,
  statInput,
} from './path.js';
import { type Chunks, Pull } from './pull.js';
import { decoderOf, linesOf, Splitter } from './text.js';

/** The binary format of a file, when a tool makes text of it. A pipe's is not asked: what is read is gone. */
export function convertible(path: string): BinaryKind | undefined {
  if (fdOf(path) !== undefined || !statInput(path).isFile()) return undefined;
  try {
    const fd = openSync(path, 'r');
    try {
      const head = Buffer.alloc(HEAD_BYTES);
      const kind = binaryKind(head.subarray(0, readSync(fd, head, 0, HEAD_BYTES, 0)));
      return kind?.argv ? kind : undefined;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw explained(path, error);
  }
}

/**
 * Runs the tool of `kind`, without a shell.
 * @throws ReadError, while reading, when it is not installed; UsageError when it fails
 */
export function convert(path: string, kind: BinaryKind): LineSource {
  const argv = kind.argv!(asArgument(path));
  const splitter = new Splitter();
  const state = { bytes: 0 };
  return {
    lines: output(path, kind, argv, splitter, state),
    bytesRead: () => state.bytes,
    bytesTotal: 0,
    rereadable: true,
    compression: undefined,
    notes: [`${shownName(path)}: ${kind.what}, read through ${commandLine(argv)}`],
    cutLines: () => splitter.cut,
  };
}

async function* output(
  path: string,
  kind: BinaryKind,
  argv: readonly string[],
  splitter: Splitter,
  state: { bytes: number },
): AsyncIterable<string[]> {
  const child = spawn(argv[0]!, argv.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = endOf(child, path, argv);
  ended.catch(() => {}); // reported below, after what it printed
  try {
    const bytes = new Pull(counted(child.stdout!, state));
    const head = await bytes.peek(HEAD_BYTES);
    const wrong =
      head.length > 0
        ? headError(head, path, { what: kind.what, command: commandLine(argv) })
        : undefined;
    if (wrong) throw wrong;
    yield* linesOf(bytes.rest(), decoderOf('utf8'), splitter);
    await ended;
    if (state.bytes === 0) throw refusal(path, `nothing from ${commandLine(argv)}`);
  } finally {
    if (child.exitCode === null) child.kill();
  }
}

async function* counted(chunks: AsyncIterable<unknown>, state: { bytes: number }): Chunks {
  for await (const chunk of chunks as Chunks) {
    state.bytes += chunk.length;
    yield chunk;
  }
}

const STDERR_KEPT = 2000;

async function endOf(child: ChildProcess, path: string, argv: readonly string[]): Promise<void> {
  let said = '';
  child.stderr!.on('data', (data) => {
    said = (said + data).slice(-STDERR_KEPT);
  });
  try {
    const [code, signal] = await once(child, 'close');
    if (code === 0) return;
    throw refusal(
      path,
      `${code === null ? `signal ${signal}` : `exit code ${code}`} from ${commandLine(argv)}`,
      printable(said.trim().split('\n').at(-1)!).slice(0, 200),
    );
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EACCES') throw error;
    throw new ReadError(
      `${shownName(path)}: cannot be converted: ${argv[0]} is not installed here; where it is: ${commandLine(argv)} > FILE.txt`,
    );
  }
}
