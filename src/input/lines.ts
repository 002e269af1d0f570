// Opens an input: a file, a pipe or standard input; plain or packed; of any text encoding. One pass, in bounded memory.
import { constants, createReadStream, openSync, type Stats } from 'node:fs';
import { Socket } from 'node:net';
import type { UsageError } from '../core/errors.js';
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
  /** The command that reads, for messages. */
  command?: string;
  /** zstd and xz are unpacked while reading; without this they are refused with the command that does it. */
  unpack?: boolean;
  /** What the caller could do itself with a packed or binary file, such as "add --convert"; errors say so. */
  offer?: string;
  /** Told once, when it is known, what a reader should know: such as "FILE: zstd, unpacked while reading". */
  note?: (text: string) => void;
}

type ByteStream = AsyncIterable<unknown> & { bytesRead: number };

interface State {
  path: string;
  options: InputOptions;
  /** Opened when the first batch is asked for. */
  stream: ByteStream | undefined;
  bytesRead: () => number;
  compression: Compression | undefined;
  notes: string[];
  splitter: Splitter;
}

/** @throws UsageError for what can never be input, at once or with the first batch; ReadError */
export function openLines(path: string, options: InputOptions = {}): LineSource {
  const stat = statInput(path);
  if (fdOf(path) === 0 && process.stdin.isTTY) {
    options.note?.('reading standard input, a terminal; Ctrl-D ends it');
  }
  const state: State = {
    path,
    options,
    stream: undefined,
    bytesRead: () => state.stream?.bytesRead ?? 0,
    compression: undefined,
    notes: [],
    splitter: new Splitter(),
  };
  return {
    lines: read(state, stat),
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

/** Pipes by streams that wait without holding a thread: Ctrl-C ends what nobody writes to. */
export function byteStream(path: string, stat: Stats): ByteStream {
  const fd = fdOf(path);
  if (fd === 0) return process.stdin as never;
  if (stat.isFIFO()) return fifo(path);
  const options = { highWaterMark: 1 << 18 };
  // A socket behind /dev/fd/N cannot be opened anew.
  return fd === undefined
    ? createReadStream(path, options)
    : createReadStream('', { ...options, fd, autoClose: false });
}

/** Opened without waiting for a writer; the first one's data, and its end, come as events. */
function fifo(path: string): Socket {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}

async function* read(state: State, stat: Stats): AsyncIterable<string[]> {
  try {
    state.stream = byteStream(state.path, stat);
    yield* text(await opened(state.stream as Chunks, state), state);
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
    const { command: reader = '...', offer } = state.options;
    const next = `unpack it: ${command} | npx ipistorm ${reader} -${offered(offer)}`;
    throw refusal(path, `${compression} data`, next);
  }
  state.compression = compression;
  if (compression !== 'gzip') {
    const note = `${shownName(path)}: ${compression}, unpacked while reading`;
    state.notes.push(note);
    state.options.note?.(note);
  }
  const inner = new Pull(unpacked(path, compression, outer.rest(), state.bytesRead));
  const again = compressionOf(await checked(inner, state));
  if (again) {
    await inner.close();
    const command = `${unpackCommand(path, compression)} | ${again} -dc`;
    throw refusal(
      path,
      `${again} data inside ${compression} data`,
      `unpack it: ${command} | npx ipistorm ${state.options.command ?? '...'} -`,
    );
  }
  return inner;
}

/** The head of what may be text. */
async function checked(bytes: Pull, state: State): Promise<Buffer> {
  const head = await bytes.peek(HEAD_BYTES);
  const { path, compression, options } = state;
  const around = compression && wrappingOf(path, compression);
  const error = headError(head, path, around, options.offer);
  if (!error) return head;
  await bytes.close();
  throw error;
}

/** What a text came out of: such as "gzip data", and the command that it comes out with. */
export interface Wrapping {
  what: string;
  command: string;
}

export function wrappingOf(path: string, compression: Compression): Wrapping {
  return { what: `${compression} data`, command: unpackCommand(path, compression) };
}

/** Why a file that begins so cannot be read as text. `offer`: what the command itself could do. */
export function headError(
  head: Buffer,
  path: string,
  around?: Wrapping,
  offer?: string,
): UsageError | undefined {
  if (head.length === 0)
    return refusal(path, around ? `empty ${around.what}` : 'nothing (it is empty)');
  const kind = binaryKind(head);
  if (kind) return binaryError(kind, path, around, offer);
  if (encodingOf(head).encoding === 'utf32') {
    const command = commandLine(['iconv', '-f', 'UTF-32', '-t', 'UTF-8', fileIn(path)]);
    return refusal(path, 'text in UTF-32', `${command} > FILE.txt`);
  }
  return undefined;
}

function fileIn(path: string): string {
  return fdOf(path) === undefined ? asArgument(path) : 'FILE';
}

function binaryError(
  kind: BinaryKind,
  path: string,
  around: Wrapping | undefined,
  offer: string | undefined,
): UsageError {
  if (!kind.argv) return refusal(path, around ? insideOf(kind.what, around) : kind.what, kind.next);
  if (around) {
    const commands = `${around.command} > FILE.bin && ${commandLine(kind.argv('FILE.bin'))}`;
    return refusal(path, insideOf(kind.what, around), `make text of it: ${commands} > FILE.txt`);
  }
  const plain = fileIn(path);
  const command = `${commandLine(kind.argv(plain))} > ${commandLine([`${plain}.txt`])}`;
  return refusal(path, kind.what, `make text of it: ${command}${offered(offer)}`);
}

const insideOf = (what: string, around: Wrapping): string => `${what}, inside ${around.what}`;
const offered = (offer: string | undefined): string => (offer ? `, or ${offer}` : '');

async function* text(bytes: Pull, state: State): AsyncIterable<string[]> {
  const { encoding, mark } = encodingOf(await bytes.peek(HEAD_BYTES));
  await bytes.take(mark);
  if (encoding === 'utf32') return;
  yield* linesOf(bytes.rest(), decoderOf(encoding), state.splitter);
}
