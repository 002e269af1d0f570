// Puts in order what comes nearly in order of time: a heap of what may still be overtaken.

interface Item<T> {
  ps: number;
  /** As they came, where times are equal. */
  number: number;
  value: T;
}

const before = <T>(x: Item<T>, y: Item<T>) => x.ps < y.ps || (x.ps === y.ps && x.number < y.number);

export class Reorder<T> {
  readonly #heap: Item<T>[] = [];
  #number = 0;

  put(ps: number, value: T): void {
    const item = { ps, number: this.#number++, value };
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(item, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = item;
  }

  /** What is earlier than `ps`, in order. */
  *until(ps: number): Generator<T> {
    while (this.#heap.length > 0 && this.#heap[0]!.ps < ps) yield this.#pop();
  }

  #pop(): T {
    const heap = this.#heap;
    const top = heap[0]!;
    const item = heap.pop()!;
    if (heap.length === 0) return top.value;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, item)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = item;
    return top.value;
  }
}
