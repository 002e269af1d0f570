// What the replay commands read: a trace, in one pass.
import { convert, convertible } from '../input/convert.js';
import { type LineSource, openLines } from '../input/lines.js';
import { FORMATS, type TraceFormat } from '../trace/dialect.js';
import { TraceReader } from '../trace/reader.js';
import type { Trace } from '../trace/trace.js';
import { oneOf } from './machine-options.js';
import type { Parsed } from './options.js';
import { breathe, type Terminal } from './terminal.js';

const NAMES = Object.fromEntries(FORMATS.map((name) => [name, 0])) as Record<TraceFormat, 0>;

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
    : openLines(path, through ? { unpack: true } : { offer: 'add --convert' });
}

/**
 * Reads a trace, with progress.
 * @param path a file, or - for standard input
 * @throws UsageError when it is no trace, or has nothing to replay
 */
export async function readTrace(
  path: string,
  { format, convert: through }: TraceInput,
  terminal: Terminal,
  stopped: () => boolean,
): Promise<{ trace: Trace; whole: boolean }> {
  const forced = format === undefined ? undefined : oneOf('--format', format, NAMES);
  const reader = new TraceReader({ name: path, format: forced });
  const source = open(path, through);
  let told = 0;
  for await (const lines of source.lines) {
    for (; told < source.notes.length; told++) terminal.note(source.notes[told]!);
    for (const line of lines) reader.add(line);
    if (source.bytesTotal > 0) terminal.progress(source.bytesRead() / source.bytesTotal, 'reading');
    if (stopped()) return { trace: reader.end(false), whole: false };
  }
  return { trace: reader.end(), whole: true };
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
