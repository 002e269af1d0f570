// Reads a trace line by line in one pass: decides the dialect, then fills a Trace.
import { UsageError } from '../core/errors.js';
import { TraceClock } from './clock.js';
import { CPUS_MAX } from './cpumask.js';
import { type Dialect, detect, isComment, SCANS, type Scan, type TraceFormat } from './dialect.js';
import { markDoubles } from './doubles.js';
import { ROW } from './events.js';
import {
  isHandlerEntry,
  NOT_RECORDED,
  parseHandlerEntry,
  parseKvmIpi,
  parseQueue,
  parseSend,
  parseWake,
  printable,
  SEND_EVENTS,
} from './fields.js';
import { type JsonEvent, readJsonLine } from './json-lines.js';
import { TraceLine } from './line.js';
import { parseEntries, parseHeaderCpus, parseLost, parsePerfLost } from './losses.js';
import { sortByTime } from './order.js';
import { notATrace, refuse, withoutCpuColumn } from './refuse.js';
import { Trace } from './trace.js';

/** Lines looked at to tell the dialect: a console log may come before the trace. */
const LOOK = 20_000;
const LINE_MAX = 1 << 20;
const DAMAGED_MAX = 20;
/** Events that belong to the subject: they are read or understood, not skipped. */
const KNOWN =
  /^(?:ipi_\w+|csd_\w+|\w+_(?:entry|exit)|sched_wak\w+|irq_work\w*|kvm_(?:apic_ipi|apic_accept_irq|eoi|pv_eoi)|hyperv_send_ipi\w*)$/;
/** wprof names the kind of an IPI; the kernel's callback for single and multi is this one. */
const GENERIC_CALLBACK = 'generic_smp_call_function_single_interrupt';
/** Two lines became one. */
const SECOND = /[ :]ipi_send_cpu(?:mask)?: /;
/** The time that printk() puts before a line: ftrace_dump() writes a trace into the log. */
const CONSOLE = /^(?:<\d{1,3}>)?\[ {0,8}\d{1,8}\.\d{6}\] /;
const FALLBACKS = ['bracket', 'verbose', 'latency', 'graph'] as const;

export interface ReadOptions {
  /** Name of the file, for messages. */
  name: string;
  /** Instead of the detected format. */
  format?: TraceFormat | undefined;
}

/** Feed it every line, then call end(). */
export class TraceReader {
  readonly #options: ReadOptions;
  readonly #line = new TraceLine();
  #waiting: string[] | undefined = [];
  #trace: Trace | undefined;
  #scans: readonly Scan[] = [];
  readonly #clock = new TraceClock();
  /** The last line of each CPU. */
  readonly #lines = new Map<number, { time: number; name: string; text: string; head: string }>();
  /** The line above is a frame of a call chain: what is indented below it belongs to it (srcline). */
  #chain = false;

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  /** @throws UsageError when the first lines are of no trace */
  add(line: string): void {
    const text = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (!this.#waiting) return this.#read(text);
    this.#waiting.push(text);
    if (this.#waiting.length >= LOOK) this.#decide();
  }

  /** The trace. @throws UsageError when it holds nothing to replay */
  end(): Trace {
    const trace = this.#finish();
    if (trace.sends === 0) throw refuse(this.#options.name, trace);
    return trace;
  }

  /** What was read when reading was interrupted; none when that doesn't say what it is. */
  soFar(): Trace | undefined {
    try {
      return this.#finish();
    } catch (error) {
      if (error instanceof UsageError) return undefined;
      throw error;
    }
  }

  #finish(): Trace {
    if (this.#waiting) this.#decide();
    const trace = this.#trace!;
    this.#clock.finish(trace);
    sortByTime(trace);
    markDoubles(trace);
    this.#tally(trace);
    return trace;
  }

  #decide(): void {
    const lines = this.#waiting!;
    this.#waiting = undefined;
    this.#trace = new Trace(this.#dialect(lines));
    const { anchor, unit } = this.#trace.dialect;
    this.#line.only = unit;
    if (anchor !== 'json') {
      const others =
        anchor === 'columns' || anchor === 'timeless'
          ? []
          : FALLBACKS.filter((name) => name !== anchor);
      this.#scans = [SCANS[anchor], ...others.map((name) => SCANS[name])];
    }
    for (const line of lines) this.#read(line);
  }

  #dialect(lines: readonly string[]): Dialect {
    const { format, name } = this.#options;
    if (format === 'wprof' || (format === undefined && isJsonLines(lines)))
      return { format: 'wprof', anchor: 'json' };
    const found = detect(lines);
    if (found && 'noCpu' in found) throw withoutCpuColumn(name, found.noCpu);
    if (format !== undefined) return forced(format, found);
    if (!found) throw notATrace(name, lines);
    return found;
  }

  #read(line: string): void {
    const trace = this.#trace!;
    trace.lines++;
    if (line.length > LINE_MAX) return this.#damage('longer than 1 MiB');
    if (trace.dialect.anchor === 'json') return this.#json(line);
    if (this.#scans.some((scan) => scan(line, this.#line))) return this.#anchored(line);
    if (isComment(line)) return this.#header(line);
    this.#unanchored(line, line.trimStart());
  }

  #header(line: string): void {
    const trace = this.#trace!;
    this.#chain = false;
    trace.headerCpus = Math.max(trace.headerCpus, parseHeaderCpus(line) ?? 0);
    const entries = parseEntries(line);
    if (entries) {
      trace.announced += entries.kept;
      trace.losses.overwritten += Math.max(0, entries.written - entries.kept);
    }
    const source = /^ {0,60}([\w.-]{1,60}): {0,60}cpus=/.exec(line)?.[1];
    if (source !== undefined) trace.sources.add(source);
    if (line.startsWith('# tracer:')) trace.sources.add(`the trace of line ${trace.lines}`);
    const begins = /^#{5} CPU (\d{1,5}) buffer started ####/.exec(line);
    if (begins) trace.losses.begins(Number(begins[1]), trace.rows.length);
  }

