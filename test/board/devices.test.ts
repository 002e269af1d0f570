// I/O APIC, 8259 and their wiring, as an operating system meets them.
import { describe, expect, it } from 'vitest';
import { Machine, MODEL_NAMES } from '../../src/index.js';

const LEVEL = 0x8000n;
const EXTINT = 0x700;

function firmware(machine: Machine, autoEoi = false): void {
  const icw4 = autoEoi ? 3 : 1;
  for (const [port, words] of [
    [0x20, [0x11, 0x30, 4, icw4, 0]],
    [0xa0, [0x11, 0x38, 2, icw4, 0]],
  ] as const) {
    words.forEach((word, i) => {
      machine.pic.write(i === 0 ? port : port + 1, word);
    });
  }
}

describe('check_timer: how irq0 reaches a CPU', () => {
  it('through an I/O APIC pin: ISR bit set, the EOI matches', () => {
    const machine = Machine.create({ cpus: 2, mode: 'xapic-flat' });
    machine.ioapic().setEntry(2, 0x31n);
    machine.ioapic().setIRQ(2, true);
    expect(machine.cpu(0).take()).toEqual({ kind: 'vector', vector: 0x31 });
    expect(machine.cpu(0).eoi()).toEqual({ kind: 'matched', vector: 0x31 });
  });

  it('through the 8259 and LINT0 as a fixed interrupt (virtual wire): ISR bit set', () => {
    const machine = Machine.create({ cpus: 1, mode: 'xapic-flat' });
    firmware(machine);
    machine.lapic(0).writeMMIO(0x350, 0x31);
    machine.pic.setIRQ(0, true);
    expect(machine.cpu(0).take()).toEqual({ kind: 'vector', vector: 0x31 });
    expect(machine.lapic(0).isr).toEqual([0x31]);
  });

  it('as ExtINT: no ISR bit; a stray EOI with nothing in service does nothing', () => {
    const machine = Machine.create({ cpus: 1, mode: 'xapic-flat' });
    firmware(machine);
    machine.lapic(0).writeMMIO(0x350, EXTINT);
    machine.pic.setIRQ(0, true);
    expect(machine.cpu(0).take()).toEqual({ kind: 'extint', vector: 0x30 });
    expect(machine.lapic(0).isr).toEqual([]);
    expect(machine.cpu(0).eoi()).toEqual({ kind: 'stray', vector: -1 });
    expect(machine.counters(0)).toMatchObject({ strayEois: 1, otherEois: 0 });
  });

  it('as ExtINT inside a handler: the stray EOI retires the interrupted vector early', () => {
    const machine = Machine.create({ cpus: 1, mode: 'xapic-flat' });
    const cpu = machine.cpu(0);
    firmware(machine);
    machine.lapic(0).writeMMIO(0x350, EXTINT);
    machine.ioapic().setEntry(5, 0x51n | LEVEL);
    machine.ioapic().setIRQ(5, true);
    expect(cpu.take()).toEqual({ kind: 'vector', vector: 0x51 });
    cpu.interruptFlag = true;
    machine.pic.setIRQ(0, true);
    expect(cpu.take()).toEqual({ kind: 'extint', vector: 0x30 });
    expect(cpu.eoi()).toEqual({ kind: 'other', vector: 0x51 });
    // The device still asserts its line: delivered again while its first handler runs.
    cpu.interruptFlag = true;
    expect(cpu.take()).toEqual({ kind: 'vector', vector: 0x51 });
    expect(cpu.handlers.map((h) => h.vector)).toEqual([0x51, 0x30, 0x51]);
    expect(machine.counters(0).otherEois).toBe(1);
  });

  it('with the ISR bit set at dispatch, a stray EOI retires a vector that no CPU has taken', () => {
    const ends = (['take', 'dispatch'] as const).map((isrSetAt) => {
      const machine = Machine.create({ cpus: 1, mode: 'xapic-flat', isrSetAt });
      machine.cpu(0).interruptFlag = false;
      machine.lapic(0).accept(0x31);
      const stray = machine.cpu(0).eoi();
      machine.cpu(0).interruptFlag = true;
      const taken = machine.cpu(0).take();
      return [stray.kind, stray.vector, taken?.vector, machine.lapic(0).isr.length];
    });
    expect(ends).toEqual([
      ['stray', -1, 0x31, 1],
      ['matched', 0x31, 0x31, 0], // taken all the same, with nothing in service
    ]);
  });

  it('through ExtINT at pin 0 of the I/O APIC, on the CPU that the entry names', () => {
    const machine = Machine.create({ cpus: 2, mode: 'xapic-flat' });
    firmware(machine, true);
    machine.ioapic().setEntry(0, 0x0100_0000_0000_0700n);
    machine.pic.setIRQ(0, true);
    expect([machine.lapic(0).outputs.extint, machine.lapic(1).outputs.extint]).toEqual([
      false,
      true,
    ]);
    expect(machine.cpu(1).take()).toEqual({ kind: 'extint', vector: 0x30 });
    expect(machine.pic.registers(0).isr).toBe(0); // auto-EOI
  });
});

