// Opens an input: a file, a pipe or standard input; plain or packed; of any text encoding. One pass, in bounded memory.
import { createReadStream } from 'node:fs';
import type { BinaryKind, Compression } from './kinds.js';
import { binaryKind, commandLine, compressionOf, HEAD_BYTES } from './kinds.js';
import { asArgument, explained, fdOf, refusal, shownName, statInput } from './path.js';
import { type Chunks, Pull } from './pull.js';
import { decoderOf, encodingOf, linesOf, Splitter } from './text.js';
import { unpackCommand, unpacked } from './unpack.js';

export interface LineSource {
  /** Batches of lines, without line ends. */
  lines: AsyncIterable<string[]>;
  /** Bytes of the file read so far. */
  bytesRead(): number;
  /** Bytes on disk; 0 of a pipe, where nobody knows. */
  bytesTotal: number;
  /** The file can be opened once more and reads the same: not a pipe. */
  rereadable: boolean;
  /** Known from the first batch on. */
  readonly compression: Compression | undefined;
  /** What a reader should be told, on standard error; known from the first batch on. */
  readonly notes: readonly string[];
  /** Lines without end that were cut so far. */
  cutLines(): number;
}

export interface InputOptions {
  /** zstd and xz are unpacked while reading; without this they are refused with the command that does it. */
  unpack?: boolean;
}

interface State {
  path: string;
  options: InputOptions;
  bytesRead: () => number;
  compression: Compression | undefined;
  notes: string[];
  splitter: Splitter;
}

/** @throws UsageError for what can never be input, at once or with the first batch; ReadError */
export function openLines(path: string, options: InputOptions = {}): LineSource {
  const stat = statInput(path);
  const bytes = byteStream(path);
  const state: State = {
    path,
    options,
    bytesRead: () => bytes.bytesRead,
    compression: undefined,
    notes: [],
    splitter: new Splitter(),
  };
  return {
    lines: read(bytes as unknown as Chunks, state),
    bytesRead: state.bytesRead,
    bytesTotal: stat.isFile() ? stat.size : 0,
    rereadable: stat.isFile() && fdOf(path) === undefined,
    get compression() {
      return state.compression;
    },
    notes: state.notes,
    cutLines: () => state.splitter.cut,
  };
}

/** Standard input by its stream, which waits where a read of its descriptor would fail. */
function byteStream(path: string): AsyncIterable<unknown> & { bytesRead: number } {
  const fd = fdOf(path);
  if (fd === 0) return process.stdin as never;
  const options = { highWaterMark: 1 << 18 };
  // A socket behind /dev/fd/N cannot be opened anew.
  return fd === undefined
    ? createReadStream(path, options)
    : createReadStream('', { ...options, fd, autoClose: false });
}

async function* read(chunks: Chunks, state: State): AsyncIterable<string[]> {
  try {
    yield* text(await opened(chunks, state), state);
  } catch (error) {
    throw explained(state.path, error);
  }
}

/** The bytes behind a compression; binary formats are refused. */
async function opened(chunks: Chunks, state: State): Promise<Pull> {
  const { path } = state;
  const outer = new Pull(chunks);
  const compression = compressionOf(await checked(outer, state));
  if (!compression) return outer;
  if (compression !== 'gzip' && !state.options.unpack) {
    await outer.close();
    const command = unpackCommand(path, compression);
    throw refusal(path, `${compression} data`, `unpack it: ${command} | npx ipistorm ... -`);
  }
  state.compression = compression;
  if (compression !== 'gzip') {
    state.notes.push(`${shownName(path)}: ${compression}, unpacked while reading`);
  }
  const inner = new Pull(unpacked(path, compression, outer.rest(), state.bytesRead));
  const again = compressionOf(await checked(inner, state));
  if (again) {
    await inner.close();
    const command = `${unpackCommand(path, compression)} | ${again} -dc`;
    throw refusal(
      path,
      `${again} data inside ${compression} data`,
      `unpack it: ${command} | npx ipistorm ... -`,
    );
  }
  return inner;
}

/** The head of what may be text. */
async function checked(bytes: Pull, state: State): Promise<Buffer> {
  const head = await bytes.peek(HEAD_BYTES);
  const error = headError(head, state.path, state.compression);
  if (!error) return head;
  await bytes.close();
  throw error;
}

/** Why a file that begins so cannot be read as text. */
export function headError(
  head: Buffer,
  path: string,
  compression: Compression | undefined,
): Error | undefined {
  if (head.length === 0)
    return refusal(path, compression ? `empty ${compression} data` : 'nothing (it is empty)');
  const kind = binaryKind(head);
  if (kind) return binaryError(kind, path, compression);
  if (encodingOf(head).encoding === 'utf32') {
    const command = commandLine(['iconv', '-f', 'UTF-32', '-t', 'UTF-8', fileIn(path)]);
    return refusal(path, 'text in UTF-32', `${command} > FILE.txt`);
  }
  return undefined;
}

function fileIn(path: string): string {
  return fdOf(path) === undefined ? asArgument(path) : 'FILE';
}

function binaryError(kind: BinaryKind, path: string, compression: Compression | undefined): Error {
  const inside = compression ? `${kind.what}, inside ${compression} data` : kind.what;
  if (!kind.argv) return refusal(path, inside, kind.next);
  const plain = fileIn(path);
  const [file, first] = compression
    ? ['FILE.bin', `${unpackCommand(path, compression)} > FILE.bin && `]
    : [plain, ''];
  const command = `${commandLine(kind.argv(file))} > ${compression ? 'FILE' : commandLine([plain])}.txt`;
  return refusal(path, inside, `make text of it: ${first}${command}`);
}

async function* text(bytes: Pull, state: State): AsyncIterable<string[]> {
  const { encoding, mark } = encodingOf(await bytes.peek(HEAD_BYTES));
  await bytes.take(mark);
  if (encoding === 'utf32') return;
  yield* linesOf(bytes.rest(), decoderOf(encoding), state.splitter);
}