  #unanchored(line: string, text: string): void {
    const trace = this.#trace!;
    const lost = parseLost(line);
    if (lost) return this.#lost(lost.cpu, lost.count);
    if (trace.dialect.anchor === 'columns' && this.#note(text)) return;
    const perf = trace.dialect.format === 'perf' ? parsePerfLost(line) : undefined;
    if (perf !== undefined) return this.#perfLost(perf, undefined);
    if (/(?:^|[\s:])ipi_send_cpu(?:mask)?: /.test(text.slice(0, 400))) {
      trace.withoutCpu++;
      return this.#damage('a send without its CPU');
    }
    if (text.startsWith('=>')) trace.traits.add('with stacks');
    else if (CONSOLE.test(text.slice(0, 40))) trace.traits.add('in a console log');
    else if (isFrame(line, text) || (this.#chain && line !== text)) {
      trace.traits.add('with call chains');
      this.#chain = true;
    } else if (!isMark(text))
      this.#damage(`not a line of ${trace.dialect.format}: ${printable(text.slice(0, 60))}`);
  }

  /** What bpftrace and bcc say beside their lines. */
  #note(text: string): boolean {
    const lost = /^(?:Lost (\d{1,15}) events|Possibly lost (\d{1,15}) samples)/.exec(
      text.slice(0, 60),
    );
    const { losses, rows } = this.#trace!;
    if (lost) losses.lostSomewhere(Number(lost[1] ?? lost[2]), rows.length);
    return lost !== null || /^(?:Attaching \d+ probe|TIME\b|Tracing\b)/.test(text.slice(0, 40));
  }

