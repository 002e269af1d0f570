// Bytes from a stream of chunks, as many at a time as a reader asks for.

export type Chunks = AsyncIterable<Buffer>;

export class Pull {
  readonly #source: AsyncIterator<Buffer>;
  #waiting: Buffer[] = [];
  #length = 0;

  constructor(source: Chunks) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async #fill(wanted: number): Promise<void> {
    while (this.#length < wanted) {
      const { done, value } = await this.#source.next();
      if (done) return;
      this.#waiting.push(value);
      this.#length += value.length;
    }
  }

  /** The next `count` bytes, fewer at the end; they stay. */
  async peek(count: number): Promise<Buffer> {
    await this.#fill(count);
    const all = this.#waiting.length === 1 ? this.#waiting[0]! : Buffer.concat(this.#waiting);
    this.#waiting = [all];
    return all.subarray(0, count);
  }

  /** The next `count` bytes, fewer at the end. */
  async take(count: number): Promise<Buffer> {
    const bytes = await this.peek(count);
    this.#waiting = [this.#waiting[0]!.subarray(bytes.length)];
    this.#length -= bytes.length;
    return bytes;
  }

  /** All that is left. */
  async *rest(): Chunks {
    try {
      const waiting = this.#waiting;
      this.#waiting = [];
      yield* waiting;
      for (;;) {
        const { done, value } = await this.#source.next();
        if (done) return;
        yield value;
      }
    } finally {
      await this.#source.return?.();
    }
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
