// An I/O APIC as an embedder uses it: registers and pins.
import { checkBoolean, checkRegister, checkWide, lockFields } from '../../core/check.js';
import { checkInteger } from '../../core/errors.js';
import { L } from '../../core/memory.js';
import type { CoreExports } from '../../core/wasm.js';

/** One I/O APIC: pins 0-239, a register window. 82093AA data sheet; version 0x20 has an EOI register. */
export class Ioapic {
  readonly index: number;
  readonly pins: number;
  readonly version: number;
  readonly #core: CoreExports;
  readonly #done: () => void;

  /** Made by Machine.ioapic(). */
  constructor(
    core: CoreExports,
    index: number,
    config: { pins: number; version: number },
    done: () => void,
  ) {
    this.#core = core;
    this.index = index;
    this.pins = config.pins;
    this.version = config.version;
    this.#done = done;
    lockFields(this, 'index', 'pins', 'version');
  }

  /**
   * A 32-bit read of the register window.
   * @param offset 0 IOREGSEL, 0x10 IOWIN; others read 0
   */
  read(offset: number): number {
    checkInteger('offset', offset, 0, 0xfff);
    return this.#core.readIoapic(this.index, offset) >>> 0;
  }

  /** A 32-bit write: 0 IOREGSEL, 0x10 IOWIN, 0x40 EOI (version 0x20); others do nothing. */
  write(offset: number, value: number): void {
    checkInteger('offset', offset, 0, 0xfff);
    this.#core.writeIoapic(this.index, offset, checkRegister('value', value));
    this.#done();
  }

  /** Drives a pin; the entry's polarity says which level is active. */
  setIRQ(pin: number, high: boolean): void {
    checkInteger('pin', pin, 0, this.pins - 1);
    this.#core.setIoapicPin(this.index, pin, checkBoolean('high', high) ? 1 : 0);
    this.#done();
  }

  /** A redirection entry, 64 bits, with delivery status (bit 12) and remote IRR (bit 14). */
  entry(pin: number): bigint {
    checkInteger('pin', pin, 0, this.pins - 1);
    const view = new DataView(this.#core.memory.buffer);
    return view.getBigUint64(this.#base(view) + L.IO_PIN + (pin << L.PIN_SHIFT), true);
  }

  /** Writes a whole entry, 64 bits: high half, then low, as an operating system does. */
  setEntry(pin: number, value: bigint | number): void {
    checkInteger('pin', pin, 0, this.pins - 1);
    const wide = checkWide('value', value);
    const select = this.read(0);
    this.write(0, 0x11 + 2 * pin);
    this.write(0x10, Number(wide >> 32n));
    this.write(0, 0x10 + 2 * pin);
    this.write(0x10, Number(wide & 0xffffffffn));
    this.write(0, select);
  }

  get id(): number {
    const view = new DataView(this.#core.memory.buffer);
    return view.getUint32(this.#base(view) + L.IO_ID, true);
  }

  /** Arbitration register: the id as last written. */
  get arb(): number {
    const view = new DataView(this.#core.memory.buffer);
    return view.getUint32(this.#base(view) + L.IO_ARB, true);
  }

  #base(view: DataView): number {
    return view.getUint32(L.H_IOAPICS, true) + (this.index << L.IOAPIC_SHIFT);
  }
}