  /** @param cpu of the line, as far as it has one */
  #perfLost(
    { count, samples }: { count: number; samples: boolean },
    cpu: number | undefined,
  ): void {
    if (count < 0) return;
    if (!samples && cpu !== undefined) this.#lost(cpu, count);
    else this.#trace!.losses.lostSomewhere(count, Number.POSITIVE_INFINITY);
  }

  #lost(cpu: number, count: number | undefined): void {
    if (cpu >= CPUS_MAX) return this.#damage(`a CPU number of ${CPUS_MAX} or more`);
    const trace = this.#trace!;
    trace.losses.lost(cpu, count, trace.rows.length);
    trace.highestCpu = Math.max(trace.highestCpu, cpu);
  }

  #anchored(line: string): void {
    const trace = this.#trace!;
    this.#chain = false;
    const { cpu, name, head } = this.#line;
    if (trace.dialect.format === 'perf' && head.startsWith('VM:')) {
      trace.guestEvents++;
      return;
    }
    const record = name === '' || name.startsWith('PERF_RECORD_');
    const lost = record ? parsePerfLost(`${name} ${this.#line.text}`) : undefined;
    if (lost) return this.#perfLost(lost, cpu);
    trace.anchored++;
    trace.highestCpu = Math.max(trace.highestCpu, cpu);
    if (record) {
      if (line.includes('<stack trace')) trace.traits.add('with stacks');
      return;
    }
    if (this.#line.diff) trace.traits.add('--ts-diff');
    if (trace.dialect.anchor === 'latency')
      trace.traits.add(trace.dialect.format === 'trace-cmd' ? '-l' : 'in the latency format');
    this.#event(this.#line, this.#clock.read(this.#line, trace));
  }

  #event({ name, cpu, text }: { name: string; cpu: number; text: string }, time: number): void {
    const trace = this.#trace!;
    if (trace.dialect.format === 'trace-cmd' && this.#copy(cpu, name, text, time)) {
      trace.copies++;
      if (SEND_EVENTS.has(name)) trace.copiedSends++;
      return;
    }
    trace.events.add(printable(name));
    if (SEND_EVENTS.has(name)) this.#send(name, cpu, text, time);
    else if (isHandlerEntry(name)) this.#entry(name, cpu, text, time);
    else if (name === 'csd_queue_cpu') {
      const queued = parseQueue(text);
      if (queued) {
        trace.functions.add(queued.func);
        trace.rows.add(ROW.queue, cpu, time, trace.rows.names.of(queued.func), queued.cpu);
      } else this.#damage(`${name}: fields not understood`);
    } else if (name.startsWith('sched_wak')) {
      trace.rows.add(ROW.wake, cpu, time, parseWake(text), name === 'sched_waking' ? 1 : 0);
    } else if (name === 'kvm_apic_ipi') this.#kvm(text);
    else if (!KNOWN.test(name)) trace.unknownEvents++;
    trace.losses.saw(cpu, trace.rows.length);
  }

  /**
   * trace-cmd report of several buffers: an event that two of them recorded comes twice, once behind the
   * other buffer's name.
   */
  #copy(cpu: number, name: string, text: string, time: number): boolean {
    const { head } = this.#line;
    const last = this.#lines.get(cpu);
    const copy =
      last !== undefined &&
      last.time === time &&
      last.name === name &&
      last.text === text &&
      last.head !== head &&
      (head.endsWith(` ${last.head}`) || last.head.endsWith(` ${head}`));
    if (!copy) this.#lines.set(cpu, { time, name, text, head });
    return copy;
  }

  #send(name: string, cpu: number, text: string, time: number): void {
    const trace = this.#trace!;
    const second = text.search(SECOND);
    if (second >= 0) this.#damage(`${name}: another send in the same line`);
    const own = second < 0 ? text : text.slice(0, second);
    const send = parseSend(name, own, trace.dialect.anchor !== 'columns');
    if (!send && second >= 0) return;
    if (!send) return this.#damage(`${name}: fields not understood`);
    for (const target of send.cpus) trace.highestCpu = Math.max(trace.highestCpu, target);
    const { rows } = trace;
    const what = send.kind === 'cpu' ? ROW.sendCpu : ROW.sendMask;
    const targets = send.kind === 'cpu' ? send.cpus[0]! : rows.mask(send.cpus);
    rows.add(what, cpu, time, targets, rows.names.of(send.callback), rows.names.of(send.callsite));
    const raw = text.includes('ARRAY[') || /callsite=0x[0-9a-f]{8}/.test(text);
    if (raw && trace.dialect.format === 'trace-cmd') trace.traits.add('-R');
  }

  #entry(name: string, cpu: number, text: string, time: number): void {
    const trace = this.#trace!;
    const vector = parseHandlerEntry(name, text);
    if (vector === undefined) {
      if (name !== 'ipi_entry') this.#damage(`${name}: no vector`);
      return;
    }
    trace.vectorsHandled.add(vector);
    trace.rows.add(ROW.entry, cpu, time, vector);
  }

  #kvm(text: string): void {
    const ipi = parseKvmIpi(text);
    if (!ipi) return;
    const key = `${ipi.vector} ${ipi.delivery}`;
    const known = this.#trace!.kvmIpis.get(key);
    if (known) known.count++;
    else this.#trace!.kvmIpis.set(key, { ...ipi, count: 1 });
  }

  #json(line: string): void {
    if (line.trim() === '') return;
    const read = readJsonLine(line);
    if (typeof read === 'string') return this.#damage(read);
    if (read && read.t !== 'header') this.#jsonEvent(read);
  }

  #jsonEvent(event: Exclude<JsonEvent, { t: 'header' }>): void {
    const trace = this.#trace!;
    const { rows } = trace;
    const names = { send: 'ipi_send', entry: 'ipi', other: '' };
    trace.events.add(event.t === 'other' ? printable(event.name) : names[event.t]);
    trace.highestCpu = Math.max(trace.highestCpu, event.cpu);
    if (event.t === 'other') trace.unknownEvents++;
    // A handler that began before the recording: that its IPI arrived is all that is known.
    if (event.at === undefined) return;
    const [whole, fraction] = event.at.split('.') as [string, string];
    const line = Object.assign(this.#line, { whole, fraction, unit: 'ns' as const });
    const time = this.#clock.read(line, trace);
    if (event.t === 'entry') {
      trace.vectorsHandled.add(event.vector);
      rows.add(ROW.entry, event.cpu, time, event.vector);
    } else if (event.t === 'send') this.#jsonSend(event, time);
    trace.losses.saw(event.cpu, rows.length);
  }

  #jsonSend(event: Extract<JsonEvent, { t: 'send' }>, time: number): void {
    const trace = this.#trace!;
    const { rows } = trace;
    if (event.target === undefined) {
      trace.untargeted++;
      return;
    }
    trace.highestCpu = Math.max(trace.highestCpu, event.target);
    const callback = event.kind === 'reschedule' ? '' : GENERIC_CALLBACK;
    rows.add(
      ROW.sendCpu,
      event.cpu,
      time,
      event.target,
      rows.names.of(callback),
      rows.names.of(NOT_RECORDED),
    );
  }

  #damage(reason: string): void {
    const trace = this.#trace!;
    trace.damagedCount++;
    if (trace.damaged.length < DAMAGED_MAX) trace.damaged.push({ line: trace.lines, reason });
  }

  #tally(trace: Trace): void {
    const { rows } = trace;
    for (let row = 0; row < rows.length; row++) {
      if (rows.what(row) !== ROW.sendCpu && rows.what(row) !== ROW.sendMask) continue;
      trace.callbacks.add(rows.names.text(rows.b(row)) || '(reschedule)');
      trace.callsites.add(rows.names.text(rows.c(row)));
    }
  }
}

/** wprof's header, or one of its events. */
function isJsonLines(lines: readonly string[]): boolean {
  const first = lines.find((line) => line.trim() !== '') ?? '';
  return /^\{"[\s\S]{0,2000}"(?:capture_ipis|t)": ?/.test(first.trimStart().slice(0, 2100));
}

function forced(format: TraceFormat, found: Dialect | undefined): Dialect {
  if (found && found.format === format) return found;
  const anchor = found?.anchor ?? 'bracket';
  if (format === 'bpftrace') return { format, anchor: 'columns' };
  return { format, anchor: format === 'perf' || anchor === 'columns' ? 'bracket' : anchor };
}

/** A frame of a call chain: "\tffffffff81100000 do_idle+0x10 ([kernel.kallsyms])". */
function isFrame(line: string, text: string): boolean {
  if (line.charCodeAt(0) !== 9 && line.charCodeAt(0) !== 32) return false;
  return /^[0-9a-f]{4,16}(?: |$)/.test(text) || (line.charCodeAt(0) === 9 && text !== '');
}

/** A task switch of function_graph, its lines without a CPU, a frame in user space. */
function isMark(text: string): boolean {
  return text.startsWith('|') || text.startsWith('----') || text.startsWith('<0');
}
