// What the replay commands read: a trace, in one pass.
import { checkOneOf } from '../core/check.js';
import { convert, convertible } from '../input/convert.js';
import { type LineSource, openLines } from '../input/lines.js';
import { shownName } from '../input/path.js';
import { FORMATS } from '../trace/dialect.js';
import { TraceReader } from '../trace/reader.js';
import type { Trace } from '../trace/trace.js';
import type { Parsed } from './options.js';
import { breathe, type Interrupt, type Terminal, watchInterrupt } from './terminal.js';

export interface TraceInput {
  /** Instead of the detected one. */
  format: string | undefined;
  /** Binary and packed files go through the tool that makes text of them. */
  convert: boolean;
}

export function traceInput(args: Parsed | undefined): TraceInput {
  return { format: args?.text('format'), convert: args?.flag('convert') ?? false };
}

function open(path: string, through: boolean): LineSource {
  const kind = through ? convertible(path) : undefined;
  return kind
    ? convert(path, kind)
    : openLines(path, {
        command: 'replay',
        ...(through ? { unpack: true } : { offer: 'add --convert' }),
      });
}

export interface ReadTrace {
  trace: Trace;
  /** False: a signal ended it, this is its beginning. */
  whole: boolean;
}

/**
 * Reads a trace, with progress; none when a signal came before anything could be said of it.
 * @param path a file, or - for standard input
 * @throws UsageError when it is no trace, or has nothing to replay
 */
export async function readTrace(
  path: string,
  { format, convert: through }: TraceInput,
  terminal: Terminal,
  interrupt: Interrupt,
): Promise<ReadTrace | undefined> {
  const forced = format === undefined ? undefined : checkOneOf('--format', format, FORMATS);
  const reader = new TraceReader({ name: shownName(path), format: forced });
  const source = open(path, through);
  let told = 0;
  for await (const lines of untilSignal(source.lines, interrupt)) {
    for (; told < source.notes.length; told++) terminal.note(source.notes[told]!);
    for (const line of lines) reader.add(line);
    showProgress(source, terminal);
  }
  if (!interrupt.hit) return { trace: reader.end(), whole: true };
  const trace = reader.soFar();
  return trace && { trace, whole: false };
}

function showProgress({ bytesTotal, bytesRead }: LineSource, terminal: Terminal): void {
  if (bytesTotal > 0) terminal.progress(bytesRead() / bytesTotal, 'reading');
  else terminal.progress(0, `reading  ${(bytesRead() / 2 ** 20).toFixed(0)} MiB`);
}

/** A pipe may send nothing for ever: a signal ends the waiting, too. */
async function* untilSignal<T>(batches: AsyncIterable<T>, { signal }: Interrupt): AsyncIterable<T> {
  const iterator = batches[Symbol.asyncIterator]();
  for (;;) {
    const step = await orAborted(iterator.next(), signal);
    if (!step || step.done || signal.aborted) return;
    yield step.value;
  }
}

/** None when the signal comes first. A listener each time: a promise that never settles would keep all of them. */
function orAborted<T>(next: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const stop = () => resolve(undefined);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    next.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** What is printed when a signal came before anything was read. */
export async function nothingRead(args: Parsed, terminal: Terminal): Promise<number> {
  if (args.flag('json')) await terminal.json({});
  else terminal.note('interrupted before anything was read');
  return watchInterrupt().code;
}

/** Runs long work in slices, with progress; false when it was stopped. */
export async function slices(
  work: Iterable<number>,
  label: string,
  terminal: Terminal,
  stopped: () => boolean,
): Promise<boolean> {
  for (const share of work) {
    terminal.progress(share, label);
    await breathe();
    if (stopped()) return false;
  }
  return true;
}
