// Files that a command writes: checked before the work begins, written piece by piece, removed when
// they could not be completed.
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { usage } from '../core/errors.js';
import { failureText } from './failure.js';
import { breathe, type Terminal, watchInterrupt } from './terminal.js';

/** A file that is read or written, and what names it: an option, SCENARIO. */
export interface NamedFile {
  what: string;
  path: string;
}

/** The system does not take an output: exit code 3. */
export class OutputError extends Error {
  override name = 'OutputError';
}

const NEXT: Readonly<Record<string, string>> = {
  ENOSPC: 'free space or name another file',
  EDQUOT: 'free space or name another file',
  EISDIR: 'name a file in it',
  ENOENT: 'make the directory first',
};

function refused({ what, path }: NamedFile, error: unknown, more = ''): OutputError {
  const { code = '' } = error as NodeJS.ErrnoException;
  return new OutputError(
    failureText(what, path, error, `${NEXT[code] ?? 'name another file'}${more}`),
  );
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** Files, pipes and sockets hold what was written to them; several may write to a device such as /dev/null. */
function nodeOf(stat: Stats): string | undefined {
  const holds = stat.isFile() || stat.isFIFO() || stat.isSocket();
  return holds ? `${stat.dev}:${stat.ino}` : undefined;
}

/** Equal for two names of one file or pipe; none for what several may write to. */
function identity(path: string): string | undefined {
  const stat = statOf(path);
  if (stat) return nodeOf(stat);
  const end = endOf(path);
  try {
    return join(realpathSync(dirname(resolve(end))), basename(end));
  } catch {
    return resolve(end);
  }
}

const LINKS_MAX = 40;

/** Where links lead to, there or not: what is removed is the file, never a link to it. */
function endOf(path: string): string {
  let end = path;
  for (let links = 0; links < LINKS_MAX; links++) {
    try {
      end = resolve(dirname(end), readlinkSync(end));
    } catch {
      return end;
    }
  }
  return end;
}

function standardOutput(): string | undefined {
  try {
    return nodeOf(fstatSync(1));
  } catch {
    return undefined;
  }
}

/** Opens without emptying; a new file is made, and gone again. */
function tryOut(path: string): void {
  const stat = statOf(path);
  if (stat?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
  if (stat && !stat.isFile()) return accessSync(path, constants.W_OK);
  closeSync(openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o666));
  if (!stat) unlinkSync(endOf(path));
}

/** @throws UsageError when two options name one file; OutputError when one cannot be written */
export function checkOutputs(outputs: readonly NamedFile[], inputs: readonly NamedFile[]): void {
  const taken = new Map<string, string>();
  const standard = standardOutput();
  if (standard) taken.set(standard, 'standard output goes there');
  for (const { what, path } of inputs) {
    const file = statOf(path)?.isFile() ? identity(path) : undefined;
    if (file) taken.set(file, `${what} is read from it`);
  }
  for (const { what, path } of outputs) {
    const file = identity(path);
    const before = file && taken.get(file);
    if (before) throw usage(what, path, 'a file of its own', before);
    if (file) taken.set(file, `${what} goes there`);
  }
  for (const output of outputs) {
    try {
      tryOut(output.path);
    } catch (error) {
      throw refused(output, error);
    }
  }
}

const PIECE = 1 << 16;
const LOOK_MS = 25;
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Small pieces as larger ones, so that each write is worth its call. */
function* joined(pieces: Iterable<string | Uint8Array>): Generator<Uint8Array | undefined> {
  let text = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') text += piece;
    else yield piece;
    yield text.length < PIECE ? undefined : Buffer.from(text);
    if (text.length >= PIECE) text = '';
  }
  yield Buffer.from(text);
}

class Writing {
  readonly #output: NamedFile;
  readonly #terminal: Terminal;
  readonly #share: () => number;
  /** Signals before the writing let it finish: it is part of what was done so far. */
  readonly #asked = watchInterrupt().hit;
  /** After a signal nobody is waited for who would read a pipe. */
  #unread = false;
  #looked = performance.now();
  file = -1;

  constructor(output: NamedFile, terminal: Terminal, share: () => number) {
    this.#output = output;
    this.#terminal = terminal;
    this.#share = share;
  }

  get stopped(): boolean {
    return this.#unread || (watchInterrupt().hit && !this.#asked);
  }

  async look(): Promise<void> {
    if (performance.now() - this.#looked < LOOK_MS) return;
    const { what, path } = this.#output;
    this.#terminal.progress(this.#share(), `writing ${what} ${path}`);
    await breathe();
    this.#looked = performance.now();
  }

  /** A pipe is opened when somebody reads it: without waiting, so that signals are seen. */
  async open(): Promise<void> {
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NONBLOCK = 0 } = constants;
    while (!this.stopped) {
      try {
        this.file = openSync(this.#output.path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, 0o666);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
        this.#unread = watchInterrupt().hit;
        await wait(LOOK_MS);
      }
    }
  }

  async put(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.stopped; ) {
      try {
        at += writeSync(this.file, bytes, at);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        await wait(2);
      }
    }
  }

  close(): void {
    const { file } = this;
    this.file = -1;
    if (file >= 0) closeSync(file);
  }
}

/** What became of a file that is not complete: removed, emptied where it cannot be, or nothing of that. */
function removeFile(path: string): 'removed' | 'emptied' | undefined {
  if (!statOf(path)?.isFile()) return undefined;
  try {
    unlinkSync(endOf(path));
    return 'removed';
  } catch {
    // In a directory that may not be written.
  }
  try {
    truncateSync(path);
    return 'emptied';
  } catch {
    return undefined;
  }
}

/**
 * Writes a file in bounded memory. After an error or a signal it is removed: a part of it would pass
 * for the whole. @param share how much is done, 0-1. @returns false after such a signal. @throws OutputError
 */
export async function writeOutput(
  output: NamedFile,
  pieces: Iterable<string | Uint8Array>,
  terminal: Terminal,
  share: () => number = () => 0,
): Promise<boolean> {
  const writing = new Writing(output, terminal, share);
  // A second signal ends the process at once.
  const onExit = () => removeFile(output.path);
  process.once('exit', onExit);
  try {
    await writing.open();
    for (const piece of joined(pieces)) {
      if (writing.stopped) break;
      if (piece) await writing.put(piece);
      await writing.look();
    }
    writing.close();
  } catch (error) {
    const removed = removeFile(output.path);
    throw refused(output, error, removed ? `; what was written of it is ${removed}` : '');
  } finally {
    process.off('exit', onExit);
    terminal.clearProgress();
    writing.close();
  }
  if (!writing.stopped) return true;
  const removed = removeFile(output.path);
  const end = removed ? `it was not complete and is ${removed}` : 'not complete';
  terminal.note(`interrupted: ${output.what} ${output.path}: ${end}`);
  return false;
}
