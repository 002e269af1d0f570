// One local APIC's state as it stands in linear memory: read and, where hardware lets software, written.
import { L } from '../core/memory.js';
import type { CoreExports } from '../core/wasm.js';

export class LapicState {
  readonly #core: CoreExports;
  readonly #cpu: number;

  constructor(core: CoreExports, cpu: number) {
    this.#core = core;
    this.#cpu = cpu;
  }

  get base(): bigint {
    return this.#view().getBigUint64(this.#cold() + L.C_BASE, true);
  }

  get deadline(): bigint {
    return this.#view().getBigUint64(this.#cold() + L.C_DEADLINE, true);
  }

  /** LATCH_* bits. */
  get latch(): number {
    return this.#view().getUint32(this.#cold() + L.C_LATCH, true);
  }

  /** Vector of the latest SIPI. */
  get sipi(): number {
    return this.#view().getUint32(this.#cold() + L.C_SIPI, true);
  }

  get tpr(): number {
    return this.#view().getUint8(this.#row() + L.R_CLASSES + (L.CLASSES_TPR_SHIFT >> 3));
  }

  get irr(): number[] {
    return this.#vectors(this.#row() + L.R_IRR);
  }

  get isr(): number[] {
    return this.#vectors(this.#row() + L.R_ISR);
  }

  get tmr(): number[] {
    return this.#vectors(this.#cold() + L.C_TMR);
  }

  // The memory may have grown since the last look.
  #view(): DataView {
    return new DataView(this.#core.memory.buffer);
  }

  #cold(): number {
    return this.#view().getUint32(L.H_COLD, true) + this.#cpu * L.COLD_BYTES;
  }

  #row(): number {
    return this.#view().getUint32(L.H_ROWS, true) + this.#cpu * L.ROW_BYTES;
  }

  /** The set bits of a 256-bit set, ascending. */
  #vectors(at: number): number[] {
    const words = new DataView(this.#core.memory.buffer, at, 32);
    const found: number[] = [];
    for (let priorityClass = 0; priorityClass < 16; priorityClass++) {
      for (let bits = words.getUint16(priorityClass * 2, true); bits !== 0; bits &= bits - 1) {
        found.push(priorityClass * 16 + 31 - Math.clz32(bits & -bits));
      }
    }
    return found;
  }
}
