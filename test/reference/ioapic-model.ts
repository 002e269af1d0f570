// I/O APICs from the 82093AA data sheet; version 0x20 has an EOI register.
import type { IoapicState } from '../hardware/operations.js';

export interface IoapicWorld {
  now(): bigint;
  cover(rule: string): void;
  brake: number;
  /** Whose rules for the count, and for bits that no data sheet defines. */
  peer: 'kvm' | 'qemu' | undefined;
  /** A message on its way: how many took it, -1 nobody addressed, 'rejected' by the serial bus. */
  send(ioapic: IoapicModel, dest: number, low: number): number | 'rejected';
}

export interface Pin {
  entry: bigint;
  high: boolean;
  served: number;
}

const PENDING = 0x1000n;
const REMOTE_IRR = 0x4000n;
const MASKED = 0x10000n;

export class IoapicModel {
  readonly index: number;
  readonly version: number;
  readonly world: IoapicWorld;
  pins: Pin[];
  id: number;
  arb: number;
  arbPriority: number;
  select = 0;
  /** When the brake lets go, 0n: it is off. */
  brake = 0n;

  constructor(
    index: number,
    config: { pins: number; version: number; id: number },
    world: IoapicWorld,
  ) {
    this.index = index;
    this.version = config.version;
    this.world = world;
    this.id = this.arb = this.arbPriority = config.id;
    this.pins = Array.from({ length: config.pins }, () => this.#freshPin());
  }

  #freshPin(): Pin {
    return { entry: MASKED, high: false, served: 0 };
  }

  reset(): void {
    this.pins = this.pins.map(() => this.#freshPin());
    this.select = 0;
    this.brake = 0n;
    this.arb = this.arbPriority = this.id;
  }

  // 82093AA; KVM and QEMU ioapic_set_irq() take the line as it is.
  isActive(pin: Pin): boolean {
    return pin.entry & 0x2000n && !this.world.peer ? !pin.high : pin.high;
  }

  isLevel(pin: Pin): boolean {
    return (pin.entry & 0x8000n) !== 0n && (pin.entry & 0x700n) <= 0x100n;
  }

  /** ExtINT at pin 0 of the first I/O APIC is the 8259's level. */
  isWire(pin: Pin): boolean {
    return this.index === 0 && pin === this.pins[0] && (pin.entry & 0x700n) === 0x700n;
  }

  /** Whether it went through. */
  send(pin: Pin): boolean {
    const mode = Number((pin.entry >> 8n) & 7n);
    if (mode === 3 || mode === 6 || this.isWire(pin)) return true;
    const level = this.isLevel(pin) ? 0x8000 : 0;
    const low = Number(pin.entry & 0xfffn) | 0x4000 | level;
    const taken = this.world.send(this, Number(pin.entry >> 56n), low);
    if (taken === 'rejected') {
      pin.entry |= PENDING;
      return false;
    }
    pin.entry &= ~PENDING;
    // 82093AA: accepted. KVM ioapic_service(): any result but 0. QEMU: sent.
    const { peer } = this.world;
    const busy = peer === 'qemu' || (peer === 'kvm' ? taken !== 0 : taken > 0);
    if (level && busy) {
      this.world.cover('I/O APIC: remote IRR set');
      pin.entry |= REMOTE_IRR;
    }
    return true;
  }

  serveLevel(pin: Pin): void {
    if (!this.isLevel(pin) || pin.entry & (MASKED | REMOTE_IRR | PENDING)) return;
    if (this.isActive(pin)) this.send(pin);
  }

  setIrq(index: number, high: boolean): void {
    const pin = this.pins[index]!;
    const before = this.isActive(pin);
    pin.high = high;
    const after = this.isActive(pin);
    if (this.isLevel(pin)) return this.serveLevel(pin);
    if (!after || before) return;
    if (pin.entry & MASKED) this.world.cover('I/O APIC: edge lost while masked');
    else if (!(pin.entry & PENDING)) this.send(pin);
  }

  /** All matching pins are cleared before any is served again. */
  endOfInterrupt(vector: number): void {
    const matching = this.pins.filter(
      (pin) =>
        Number(pin.entry & 0xffn) === vector &&
        this.isLevel(pin) &&
        (this.world.peer !== 'qemu' || (pin.entry & REMOTE_IRR) !== 0n),
    );
    for (const pin of matching) pin.entry &= ~REMOTE_IRR;
    for (const pin of matching) {
      if (!this.isActive(pin) || pin.entry & MASKED) {
        pin.served = 0;
        continue;
      }
      this.world.cover('I/O APIC: served again on EOI');
      pin.served++;
      if (this.world.brake && pin.served === this.world.brake) {
        pin.served = 0;
        if (this.brake === 0n) this.brake = this.world.now() + 10_000_000n;
        continue;
      }
      this.serveLevel(pin);
    }
  }

  read(offset: number): number {
    if (offset === 0) return this.select;
    if (offset !== 0x10) return 0;
    if (this.select === 0) return (this.id << 24) >>> 0;
    if (this.select === 1) return this.version | ((this.pins.length - 1) << 16);
    if (this.select === 2) return (this.arb << 24) >>> 0;
    const pin = this.select >= 0x10 ? this.pins[(this.select - 0x10) >> 1] : undefined;
    if (!pin) return this.world.peer === 'kvm' ? 0xffffffff : 0;
    return Number(this.select & 1 ? pin.entry >> 32n : pin.entry & 0xffffffffn);
  }

  write(offset: number, value: number): void {
    if (offset === 0) this.select = value & 0xff;
    else if (offset === 0x40 && this.version >= 0x20) {
      this.world.cover('I/O APIC: EOI register');
      this.endOfInterrupt(value & 0xff);
    } else if (offset === 0x10) this.#writeRegister(value);
  }

  #writeRegister(value: number): void {
    if (this.select === 0) this.id = this.arb = this.arbPriority = (value >>> 24) & 15;
    const pin = this.select >= 0x10 ? this.pins[(this.select - 0x10) >> 1] : undefined;
    if (!pin) return;
    if (this.world.peer === 'qemu') pin.served = 0;
    const high = this.world.peer ? value : (value & 0xff000000) >>> 0;
    const low = this.world.peer ? 0xffffafffn : 0x1afffn;
    if (this.select & 1) pin.entry = (pin.entry & 0xffffffffn) | (BigInt(high) << 32n);
    else {
      pin.entry = (pin.entry & ~low) | (BigInt(value) & low);
      if (!(pin.entry & 0x8000n)) {
        if (pin.entry & REMOTE_IRR) this.world.cover('I/O APIC: edge clears remote IRR');
        pin.entry &= ~REMOTE_IRR;
      }
    }
    this.serveLevel(pin);
  }

  get pendingPin(): Pin | undefined {
    return this.pins.find((pin) => pin.entry & PENDING);
  }

  state(): IoapicState {
    return { id: this.id, arb: this.arb, entries: this.pins.map((pin) => pin.entry.toString(16)) };
  }
}
