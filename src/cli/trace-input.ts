// What the replay commands read: a trace, in one pass.
import { statSync } from 'node:fs';
import { usage } from '../core/errors.js';
import { FORMATS, type TraceFormat } from '../trace/dialect.js';
import { openTrace } from '../trace/read.js';
import { TraceReader } from '../trace/reader.js';
import type { Trace } from '../trace/trace.js';
import { oneOf } from './machine-options.js';
import { breathe, type Terminal } from './terminal.js';

const NAMES = Object.fromEntries(FORMATS.map((name) => [name, 0])) as Record<TraceFormat, 0>;

/**
 * Reads a trace, with progress.
 * @param path a file, or - for standard input
 * @param format instead of the detected one
 * @throws UsageError when it is no trace, or has nothing to replay
 */
export async function readTrace(
  path: string,
  format: string | undefined,
  terminal: Terminal,
  stopped: () => boolean,
): Promise<{ trace: Trace; whole: boolean }> {
  const forced = format === undefined ? undefined : oneOf('--format', format, NAMES);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile())
    throw usage('trace', path, 'a readable file');
  const reader = new TraceReader({ name: path, format: forced });
  const source = openTrace(path);
  for await (const lines of source.lines) {
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
