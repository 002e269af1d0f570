// The 8259A pair of a PC, from the data sheet: sets of lines, one object per chip.
export class PicChip {
  irr = 0;
  isr = 0;
  imr = 0;
  base = 0;
  lines = 0;
  elcr = 0;
  icw1 = 0;
  icw4 = 0;
  /** Next initialisation word expected, 0 when there is none. */
  expects = 0;
  lowest = 7;
  readIsr = false;
  poll = false;
  specialMask = false;
  rotateOnAutoEoi = false;

  isLevel(line: number): boolean {
    return (this.icw1 & 8) !== 0 || ((this.elcr >> line) & 1) === 1;
  }

  /** Lines from the highest priority down. */
  get order(): number[] {
    return Array.from({ length: 8 }, (_, i) => (this.lowest + 1 + i) & 7);
  }

  /** The line whose request goes out, -1 for none; `cascade` is exempt in special fully nested mode. */
  request(cascade: boolean): number {
    for (const line of this.order) {
      const serving = ((this.isr >> line) & 1) === 1;
      const exempt =
        (this.specialMask && ((this.imr >> line) & 1) === 1) ||
        (cascade && line === 2 && (this.icw4 & 0x10) !== 0);
      const asks = (((this.irr & ~this.imr) >> line) & 1) === 1;
      if (serving && !exempt) return -1;
      if (asks) return line;
    }
    return -1;
  }

  serve(line: number): void {
    if (!(this.icw4 & 2)) this.isr |= 1 << line;
    else if (this.rotateOnAutoEoi) this.lowest = line;
    if (!this.isLevel(line)) this.irr &= ~(1 << line);
  }

  end(line: number, rotate: boolean): void {
    this.isr &= ~(1 << line);
    if (rotate) this.lowest = line;
  }
}

export class PicModel {
  primary = new PicChip();
  secondary = new PicChip();
  readonly cover: (rule: string) => void;

  constructor(cover: (rule: string) => void) {
    this.cover = cover;
  }

  reset(): void {
    this.primary = new PicChip();
    this.secondary = new PicChip();
  }

  get output(): boolean {
    return this.primary.request(true) >= 0;
  }

  #cascade(): void {
    const asks = this.secondary.request(false) >= 0;
    this.primary.irr = (this.primary.irr & ~4) | (asks ? 4 : 0);
  }

  setIrq(irq: number, high: boolean): void {
    if (irq === 2) return;
    const chip = irq < 8 ? this.primary : this.secondary;
    const bit = 1 << (irq & 7);
    const rose = high && !(chip.lines & bit);
    chip.lines = high ? chip.lines | bit : chip.lines & ~bit;
    if (!high) chip.irr &= ~bit;
    else if (rose || chip.isLevel(irq & 7)) chip.irr |= bit;
    this.#cascade();
  }

  acknowledge(): number {
    const line = this.primary.request(true);
    if (line < 0) {
      this.cover('8259: spurious IRQ7');
      return this.primary.base | 7;
    }
    if (line !== 2) {
      this.primary.serve(line);
      return this.primary.base | line;
    }
    const second = this.secondary.request(false);
    this.primary.serve(2);
    if (second >= 0) this.secondary.serve(second);
    this.cover('8259: through the cascade');
    this.#cascade();
    return this.secondary.base | (second < 0 ? 7 : second);
  }

  write(port: number, value: number): void {
    if (port === 0x4d0) this.primary.elcr = value & 0xf8;
    else if (port === 0x4d1) this.secondary.elcr = value & 0xde;
    else {
      const chip = this.#chip(port);
      if (!chip) return;
      if (port & 1) this.#data(chip, value);
      else if (value & 0x10) this.#initialise(chip, value);
      else if (value & 8) this.#ocw3(chip, value);
      else this.#ocw2(chip, value);
    }
    this.#cascade();
  }

  #chip(port: number): PicChip | undefined {
    if (port === 0x20 || port === 0x21) return this.primary;
    return port === 0xa0 || port === 0xa1 ? this.secondary : undefined;
  }

  #initialise(chip: PicChip, value: number): void {
    this.cover('8259: ICW1 starts initialisation');
    chip.icw1 = value;
    chip.imr = chip.isr = 0;
    chip.lowest = 7;
    chip.specialMask = chip.rotateOnAutoEoi = chip.readIsr = chip.poll = false;
    if (!(value & 1)) chip.icw4 = 0;
    chip.expects = 2;
    chip.irr = 0;
    for (let line = 0; line < 8; line++)
      if (chip.isLevel(line)) chip.irr |= chip.lines & (1 << line);
  }

  #data(chip: PicChip, value: number): void {
    const afterThird = chip.icw1 & 1 ? 4 : 0;
    if (chip.expects === 2) {
      chip.base = value & 0xf8;
      chip.expects = chip.icw1 & 2 ? afterThird : 3;
    } else if (chip.expects === 3) chip.expects = afterThird;
    else if (chip.expects === 4) {
      chip.icw4 = value;
      chip.expects = 0;
      if (value & 2) this.cover('8259: auto-EOI chosen');
    } else chip.imr = value;
  }

  #ocw3(chip: PicChip, value: number): void {
    chip.poll = (value & 4) !== 0;
    if (value & 2) chip.readIsr = (value & 1) !== 0;
    if (value & 0x40) chip.specialMask = (value & 0x20) !== 0;
  }

  #ocw2(chip: PicChip, value: number): void {
    const command = value >> 5;
    if (command === 0 || command === 4) chip.rotateOnAutoEoi = command === 4;
    if (command === 6) chip.lowest = value & 7;
    if (command === 3 || command === 7) chip.end(value & 7, command === 7);
    if (command !== 1 && command !== 5) return;
    const line = chip.order.find((l) => (chip.isr >> l) & 1);
    if (line === undefined) return;
    this.cover('8259: non-specific EOI');
    chip.end(line, command === 5);
  }

  read(port: number): number {
    if (port === 0x4d0) return this.primary.elcr;
    if (port === 0x4d1) return this.secondary.elcr;
    const chip = this.#chip(port);
    if (!chip) return 0xff;
    if (chip.poll) {
      this.cover('8259: poll');
      chip.poll = false;
      const line = chip.request(chip === this.primary);
      if (line < 0) return 0;
      chip.serve(line);
      this.#cascade();
      return 0x80 | line;
    }
    if (port & 1) return chip.imr;
    return chip.readIsr ? chip.isr : chip.irr;
  }
}
