// The 8259A pair as an embedder uses it: ports, lines and acknowledge cycles.
import { checkBoolean } from '../../core/check.js';
import { checkInteger } from '../../core/errors.js';
import { L } from '../../core/memory.js';
import type { CoreExports } from '../../core/wasm.js';

/** The 8259A pair of a PC: primary at ports 0x20/0x21, secondary at 0xa0/0xa1, ELCR at 0x4d0/0x4d1. */
export class Pic {
  readonly #core: CoreExports;
  readonly #done: () => void;

  /** Made by Machine. */
  constructor(core: CoreExports, done: () => void) {
    this.#core = core;
    this.#done = done;
  }

  /** IN; 0xff from ports that are not the pair's. A poll (OCW3) acknowledges. */
  read(port: number): number {
    checkInteger('port', port, 0, 0xffff);
    const value = this.#core.readPic(port);
    this.#done();
    return value;
  }

  /** OUT of a byte. */
  write(port: number, value: number): void {
    checkInteger('port', port, 0, 0xffff);
    checkInteger('value', value, 0, 0xff);
    this.#core.writePic(port, value);
    this.#done();
  }

  /** Drives IRQ line 0-15; line 2 is the cascade and cannot be driven. */
  setIRQ(line: number, high: boolean): void {
    checkInteger('line', line, 0, 15);
    this.#core.setPicLine(line, checkBoolean('high', high) ? 1 : 0);
    this.#done();
  }

  /** Whether the pair asserts INTR, which drives LINT0 of CPU 0. */
  get output(): boolean {
    return this.#core.picOutput() === 1;
  }

  /** One INTA: the vector; a spurious IRQ7 or IRQ15 when the request has gone. */
  acknowledge(): number {
    const vector = this.#core.acknowledgePic();
    this.#done();
    return vector;
  }

  /** IRR, ISR and IMR of the primary (0) or the secondary (1). */
  registers(chip: 0 | 1): { irr: number; isr: number; imr: number } {
    const at = L.H_PIC + checkInteger('chip', chip, 0, 1) * L.PIC_BYTES;
    const view = new DataView(this.#core.memory.buffer);
    return {
      irr: view.getUint8(at + L.P_IRR),
      isr: view.getUint8(at + L.P_ISR),
      imr: view.getUint8(at + L.P_IMR),
    };
  }
}
