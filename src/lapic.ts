import * as L from '../assembly/layout.js';
import type { CoreExports } from './core/wasm.js';
import type { Counters } from './counters.js';
import { checkInteger } from './errors.js';

/** One local APIC of a machine. Vectors are 0-255, priority classes 0-15. */
export class LocalApic {
  readonly cpu: number;
  readonly #core: CoreExports;
  readonly #counters: (cpu: number) => Counters;

  /** Made by Machine.lapic(). */
  constructor(core: CoreExports, cpu: number, counters: (cpu: number) => Counters) {
    this.#core = core;
    this.cpu = cpu;
    this.#counters = counters;
  }

  /**
   * A fixed interrupt arrives: sets IRR, or is merged when the bit is set already. Vectors below
   * 16 are rejected and counted. SDM 3A "Interrupt Acceptance for Fixed Interrupts".
   * @param vector 0-255
   * @param trigger `level` also sets the TMR bit
   */
  accept(vector: number, trigger: 'edge' | 'level' = 'edge'): void {
    checkInteger('vector', vector, 0, 255);
    this.#core.accept(this.cpu, vector, trigger === 'level' ? 1 : 0);
  }

  /** Whether a vector is pending whose class beats the PPR (INTR is asserted). */
  get intr(): boolean {
    return this.#core.intr(this.cpu) === 1;
  }

  /** The CPU takes the highest pending vector whose class beats the PPR: IRR -> ISR. -1 when there is none. */
  acknowledge(): number {
    return this.#core.acknowledge(this.cpu);
  }

  /**
   * Takes one named vector, leaving higher ones pending, as a recorded handler entry says the CPU
   * did. -1 when it is not pending or the PPR blocks it.
   */
  acknowledgeVector(vector: number): number {
    checkInteger('vector', vector, 0, 255);
    return this.#core.acknowledgeVector(this.cpu, vector);
  }

  /** Writes EOI: clears and returns the highest vector in service; -1 for a stray EOI, which is counted. */
  eoi(): number {
    return this.#core.eoi(this.cpu);
  }

  /** Task priority, 0-255. */
  get tpr(): number {
    const at = this.#row() + L.R_CLASSES + (L.CLASSES_TPR_SHIFT >> 3);
    return new DataView(this.#core.memory.buffer).getUint8(at);
  }

  set tpr(value: number) {
    checkInteger('tpr', value, 0, 255);
    this.#core.setTpr(this.cpu, value);
  }

  /** Processor priority, 0-255. On a tie of TPR's and ISR's class: TPR (model-specific). */
  get ppr(): number {
    return this.#core.ppr(this.cpu);
  }

  /** Vectors requested (IRR), ascending. */
  get irr(): number[] {
    return this.#vectors(this.#row() + L.R_IRR);
  }

  /** Vectors in service (ISR), ascending. */
  get isr(): number[] {
    return this.#vectors(this.#row() + L.R_ISR);
  }

  /** Vectors whose last acceptance was level-triggered (TMR), ascending. */
  get tmr(): number[] {
    return this.#vectors(this.#base(L.H_COLD) + (this.cpu << L.COLD_SHIFT) + L.C_TMR);
  }

  get counters(): Counters {
    return this.#counters(this.cpu);
  }

  #base(field: number): number {
    return new DataView(this.#core.memory.buffer).getUint32(field, true);
  }

  #row(): number {
    return this.#base(L.H_ROWS) + this.cpu * L.ROW_BYTES;
  }

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
