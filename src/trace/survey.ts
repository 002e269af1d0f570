// First pass over a trace: what it holds, and how large the machine was.
import {
  HANDLER_ENTRY_EVENTS,
  parseCsd,
  parseHandlerEntry,
  parseHeaderCpus,
  parseSend,
  SEND_EVENTS,
  type TraceFormat,
  TraceParser,
} from './parse.js';

/** Events that belong to the subject: they are read or understood, not skipped. */
const KNOWN = /^(ipi_send_cpu|ipi_send_cpumask|csd_\w+|\w+_(entry|exit))$/;
const NAMES_MAX = 10_000;

export interface DamagedLine {
  line: number;
  reason: string;
}

/** A bounded tally of names. */
export class Tally {
  readonly counts = new Map<string, number>();

  add(name: string, by = 1): void {
    const key = this.counts.has(name) || this.counts.size < NAMES_MAX ? name : '(other)';
    this.counts.set(key, (this.counts.get(key) ?? 0) + by);
  }

  top(most: number): { name: string; count: number }[] {
    return [...this.counts]
      .map(([name, count]) => ({ name, count }))
      .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
      .slice(0, most);
  }
}

export class Survey {
  readonly format: TraceFormat;
  readonly events = new Tally();
  readonly callbacks = new Tally();
  readonly callsites = new Tally();
  readonly functions = new Tally();
  readonly vectorsHandled = new Set<number>();
  readonly damaged: DamagedLine[] = [];
  damagedCount = 0;
  unknownEvents = 0;
  headerCpus = 0;
  highestCpu = -1;
  firstNs = Number.POSITIVE_INFINITY;
  lastNs = Number.NEGATIVE_INFINITY;
  /** When the first IPI handler was entered. */
  firstEntryNs = Number.POSITIVE_INFINITY;
  readonly #parser: TraceParser;
  #line = 0;

  constructor(format: TraceFormat) {
    this.format = format;
    this.#parser = new TraceParser(format);
  }

  get lostEvents(): number {
    return this.#parser.lostEvents;
  }

  /** CPUs of the machine: the header's count, or more when events name higher ones. */
  get cpus(): number {
    return Math.max(1, this.headerCpus, this.highestCpu + 1);
  }

  /** From the first event to the last; 0 without events. */
  get spanSeconds(): number {
    return this.lastNs >= this.firstNs ? Math.round(this.lastNs - this.firstNs) / 1e9 : 0;
  }

  add(line: string): void {
    this.#line++;
    const kind = this.#parser.parse(line);
    if (kind === 'comment') this.headerCpus = Math.max(this.headerCpus, parseHeaderCpus(line) ?? 0);
    else if (kind === 'damaged') this.#damage(this.#parser.reason);
    else if (kind === 'event') this.#event();
  }

  #damage(reason: string): void {
    this.damagedCount++;
    if (this.damaged.length < 20) this.damaged.push({ line: this.#line, reason });
  }

  #event(): void {
    const { event } = this.#parser;
    this.events.add(event.name);
    this.firstNs = Math.min(this.firstNs, event.timeNs);
    this.lastNs = Math.max(this.lastNs, event.timeNs);
    this.highestCpu = Math.max(this.highestCpu, event.cpu);
    if (SEND_EVENTS.has(event.name)) this.#send();
    else if (HANDLER_ENTRY_EVENTS.has(event.name)) this.#entry();
    else if (event.name === 'csd_queue_cpu') this.functions.add(parseCsd(event)?.func ?? '?');
    else if (!KNOWN.test(event.name)) this.unknownEvents++;
  }

  #send(): void {
    const send = parseSend(this.#parser.event, this.format);
    if (!send) return this.#damage(`${this.#parser.event.name}: fields not understood`);
    for (const cpu of send.cpus) this.highestCpu = Math.max(this.highestCpu, cpu);
    this.callbacks.add(send.callback || '(reschedule)');
    this.callsites.add(send.callsite);
  }

  #entry(): void {
    const vector = parseHandlerEntry(this.#parser.event);
    if (vector === undefined) this.#damage(`${this.#parser.event.name}: no vector`);
    else {
      this.vectorsHandled.add(vector);
      this.firstEntryNs = Math.min(this.firstEntryNs, this.#parser.event.timeNs);
    }
  }
}
