// The log of a run, packed: 39 bytes an event instead of an object, and no sorting of it all.
import type { TimedEvent } from '../../timed/engine.js';

const BLOCK = 1 << 16;

class Block {
  readonly ps = new Float64Array(BLOCK);
  readonly c = new Float64Array(BLOCK);
  readonly cpu = new Uint32Array(BLOCK);
  readonly a = new Uint32Array(BLOCK);
  readonly b = new Uint32Array(BLOCK);
  readonly kind = new Uint8Array(BLOCK);
  count = 0;
  /** Its entries by time, as they came where times are equal. */
  #order: Uint16Array | undefined;

  add(event: TimedEvent): void {
    const at = this.count++;
    this.ps[at] = event.ps;
    this.c[at] = event.c;
    this.cpu[at] = event.cpu;
    this.a[at] = event.a;
    this.b[at] = event.b;
    this.kind[at] = event.kind;
    this.#order = this.count === BLOCK ? this.#sorted() : undefined;
  }

  #sorted(): Uint16Array {
    const { ps } = this;
    const all = Uint16Array.from({ length: this.count }, (_, i) => i);
    return all.sort((x, y) => ps[x]! - ps[y]! || x - y);
  }

  get order(): Uint16Array {
    this.#order ??= this.#sorted();
    return this.#order;
  }

  at(i: number): TimedEvent {
    const { ps, cpu, kind, a, b, c } = this;
    return { ps: ps[i]!, cpu: cpu[i]!, kind: kind[i]!, a: a[i]!, b: b[i]!, c: c[i]! };
  }
}

/** Where the merge stands in a block. */
interface Head {
  block: Block;
  /** Blocks as they were filled: earlier ones first where times are equal. */
  number: number;
  next: number;
  ps: number;
}

const before = (x: Head, y: Head) => x.ps < y.ps || (x.ps === y.ps && x.number < y.number);

/** Moves the head at the top of a heap down to its place. */
function sink(heap: Head[]): void {
  const head = heap[0]!;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    if (!before(heap[child]!, head)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = head;
}

export class EventLog {
  readonly #blocks: Block[] = [];
  /** Events kept, and events read again, by every reader. */
  count = 0;
  reads = 0;

  add(events: readonly TimedEvent[]): void {
    for (const event of events) {
      let last = this.#blocks.at(-1);
      if (!last || last.count === BLOCK) this.#blocks.push((last = new Block()));
      last.add(event);
    }
    this.count += events.length;
  }

  /** All of it by time, any number of times. */
  *byTime(): Generator<TimedEvent> {
    const heap: Head[] = this.#blocks.map((block, number) => ({
      block,
      number,
      next: 0,
      ps: block.ps[block.order[0]!]!,
    }));
    heap.sort((x, y) => (before(x, y) ? -1 : 1));
    while (heap.length > 0) {
      const head = heap[0]!;
      const { block } = head;
      yield block.at(block.order[head.next++]!);
      this.reads++;
      if (head.next < block.count) head.ps = block.ps[block.order[head.next]!]!;
      else {
        const last = heap.pop()!;
        if (heap.length === 0) return;
        if (last !== head) heap[0] = last;
      }
      sink(heap);
    }
  }
}
