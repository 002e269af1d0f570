// --perfetto, --chrome, --ftrace: the log of a timed run as files for other tools.
import { closeSync, openSync, writeSync } from 'node:fs';
import { UsageError, usage } from '../core/errors.js';
import { chromeTrace } from '../report/formats/chrome.js';
import { FtraceText } from '../report/formats/ftrace.js';
import { Marks } from '../report/formats/marks.js';
import { perfettoTrace } from '../report/formats/perfetto.js';
import type { TimedEvent, TimedOptions } from '../timed/engine.js';
import type { Parsed } from './options.js';
import { parseTime } from './timed-input.js';

/** What memory should hold. */
const EVENTS_MAX = 8_000_000;

export interface TraceFiles {
  options: TimedOptions;
  write(cpus: number): void;
}

function windowOf(args: Parsed): TimedOptions {
  const text = args.text('window');
  if (text === undefined) return {};
  const [from = '', until = '', ...more] = text.split('-');
  if (more.length > 0) throw usage('--window', text, 'FROM-UNTIL such as 1ms-2ms');
  const eventsFromNs = /^0(ns|us|ms|s)?$/.test(from) ? 0 : parseTime('--window', from);
  const eventsUntilNs = parseTime('--window', until);
  if (eventsUntilNs <= eventsFromNs) throw usage('--window', text, 'the earlier time first');
  return { eventsFromNs, eventsUntilNs };
}

function writeAll(path: string, pieces: Iterable<string | Uint8Array>): void {
  const file = openSync(path, 'w');
  try {
    for (const piece of pieces) {
      if (typeof piece === 'string') writeSync(file, piece);
      else writeSync(file, piece);
    }
  } finally {
    closeSync(file);
  }
}

/** Joins small pieces, so that each write is worth its call. */
function* joined(pieces: Iterable<string>): Generator<string> {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < 1 << 16) continue;
    yield text;
    text = '';
  }
  yield text;
}

/** None when no such file is asked for. @throws UsageError */
export function traceFiles(args: Parsed): TraceFiles | undefined {
  const window = windowOf(args);
  const [perfetto, chrome, ftrace] = ['perfetto', 'chrome', 'ftrace'].map((name) =>
    args.text(name),
  );
  if (perfetto === undefined && chrome === undefined && ftrace === undefined) {
    if (args.text('window') === undefined) return undefined;
    throw usage(
      '--window',
      args.text('window'),
      'one of --perfetto, --chrome and --ftrace with it',
    );
  }
  const log: TimedEvent[][] = [];
  let events = 0;
  const onEvents = (chunk: TimedEvent[]) => {
    events += chunk.length;
    if (events > EVENTS_MAX) {
      throw new UsageError(
        `trace: got more than ${EVENTS_MAX} events, allowed what memory holds; narrow it with --window or --duration`,
      );
    }
    log.push(chunk);
  };
  const write = (cpus: number) => {
    if (perfetto !== undefined || chrome !== undefined) {
      const marks = new Marks();
      for (const chunk of log) marks.add(chunk);
      const sorted = marks.take();
      if (perfetto !== undefined) writeAll(perfetto, perfettoTrace(sorted, cpus));
      if (chrome !== undefined) writeAll(chrome, joined(chromeTrace(sorted, cpus)));
    }
    if (ftrace !== undefined) {
      const lines = new FtraceText(cpus);
      for (const chunk of log) lines.add(chunk);
      writeAll(ftrace, joined(lines.text()));
    }
  };
  return { options: { ...window, onEvents }, write };
}
