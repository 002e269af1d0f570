// --perfetto, --chrome, --ftrace: the log of a timed run as files for other tools.
import { UsageError, usage } from '../core/errors.js';
import { chromeTrace } from '../report/formats/chrome.js';
import { EventLog } from '../report/formats/event-log.js';
import { ftraceText } from '../report/formats/ftrace.js';
import { marksOf } from '../report/formats/marks.js';
import { perfettoTrace } from '../report/formats/perfetto.js';
import type { TimedEvent, TimedOptions } from '../timed/engine.js';
import type { Parsed } from './options.js';
import { type NamedFile, writeOutput } from './outputs.js';
import type { Terminal } from './terminal.js';
import { parseTime } from './timed-input.js';

/** What memory should hold: about 300 MB. */
const EVENTS_MAX = 8_000_000;

type Kind = 'perfetto' | 'chrome' | 'ftrace';
type Pieces = (log: EventLog, cpus: number) => Iterable<string | Uint8Array>;

const PIECES: Readonly<Record<Kind, Pieces>> = {
  perfetto: (log, cpus) => perfettoTrace(marksOf(log.byTime()), cpus),
  chrome: (log, cpus) => chromeTrace(marksOf(log.byTime()), cpus),
  ftrace: (log, cpus) => ftraceText(() => log.byTime(), cpus),
};
/** How often the log is read for one. */
const PASSES: Readonly<Record<Kind, number>> = { perfetto: 1, chrome: 1, ftrace: 2 };

export interface TraceFiles {
  options: TimedOptions;
  files: readonly NamedFile[];
  /** @throws OutputError */
  write(cpus: number, terminal: Terminal): Promise<void>;
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

/** None when no such file is asked for. @throws UsageError */
export function traceFiles(args: Parsed): TraceFiles | undefined {
  const window = windowOf(args);
  const named = (Object.keys(PIECES) as Kind[]).filter((kind) => args.text(kind) !== undefined);
  if (named.length === 0) {
    if (args.text('window') === undefined) return undefined;
    throw usage(
      '--window',
      args.text('window'),
      'one of --perfetto, --chrome and --ftrace with it',
    );
  }
  const log = new EventLog();
  const onEvents = (chunk: TimedEvent[]) => {
    if (log.count + chunk.length > EVENTS_MAX) {
      throw new UsageError(
        `trace: got more than ${EVENTS_MAX} events, allowed what memory holds; narrow it with --window or --duration`,
      );
    }
    log.add(chunk);
  };
  const files = named.map((what) => ({ what: `--${what}`, path: args.text(what)! }));
  const write = async (cpus: number, terminal: Terminal) => {
    let goOn = true;
    for (const [i, file] of files.entries()) {
      // A signal ends the writing, not only of one file.
      if (!goOn) {
        terminal.note(`interrupted: ${file.what} ${file.path}: not written`);
        continue;
      }
      const kind = named[i]!;
      const before = log.reads;
      const share = () => (log.reads - before) / (log.count * PASSES[kind] || 1);
      goOn = await writeOutput(file, PIECES[kind](log, cpus), terminal, share);
    }
  };
  return { options: { ...window, onEvents }, files, write };
}
