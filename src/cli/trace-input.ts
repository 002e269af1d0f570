// What the replay commands read: a trace, streamed, and which format it is in.
import { usage } from '../core/errors.js';
import { detectFormat, type TraceFormat } from '../trace/parse.js';
import { openTrace } from '../trace/read.js';
import { oneOf } from './machine-options.js';
import type { Terminal } from './terminal.js';

const FORMATS: Record<TraceFormat, 0> = { ftrace: 0, 'trace-cmd': 0, perf: 0 };

type Sink = { add(line: string): void };

/** Streams a file into `sink`, with progress; false when Ctrl-C ended it. */
export async function stream(
  path: string,
  sink: (first: readonly string[]) => Sink,
  terminal: Terminal,
  label: string,
  stopped: () => boolean,
): Promise<boolean> {
  const source = openTrace(path);
  let target: Sink | undefined;
  for await (const lines of source.lines) {
    target ??= sink(lines);
    for (const line of lines) target.add(line);
    if (source.bytesTotal > 0) terminal.progress(source.bytesRead() / source.bytesTotal, label);
    if (stopped()) return false;
  }
  if (!target) throw usage('trace', path, 'a file with at least one line');
  return true;
}

export function formatOf(
  path: string,
  forced: string | undefined,
  lines: readonly string[],
): TraceFormat {
  if (forced !== undefined) return oneOf('--format', forced, FORMATS);
  const found = detectFormat(lines.slice(0, 1000));
  if (!found) {
    throw usage(
      'trace',
      lines.find((l) => l.trim() !== '')?.slice(0, 60) ?? '',
      'text of /sys/kernel/tracing/trace, trace-cmd report or perf script',
      `is ${path} such a trace? --format names it`,
    );
  }
  return found;
}
