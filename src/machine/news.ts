// Who is to be told of a CPU's news: the core's wake list, and what was taken of it but not told yet.
import { L } from '../core/memory.js';
import type { CoreExports } from '../core/wasm.js';

const LISTED = 1n << BigInt(L.CLASSES_LISTED_SHIFT);

/** The news of one machine. Nothing is lost when the listener throws, and nothing nests when it goes on sending. */
export class News {
  listener: ((cpu: number) => void) | undefined;
  readonly #core: CoreExports;
  /** Taken off the core's list, in order of arrival. */
  readonly #untold = new Set<number>();
  #telling = false;

  constructor(core: CoreExports) {
    this.#core = core;
  }

  #pull(): void {
    const count = this.#core.takeWakeList();
    if (count === 0) return;
    const view = this.#view();
    const base = view.getUint32(L.H_WAKE, true);
    for (let i = 0; i < count; i++) this.#untold.add(view.getUint32(base + i * 4, true));
  }

  /**
   * Tells the listener of every CPU with news. A call from inside the listener only adds to the list,
   * which the outermost call works off.
   */
  tell(): void {
    if (this.#telling || !this.listener) return;
    this.#pull();
    if (this.#untold.size === 0) return;
    this.#telling = true;
    try {
      // What is added on the way is visited too.
      for (const cpu of this.#untold) {
        if (!this.listener) break;
        this.#untold.delete(cpu);
        this.listener(cpu);
        this.#pull();
      }
    } finally {
      this.#telling = false;
    }
  }

  /** Every CPU with news that nobody was told of. */
  take(): number[] {
    this.#pull();
    const all = [...this.#untold];
    this.#untold.clear();
    return all;
  }

  /** Puts what was not told back on the core's list, for snapshots and for runs of handlers. */
  giveBack(): void {
    if (this.#untold.size === 0) return;
    const cpus = this.take();
    const view = this.#view();
    const base = view.getUint32(L.H_WAKE, true);
    const rows = view.getUint32(L.H_ROWS, true);
    cpus.forEach((cpu, i) => {
      view.setUint32(base + i * 4, cpu, true);
      const at = rows + cpu * L.ROW_BYTES + L.R_CLASSES;
      view.setBigUint64(at, view.getBigUint64(at, true) | LISTED, true);
    });
    view.setUint32(L.H_WAKE_COUNT, cpus.length, true);
  }

  /** The state that they were of is gone. */
  forget(): void {
    this.#untold.clear();
  }

  #view(): DataView {
    return new DataView(this.#core.memory.buffer);
  }
}
