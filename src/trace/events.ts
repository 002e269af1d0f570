// What a trace holds of the subject, in columns: 29 bytes an event, whatever the text was.

/** What a row is. */
export const ROW = {
  /** a: target CPU; b: callback; c: callsite. */
  sendCpu: 0,
  /** a: mask number; b: callback; c: callsite. */
  sendMask: 1,
  /** An IPI handler begins. a: vector; of arm's ipi_entry -1 for either call function. */
  entry: 2,
  /** a: function queued, b: target CPU or -1. */
  queue: 3,
  /** Events of this CPU are missing just before. a: how many, -1 unknown. */
  lost: 4,
  /** A task was woken. a: its target CPU. */
  wake: 5,
  /** A record of a queued call, printed as a send by Linux 6.4: no IPI of its own. As sendCpu. */
  queuedCpu: 6,
  /** As sendMask. */
  queuedMask: 7,
} as const;

const CHUNK = 1 << 18;

class Column<T extends Float64Array | Int32Array | Uint8Array> {
  readonly #chunks: T[] = [];
  readonly #make: (length: number) => T;

  constructor(make: (length: number) => T) {
    this.#make = make;
  }

  get(row: number): number {
    return this.#chunks[Math.floor(row / CHUNK)]![row % CHUNK]!;
  }

  set(row: number, value: number): void {
    const chunk = Math.floor(row / CHUNK);
    if (chunk === this.#chunks.length) this.#chunks.push(this.#make(CHUNK));
    this.#chunks[chunk]![row % CHUNK] = value;
  }
}

/** Texts by number, each kept once. */
export class Names {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  of(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  text(number: number): string {
    return this.#texts[number] ?? '';
  }
}

/** Masks that repeat are kept once, as long as there are not too many different ones. */
const MASKS_KEPT = 100_000;

export class TraceEvents {
  length = 0;
  readonly names = new Names();
  readonly #time = new Column((n) => new Float64Array(n));
  readonly #cpu = new Column((n) => new Int32Array(n));
  readonly #what = new Column((n) => new Uint8Array(n));
  readonly #a = new Column((n) => new Int32Array(n));
  readonly #b = new Column((n) => new Int32Array(n));
  readonly #c = new Column((n) => new Int32Array(n));
  readonly #masks: Uint16Array[] = [];
  readonly #maskNumbers = new Map<string, number>();

  /** @param time ns or ticks from the first event's second; NaN without a time */
  add(what: number, cpu: number, time: number, a: number, b = 0, c = 0): void {
    const row = this.length++;
    this.#what.set(row, what);
    this.#cpu.set(row, cpu);
    this.#time.set(row, time);
    this.#a.set(row, a);
    this.#b.set(row, b);
    this.#c.set(row, c);
  }

  /** Number of the mask with these CPUs. */
  mask(cpus: readonly number[]): number {
    const key = cpus.length <= 64 ? cpus.join() : '';
    const known = key === '' ? undefined : this.#maskNumbers.get(key);
    if (known !== undefined) return known;
    const number = this.#masks.push(Uint16Array.from(cpus)) - 1;
    if (key !== '' && this.#maskNumbers.size < MASKS_KEPT) this.#maskNumbers.set(key, number);
    return number;
  }

  what(row: number): number {
    return this.#what.get(row);
  }

  cpu(row: number): number {
    return this.#cpu.get(row);
  }

  time(row: number): number {
    return this.#time.get(row);
  }

  a(row: number): number {
    return this.#a.get(row);
  }

  b(row: number): number {
    return this.#b.get(row);
  }

  c(row: number): number {
    return this.#c.get(row);
  }

  /** Changes what a row is. */
  retype(row: number, what: number): void {
    this.#what.set(row, what);
  }

  /** Target CPUs of a send or of a queued call. */
  targets(row: number): readonly number[] {
    const what = this.what(row);
    if (what === ROW.sendCpu || what === ROW.queuedCpu) return [this.a(row)];
    return Array.from(this.#masks[this.a(row)]!);
  }

  /** How many CPUs targets() has. */
  targetCount(row: number): number {
    const what = this.what(row);
    return what === ROW.sendCpu || what === ROW.queuedCpu ? 1 : this.#masks[this.a(row)]!.length;
  }
}

/** Whether a row is an IPI that was sent. */
export function isSend(what: number): boolean {
  return what === ROW.sendCpu || what === ROW.sendMask;
}