describe('a level pin that is never lowered', () => {
  const stuck = (model: 'sdm' | 'kvm') => {
    const machine = Machine.create({ cpus: 1, mode: 'xapic-flat', model });
    machine.ioapic().setEntry(3, 0x51n | LEVEL);
    machine.ioapic().setIRQ(3, true);
    let served = 0;
    while (served < 20_000 && machine.lapic(0).acknowledge() === 0x51) {
      served++;
      machine.lapic(0).eoi();
    }
    return { machine, served };
  };

  it('comes back with every EOI by the data sheet', () => {
    expect(stuck('sdm').served).toBe(20_000);
  });

  it('rests for 10 ms after 10,000 in KVM and QEMU', () => {
    const { machine, served } = stuck('kvm');
    expect(served).toBe(10_000);
    machine.advance(9_999_999);
    expect(machine.lapic(0).intr).toBe(false);
    machine.advance(1);
    expect(machine.lapic(0).acknowledge()).toBe(0x51);
  });
});

describe('two level pins with one vector', () => {
  it('are both cleared by the EOI before either is served again', () => {
    const machine = Machine.create({ cpus: 1, mode: 'xapic-flat' });
    const io = machine.ioapic();
    for (const pin of [3, 4]) io.setEntry(pin, 0x51n | LEVEL);
    for (const pin of [3, 4]) io.setIRQ(pin, true);
    machine.lapic(0).acknowledge();
    machine.lapic(0).eoi();
    expect([io.entry(3), io.entry(4)].map((entry) => (entry & 0x4000n) !== 0n)).toEqual([
      true,
      true,
    ]);
    expect(machine.counters(0)).toMatchObject({ attempted: 4, coalesced: 2 });
  });
});

describe('P6: more than two interrupts in a class', () => {
  const send = (machine: Machine, vector: number) => {
    machine.lapic(0).writeMMIO(0x310, 1 << 24);
    machine.lapic(0).writeMMIO(0x300, 0x4000 | vector);
  };

  it('are not lost: the third is rejected, sent again, and costs bus clocks until there is room', () => {
    const machine = Machine.create({ cpus: 2, model: 'p6-class' });
    for (const vector of [0x31, 0x32, 0x33]) send(machine, vector);
    expect(machine.lapic(1).irr).toEqual([0x31, 0x32]);
    expect(machine.lapic(0).readMMIO(0x300) & 0x1000).toBe(0x1000); // send pending
    machine.advance(100_000); // 1,667 clocks: 79 more attempts of 21
    expect(machine.bus).toEqual({ messages: 82, retries: 79, clocks: 82 * 21 });
    expect(machine.counters(1)).toMatchObject({ attempted: 82, rejected: 80, pending: 2 });
    machine.lapic(1).acknowledge();
    machine.lapic(1).eoi();
    machine.advance(2000);
    expect(machine.lapic(1).irr).toEqual([0x31, 0x33]);
    expect(machine.lapic(0).readMMIO(0x300) & 0x1000).toBe(0);
  });

  it('a slower bus retries less often; a snapshot keeps its clock', () => {
    const machine = Machine.create({ cpus: 2, model: 'p6-class', busMHz: 1 });
    for (const vector of [0x31, 0x32, 0x33]) send(machine, vector);
    const restored = Machine.restore(machine.snapshot());
    for (const m of [machine, restored]) m.advance(100_000); // 100 clocks: 4 attempts of 21
    expect([machine.bus.retries, restored.bus.retries]).toEqual([4, 4]);
    expect(() => Machine.create({ busMHz: 0 })).toThrow(
      /busMHz: got 0, allowed a number 0.001-1000/,
    );
  });

  it('a later processor merges what does not fit, without a word to the sender', () => {
    const machine = Machine.create({ cpus: 2, mode: 'xapic-physical' });
    for (const vector of [0x31, 0x32, 0x33, 0x33]) send(machine, vector);
    expect(machine.lapic(1).irr).toEqual([0x31, 0x32, 0x33]);
    expect(machine.counters(1)).toMatchObject({ attempted: 4, coalesced: 1, rejected: 0 });
  });
});

describe('P6 and Linux', () => {
  it('senders and storms say that they need a bus that works without time', () => {
    const machine = Machine.create({ cpus: 2, model: 'p6-vector' });
    expect(() => machine.linux.sendIPI(0, 1, 0xfd)).toThrow(/serial bus/);
    expect(() => machine.storm({ sends: 1 })).toThrow(/machine\.advance\(\)/);
  });
});

describe('starting processors', () => {
  it('INIT, SIPI, SIPI: the second finds nobody waiting', () => {
    const machine = Machine.create({ cpus: 2, start: 'reset', mode: 'xapic-physical' });
    const boot = machine.lapic(0);
    boot.writeMMIO(0xf0, 0x1ff);
    boot.writeMMIO(0x300, 0xc4500); // INIT, all excluding self
    expect(machine.cpu(1).take()).toEqual({ kind: 'init', vector: 0 });
    boot.writeMMIO(0x300, 0xc4610);
    expect(machine.cpu(1).take()).toEqual({ kind: 'sipi', vector: 0x10 });
    boot.writeMMIO(0x300, 0xc4610);
    expect(machine.lapic(1).outputs.sipi).toBe(-1);
    expect(machine.cpu(1).take()).toBeUndefined();
  });
});

describe('handlers that run until there are none left', () => {
  const models = MODEL_NAMES.filter((model) => !model.startsWith('kvm') && model !== 'qemu');
  it.each(models)(
    '%s: a level pin that stays high is an error that names it, not a hang',
    (model) => {
      const machine = Machine.create({ cpus: 2, model, mode: 'xapic-flat' });
      machine.ioapic().setEntry(3, 0x8031n);
      machine.ioapic().setEntry(3, 0x0100_0000_0000_8831n);
      machine.ioapic().setIRQ(3, true);
      expect(() => machine.runHandlers()).toThrow(/level pin 3 of I\/O APIC 0.*setIRQ\(3, false\)/);
      expect(machine.lapic(0).irr).toEqual([0x31]);
      machine.ioapic().setIRQ(3, false);
      machine.runHandlers();
      expect(machine.lapic(0).irr).toEqual([]);
      expect(machine.takeWoken()).toEqual([]);
    },
  );

  it('so is a level LINT pin, and a storm on such a machine', () => {
    const machine = Machine.create({ cpus: 2, mode: 'xapic-flat' });
    machine.lapic(1).writeMMIO(0x360, 0x8041);
    machine.lapic(1).setLINT(1, true);
    machine.takeWoken();
    const storm = () => machine.storm({ sends: 100, pattern: 'pairs', vectors: [0x30] });
    expect(storm).toThrow(/level LINT1 of CPU 1/);
    expect(storm).toThrow(/level LINT1 of CPU 1/);
    machine.lapic(1).setLINT(1, false);
    machine.runHandlers();
    expect(machine.counters().pending).toBe(0);
    expect(storm()).toMatchObject({ sends: 100 });
  });

  it.each(['kvm', 'qemu'] as const)('%s: the brake ends it', (model) => {
    const machine = Machine.create({ cpus: 1, model, mode: 'xapic-flat' });
    machine.ioapic().setEntry(3, 0x0100_0000_0000_8831n);
    machine.ioapic().setIRQ(3, true);
    machine.runHandlers();
    expect(machine.counters().delivered).toBe(10_000);
  });

  it('pins that go from CPU to CPU with their EOIs reach all of them, and the list stays whole', () => {
    const machine = Machine.create({ cpus: 8, model: 'kvm', mode: 'xapic-flat' });
    for (let pin = 0; pin < 20; pin++) {
      machine.ioapic().setEntry(pin, 0xff00_0000_0000_8900n | BigInt(0x30 + pin));
      machine.ioapic().setIRQ(pin, true);
    }
    machine.runHandlers();
    expect(machine.counters()).toMatchObject({ delivered: 200_000, pending: 0 });
    expect(() => Machine.restore(machine.snapshot())).not.toThrow();
  });
});
