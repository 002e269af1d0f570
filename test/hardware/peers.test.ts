// Where KVM and QEMU have rules of their own, at their exact edges; and that nothing is lost uncounted.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Machine, MODEL_NAMES, type Model } from '../../src/index.js';

describe('IA32_APIC_BASE', () => {
  const accepted = (model: Model, bit: number): boolean => {
    const machine = Machine.create({ cpus: 1, model, start: 'reset', gp: 'return' });
    return machine.lapic(0).writeMSR(0x1b, 0xfee00900n | (1n << BigInt(bit)));
  };
  it.each(MODEL_NAMES)('%s: reserved bits raise #GP, each', (model) => {
    const top = model === 'qemu' ? 32 : 36;
    for (let bit = 0; bit < 64; bit++) {
      const x2apic = bit === 10 && !model.startsWith('p6');
      expect(accepted(model, bit), `bit ${bit}`).toBe(
        bit === 8 || bit === 11 || x2apic || (bit >= 12 && bit < top),
      );
    }
  });

  it.each(MODEL_NAMES)('%s: who writes the BSP flag, and who waits after INIT', (model) => {
    const written = model.startsWith('kvm');
    const machine = Machine.create({ cpus: 2, model, mode: 'xapic-flat' });
    machine.lapic(0).writeMSR(0x1b, 0xfee00800n);
    machine.lapic(1).writeMSR(0x1b, 0xfee00900n);
    expect([0, 1].map((cpu) => (machine.lapic(cpu).apicBase & 0x100n) !== 0n)).toEqual([
      !written,
      written,
    ]);
    for (const cpu of [0, 1]) machine.lapic(cpu).initReset();
    expect([0, 1].map((cpu) => machine.cpu(cpu).waiting)).toEqual([written, !written]);
    machine.powerOn();
    expect([0, 1].map((cpu) => machine.cpu(cpu).waiting)).toEqual([false, true]);
    expect(machine.lapic(0).apicBase).toBe(0xfee00900n);
  });

  it('qemu: any write brings the initial id back, one of an invalid mode too; a reserved bit does not', () => {
    const machine = Machine.create({ cpus: 2, model: 'qemu', start: 'reset', gp: 'return' });
    const lapic = machine.lapic(1);
    const idAfter = (value: bigint) => {
      lapic.writeMMIO(0x20, 0x5000000);
      lapic.writeMSR(0x1b, value);
      return lapic.readMMIO(0x20) >>> 24;
    };
    expect(idAfter(0xfee00801n)).toBe(5);
    expect(idAfter(0xfee00400n)).toBe(1); // EXTD without EN: #GP
    expect(idAfter(0xfee00800n)).toBe(1);
    lapic.writeMMIO(0x20, 0x5000000);
    lapic.initReset();
    expect(lapic.readMMIO(0x20) >>> 24).toBe(5);
    lapic.powerOn();
    expect(lapic.readMMIO(0x20) >>> 24).toBe(1);
  });
});

describe('I/O APIC entries', () => {
  it.each(MODEL_NAMES)('%s: what a write keeps', (model) => {
    const io = Machine.create({ cpus: 1, model }).ioapic();
    io.setEntry(3, 0xffff_ffff_ffff_ffffn);
    const raw = model.startsWith('kvm') || model === 'qemu';
    expect(io.entry(3)).toBe(raw ? 0xffff_ffff_ffff_afffn : 0xff00_0000_0001_afffn);
    const restored = Machine.restore(Machine.create({ cpus: 1, model }).snapshot());
    restored.ioapic().setEntry(3, 0x01fe_0000_0001_0031n);
    expect(Machine.restore(restored.snapshot()).ioapic().entry(3)).toBe(
      raw ? 0x01fe_0000_0001_0031n : 0x0100_0000_0001_0031n,
    );
  });
});

describe('remote IRR of a level pin whose message nobody takes', () => {
  it.each<[Model, boolean, boolean]>([
    ['sdm', false, false],
    ['kvm', false, true],
    ['qemu', true, true],
  ])('%s: to an absent id %s, to a cluster that none is in %s', (model, absent, unmatched) => {
    const busy = (entry: bigint) => {
      const machine = Machine.create({ cpus: 2, model, mode: 'xapic-flat' });
      // Two local APICs with one logical id: KVM's map is of no use, it searches.
      for (const cpu of [0, 1]) machine.lapic(cpu).writeMMIO(0xd0, 0x1000000);
      machine.ioapic().setEntry(3, entry);
      machine.ioapic().setIRQ(3, true);
      return (machine.ioapic().entry(3) & 0x4000n) !== 0n;
    };
    expect(busy(0x0900_0000_0000_8031n)).toBe(absent);
    expect(busy(0x0800_0000_0000_8831n)).toBe(unmatched);
    expect(busy(0x0000_0000_0000_8031n)).toBe(true);
  });
});

describe('the storm brake', () => {
  const PIN = 5;
  function stuck(model: Model, pins = [PIN]) {
    const machine = Machine.create({ cpus: 1, model, mode: 'xapic-flat' });
    const io = machine.ioapic();
    for (const pin of pins) {
      io.setEntry(pin, BigInt(0x8031 + pin * 16));
      io.setIRQ(pin, true);
    }
    return { machine, io, lapic: machine.lapic(0) };
  }
  /** EOIs until the pin is not served again; at most `limit`. */
  function served({ lapic }: ReturnType<typeof stuck>, limit = 20_000): number {
    for (let n = 0; n < limit; n++) {
      if (lapic.acknowledge() < 0) return n;
      lapic.eoi();
    }
    return limit;
  }

  it.each<Model>(['kvm', 'qemu'])(
    '%s: the 10000th EOI in a row that finds the pin high',
    (model) => {
      const all = stuck(model);
      expect(served(all)).toBe(10_000);
      all.machine.advance(9_999_999);
      expect(all.lapic.intr).toBe(false);
      all.machine.advance(1);
      expect(all.lapic.intr).toBe(true);
      expect(served(all)).toBe(10_000);
    },
  );

  it('an EOI that finds the pin masked or low sets the count back; a fall between EOIs does not', () => {
    const all = stuck('kvm');
    expect(served(all, 9_999)).toBe(9_999);
    all.io.setIRQ(PIN, false);
    all.io.setIRQ(PIN, true);
    expect(served(all)).toBe(1);
    all.machine.advance(10_000_000);
    expect(served(all, 5_000)).toBe(5_000);
    all.lapic.acknowledge();
    all.io.setIRQ(PIN, false);
    all.lapic.eoi();
    all.io.setIRQ(PIN, true);
    expect(served(all)).toBe(10_000);
  });

  it('a write of the entry sets it back in qemu, not in kvm', () => {
    for (const [model, left] of [
      ['kvm', 1],
      ['qemu', 10_000],
    ] as const) {
      const all = stuck(model);
      served(all, 9_999);
      all.io.write(0, 0x11 + 2 * PIN);
      all.io.write(0x10, 0);
      expect(served(all)).toBe(left);
    }
  });

  it('only the EOI waits: the line may fall and rise meanwhile; the delay is one for all pins', () => {
    const all = stuck('kvm');
    served(all);
    all.io.setIRQ(PIN, false);
    all.io.setIRQ(PIN, true);
    expect(all.lapic.intr).toBe(true);
    const two = stuck('kvm', [4, 5]);
    const first = () => (two.lapic.acknowledge() < 0 ? -1 : two.lapic.eoi());
    let last = first();
    while (last === 0x81) last = first(); // pin 5, the higher vector, rests
    two.machine.advance(4_000_000);
    while (first() === 0x71);
    two.machine.advance(6_000_000);
    expect(two.lapic.irr).toEqual([0x71, 0x81]);
  });
});

describe('kvm: lowest priority to 0xff', () => {
  const took = (dest: bigint, low: number, mode: 'x2apic-physical' | 'xapic-physical') => {
    const machine = Machine.create({ cpus: 4, model: 'kvm', mode });
    if (mode === 'x2apic-physical') machine.lapic(2).writeMSR(0x830, (dest << 32n) | BigInt(low));
    else {
      machine.lapic(2).writeMMIO(0x310, Number(dest) * 2 ** 24);
      machine.lapic(2).writeMMIO(0x300, low);
    }
    return [0, 1, 2, 3].filter((cpu) => machine.lapic(cpu).irr.length > 0);
  };
  it('is fixed, whatever the shorthand; other destinations stay lowest priority', () => {
    expect(took(0xffn, 0xc4141, 'x2apic-physical')).toEqual([0, 1, 3]);
    expect(took(0xffn, 0x84141, 'x2apic-physical')).toEqual([0, 1, 2, 3]);
    expect(took(0xffn, 0x4141, 'x2apic-physical')).toEqual([]); // an id that nobody has
    expect(took(0xffffffffn, 0xc4141, 'x2apic-physical').length).toBe(1);
    expect(took(0xffffffffn, 0x4141, 'x2apic-physical').length).toBe(1);
    expect(took(0xffn, 0xc4941, 'x2apic-physical').length).toBe(1); // logical
    expect(took(0xffn, 0x4141, 'xapic-physical')).toEqual([0, 1, 2, 3]);
    expect(took(0xffn, 0xc4141, 'xapic-physical')).toEqual([0, 1, 3]);
    expect(took(0n, 0xc4141, 'xapic-physical').length).toBe(1);
  });
});

describe('two local APICs of one id', () => {
  const took = (model: Model, dest: number, delivery: number, logical = false) => {
    const machine = Machine.create({ cpus: 4, model, mode: 'xapic-flat' });
    machine.lapic(2).writeMMIO(0x20, 0x1000000); // CPU 2 has id 1 too
    machine.message({ dest, delivery, vector: 0x41, logical });
    return [0, 1, 2, 3].filter((cpu) => machine.lapic(cpu).irr.length > 0);
  };
  it('kvm searches then; with 32-bit ids the first is on the map alone', () => {
    expect(took('sdm', 1, 0)).toEqual([1, 2]);
    expect(took('kvm', 1, 0)).toEqual([1, 2]);
    expect(took('kvm', 1, 1)).toEqual([2]); // vector 0x41, of two
    expect(took('kvm', 0xe, 1, true)).toEqual([3]); // 0x41 mod 3 of CPUs 1-3
    expect(took('kvm-split', 1, 0)).toEqual([1]);
    expect(took('kvm-split', 1, 1)).toEqual([1]);
  });

  it('an id that no register holds is on the map with 32-bit ids only', () => {
    const reached = (model: Model) => {
      const options = { apicIds: [0, 0x105], mode: 'x2apic-physical', start: 'reset' } as const;
      const machine = Machine.create({ ...options, model });
      return machine.message({ dest: 0x105, delivery: 5, vector: 0 });
    };
    expect([reached('kvm'), reached('kvm-split')]).toEqual([0, 1]);
  });
});

describe('kvm-split: I/O APIC and 8259 in user space', () => {
  it('offers EOI-broadcast suppression, and broadcasts all the same', () => {
    for (const [model, version, svr, again] of [
      ['kvm', 0x50014, 0x1ff, true],
      ['kvm-split', 0x1050014, 0x11ff, true],
      ['sdm', 0x1060015, 0x11ff, false],
    ] as const) {
      const machine = Machine.create({ cpus: 1, model, mode: 'xapic-flat' });
      const lapic = machine.lapic(0);
      lapic.writeMMIO(0xf0, 0x11ff);
      expect([lapic.readMMIO(0x30), lapic.readMMIO(0xf0)]).toEqual([version, svr]);
      machine.ioapic().setEntry(3, 0x0100_0000_0000_8831n);
      machine.ioapic().setIRQ(3, true);
      lapic.acknowledge();
      lapic.eoi();
      expect(lapic.intr, model).toBe(again);
    }
  });

  it('0xff is an id once all are in x2APIC mode', () => {
    const options = { apicIds: [0, 1, 0xff], mode: 'x2apic-physical' } as const;
    const reached = (model: Model, dest: number) => {
      const machine = Machine.create({ ...options, model });
      return machine.message({ dest, delivery: 0, vector: 0x41 });
    };
    expect([reached('kvm', 0xff), reached('kvm-split', 0xff)]).toEqual([3, 1]);
    expect([reached('kvm', 0xffffffff), reached('kvm-split', 0xffffffff)]).toEqual([0, 3]);
  });
});

describe('I/O APIC pins', () => {
  it.each(MODEL_NAMES)('%s: polarity', (model) => {
    const ignored = model.startsWith('kvm') || model === 'qemu';
    // The pin is at the other level before, and the entry unmasked between.
    const sends = (entry: bigint, high: boolean) => {
      const machine = Machine.create({ cpus: 1, model, mode: 'xapic-physical' });
      const io = machine.ioapic();
      io.setEntry(4, 0x10000n);
      io.setIRQ(4, !high);
      io.setEntry(4, entry);
      const before = machine.lapic(0).irr.length;
      io.setIRQ(4, high);
      return machine.lapic(0).irr.length > before;
    };
    for (const trigger of [0n, 0x8000n]) {
      expect(sends(0x2031n | trigger, false)).toBe(!ignored);
      expect(sends(0x2031n | trigger, true)).toBe(ignored);
      expect(sends(0x31n | trigger, false)).toBe(false);
      expect(sends(0x31n | trigger, true)).toBe(true);
    }
  });

  it.each(MODEL_NAMES)('%s: registers that there are not', (model) => {
    const io = Machine.create({ cpus: 1, model }).ioapic();
    for (const register of [3, 0xf, 0x40, 0xff]) {
      io.write(0, register);
      expect(io.read(0x10)).toBe(model === 'kvm' ? 0xffffffff : 0);
    }
  });
});

describe('local APICs of KVM, QEMU and AMD', () => {
  it.each(MODEL_NAMES)('%s: a performance-counter interrupt and its mask', (model) => {
    const lapic = Machine.create({ cpus: 1, model, mode: 'xapic-flat' }).lapic(0);
    lapic.writeMMIO(0x340, 0x400);
    lapic.localEvent('perf');
    lapic.localEvent('perf');
    const masks = model !== 'amd' && model !== 'qemu';
    expect(lapic.readMMIO(0x340)).toBe(masks ? 0x10400 : 0x400);
    expect(lapic.counters.nmis).toBe(masks ? 1 : 2);
  });

  it.each(MODEL_NAMES)('%s: the timer of a local APIC that is disabled for a while', (model) => {
    const goesOn = model.startsWith('kvm') || model === 'qemu';
    const machine = Machine.create({ cpus: 1, model, mode: 'xapic-flat' });
    const lapic = machine.lapic(0);
    lapic.writeMMIO(0x3e0, 0xb);
    lapic.writeMMIO(0x320, 0x20041);
    lapic.writeMMIO(0x380, 100);
    lapic.writeMSR(0x1b, 0xfee00100n);
    expect(machine.nextEventNs()).toBe(goesOn ? 100n : undefined);
    machine.advance(130);
    expect(lapic.irr).toEqual([]); // what it brought meanwhile is lost
    expect(Machine.restore(machine.snapshot()).nextEventNs()).toBe(goesOn ? 200n : undefined);
    lapic.writeMSR(0x1b, 0xfee00900n);
    expect(lapic.readMMIO(0x390)).toBe(goesOn ? 70 : 0);
    lapic.writeMMIO(0xf0, 0x1ff); // qemu: gone with the hardware enable
    machine.advance(70);
    expect(lapic.irr).toEqual(goesOn ? [0x41] : []);
  });

  it.each(MODEL_NAMES)('%s: bits of LVT entries', (model) => {
    const lapic = Machine.create({ cpus: 1, model, mode: 'xapic-flat' }).lapic(0);
    const kept = [0x320, 0x340, 0x350, 0x370].map((offset) => {
      lapic.writeMMIO(offset, 0xffffffff);
      return lapic.readMMIO(offset);
    });
    if (model.startsWith('kvm')) expect(kept).toEqual([0x710ff, 0x117ff, 0x1f7ff, 0x110ff]);
    else if (model === 'qemu') expect(new Set(kept)).toEqual(new Set([0xffffffff]));
    else expect(kept).toEqual([model === 'sdm' ? 0x700ff : 0x300ff, 0x107ff, 0x1a7ff, 0x100ff]);
  });

  it.each(MODEL_NAMES)('%s: reads of one and two bytes', (model) => {
    const lapic = Machine.create({ cpus: 1, model, mode: 'xapic-flat', gp: 'return' }).lapic(0);
    lapic.writeMMIO(0x350, 0x10731);
    const seen = [
      lapic.readMMIO(0x350, 1),
      lapic.readMMIO(0x351, 1),
      lapic.readMMIO(0x351, 2),
      lapic.readMMIO(0x352, 2),
      lapic.readMMIO(0x353, 2),
      lapic.readMMIO(0x354, 1),
      lapic.readMMIO(0x352, 4),
      lapic.readMMIO(0x0b0, 2),
    ];
    const bytes = [0x31, 0x07, 0x107, 0x1, 0, 0, 0, 0];
    expect(seen).toEqual(model.startsWith('kvm') ? bytes : bytes.map(() => 0));
    lapic.setApicBase(0xfee00100n);
    expect([lapic.readMMIO(0x351, 1), lapic.readMMIO(0x350, 2)]).toEqual([0xff, 0xffff]);
  });

  it('qemu: a write of LINT0 while its pin is high is one more interrupt', () => {
    for (const model of ['qemu', 'kvm'] as const) {
      const machine = Machine.create({ cpus: 1, model, mode: 'xapic-flat' });
      const lapic = machine.lapic(0);
      lapic.writeMMIO(0x350, 0x10041);
      lapic.setLINT(0, true);
      expect(lapic.irr).toEqual([]);
      lapic.writeMMIO(0x350, 0x41);
      expect(lapic.irr).toEqual(model === 'qemu' ? [0x41] : []);
      lapic.setLINT(0, false);
      lapic.writeMMIO(0x350, 0x400);
      expect(lapic.counters.nmis).toBe(0);
    }
  });

  it('kvm: the deadline of a disabled local APIC reads 0, and counts', () => {
    const machine = Machine.create({ cpus: 1, model: 'kvm', mode: 'xapic-flat' });
    const lapic = machine.lapic(0);
    lapic.writeMMIO(0x320, 0x40041);
    lapic.writeMSR(0x6e0, 1000);
    lapic.writeMSR(0x1b, 0xfee00100n);
    expect(lapic.readMSR(0x6e0)).toBe(0n);
    lapic.writeMSR(0x1b, 0xfee00900n);
    expect(lapic.readMSR(0x6e0)).toBe(1000n);
    machine.advance(1000);
    expect([lapic.readMSR(0x6e0), lapic.irr]).toEqual([0n, [0x41]]);
  });

  it('an imported periodic timer with no ticks left begins anew; a one-shot one stays stopped', () => {
    for (const [entry, next] of [
      [0x20041, 300n],
      [0x41, undefined],
    ] as const) {
      const machine = Machine.create({ cpus: 1, model: 'kvm', mode: 'xapic-flat' });
      const lapic = machine.lapic(0);
      const page = lapic.exportPage();
      const registers = new DataView(page.buffer);
      registers.setUint32(0x320, entry | 0x4000, true);
      registers.setUint32(0x380, 300, true);
      registers.setUint32(0x3e0, 0xb, true);
      lapic.importPage(page);
      expect(machine.nextEventNs()).toBe(next);
      expect(lapic.readMMIO(0x320)).toBe(entry);
    }
  });

  it('kvm-split without x2APIC mode offers no EOI-broadcast suppression', () => {
    const make = (x2apic: boolean) =>
      Machine.create({ cpus: 1, model: 'kvm-split', mode: 'xapic-flat', x2apic });
    const seen = (machine: Machine) => {
      machine.lapic(0).writeMMIO(0xf0, 0x13ff);
      return [machine.lapic(0).readMMIO(0x30), machine.lapic(0).readMMIO(0xf0)];
    };
    expect(seen(make(true))).toEqual([0x1050014, 0x13ff]);
    expect(seen(make(false))).toEqual([0x50014, 0x3ff]);
    expect(seen(Machine.restore(make(false).snapshot()))).toEqual([0x50014, 0x3ff]);
  });
});

describe('acknowledgeVector()', () => {
  it.each(MODEL_NAMES)('%s: takes what take() would, and what waits below it', (model) => {
    for (const isrSetAt of ['take', 'dispatch'] as const) {
      const machine = Machine.create({ cpus: 1, model, mode: 'xapic-flat', isrSetAt });
      const lapic = machine.lapic(0);
      for (const vector of [0x31, 0x41, 0x42]) lapic.accept(vector, 'level');
      const early = isrSetAt === 'dispatch'; // 0x31 came first and is in the CPU's latch
      expect(lapic.acknowledgeVector(0x41)).toBe(early ? -1 : 0x41);
      expect(lapic.acknowledgeVector(0x31)).toBe(early ? 0x31 : -1);
      lapic.writeMMIO(0xf0, 0xff);
      if (!early) expect(lapic.acknowledgeVector(0x42)).toBe(-1); // its class is in service
      lapic.eoi();
      const delivers = model.startsWith('kvm');
      if (!early) expect(lapic.acknowledgeVector(0x42)).toBe(delivers ? 0x42 : -1);
    }
  });

  it("looks at AMD's enable registers, and knows QEMU's low vectors", () => {
    const amd = Machine.create({ cpus: 1, model: 'amd', mode: 'xapic-flat' }).lapic(0);
    amd.writeMMIO(0x410, 1);
    amd.writeMMIO(0x4a0, 2); // of 0x40-0x5f only 0x41
    for (const vector of [0x41, 0x42]) amd.accept(vector);
    expect([amd.acknowledgeVector(0x42), amd.acknowledgeVector(0x41)]).toEqual([-1, 0x41]);
    const qemu = Machine.create({ cpus: 1, model: 'qemu', mode: 'xapic-flat' }).lapic(0);
    for (const vector of [0, 5]) qemu.accept(vector);
    expect([qemu.acknowledgeVector(0), qemu.acknowledgeVector(5)]).toEqual([-1, 5]);
    expect(qemu.isr).toEqual([5]);
  });
});

describe('EOI', () => {
  it('of a disabled local APIC does nothing, by whatever call', () => {
    const machine = Machine.create({ cpus: 1, model: 'kvm', mode: 'xapic-flat' });
    const lapic = machine.lapic(0);
    lapic.accept(0x41);
    lapic.acknowledge();
    lapic.writeMSR(0x1b, 0xfee00100n);
    expect([lapic.eoi(), machine.cpu(0).eoi().kind]).toEqual([-1, 'stray']);
    lapic.writeMSR(0x1b, 0xfee00900n);
    expect([lapic.isr, lapic.eoi()]).toEqual([[0x41], 0x41]);
  });

  it('written all the same ends the offer to do without', () => {
    const lapic = Machine.create({ cpus: 1, mode: 'xapic-flat' }).lapic(0);
    for (const end of [() => lapic.eoi(), () => lapic.writeMMIO(0xb0, 0)]) {
      lapic.accept(0x31);
      lapic.acknowledge();
      expect(lapic.offerLazyEoi()).toBe(true);
      end();
      lapic.accept(0x41);
      lapic.acknowledge();
      expect(lapic.useLazyEoi()).toBe(false);
      expect([lapic.isr, lapic.eoi(), lapic.counters.strayEois]).toEqual([[0x41], 0x41, 0]);
    }
  });
});

describe('nothing is lost uncounted', () => {
  const lost = (machine: Machine, cpu: number): number => {
    const { attempted, delivered, coalesced, rejected, discarded, pending } = machine.counters(cpu);
    return attempted - delivered - coalesced - rejected - discarded - pending;
  };

  it('requests that are posted: taken, merged, rejected by a disabled local APIC, discarded by a reset', () => {
    const machine = Machine.create({ cpus: 1, mode: 'xapic-flat' });
    const lapic = machine.lapic(0);
    expect([lapic.post(0x51), lapic.post(0x51), lapic.post(0x52)]).toEqual([true, false, false]);
    expect(lapic.syncPosted()).toBe(2);
    expect(machine.counters()).toMatchObject({ attempted: 3, coalesced: 1, pending: 2 });
    lapic.post(0x53);
    lapic.writeMSR(0x1b, 0xfee00100n);
    expect(lapic.syncPosted()).toBe(1);
    expect(machine.counters()).toMatchObject({ attempted: 4, rejected: 1 });
    lapic.accept(0x54);
    expect(machine.counters()).toMatchObject({ attempted: 5, rejected: 2, pending: 2 });
    lapic.post(0x55);
    lapic.initReset();
    expect(machine.counters()).toMatchObject({ attempted: 6, discarded: 3, pending: 0 });
  });

  it('random machines: accept, post, take, EOI, INIT, power-on, both kinds of disable, restore', () => {
    const vector = fc.integer({ min: 0, max: 255 });
    const what = fc.oneof(
      fc.record({ op: fc.constantFrom('accept', 'level', 'post', 'ipi'), vector }),
      fc.record({
        op: fc.constantFrom(
          'sync',
          'take',
          'eoi',
          'iret',
          'acknowledge',
          'init',
          'reset',
          'on',
          'off',
          'hardOff',
          'hardOn',
          'sti',
          'restore',
        ),
        vector: fc.constant(0),
      }),
    );
    const models = fc.constantFrom(...MODEL_NAMES);
    const early = fc.constantFrom('take' as const, 'dispatch' as const);
    fc.assert(
      fc.property(models, early, fc.array(what, { maxLength: 60 }), (model, isrSetAt, steps) => {
        let machine = Machine.create({
          cpus: 2,
          model,
          isrSetAt,
          mode: 'xapic-flat',
          gp: 'return',
        });
        let sent = 0;
        for (const { op, vector } of steps) {
          const before = machine.counters(0).attempted;
          const posted = sent;
          sent += op === 'accept' || op === 'level' || op === 'post' ? 1 : 0;
          machine = apply(machine, op, vector);
          expect(lost(machine, 0)).toBe(0);
          if (op !== 'post' && sent > posted)
            expect(machine.counters(0).attempted).toBe(before + 1);
        }
        machine.lapic(0).syncPosted();
        const ipis = steps.filter(({ op }) => op === 'ipi').length;
        expect(lost(machine, 0)).toBe(0);
        const { attempted } = machine.counters(0);
        expect(attempted).toBeGreaterThanOrEqual(sent);
        expect(attempted).toBeLessThanOrEqual(sent + ipis);
      }),
      { numRuns: 300, seed: 20 },
    );
  });
});

function apply(machine: Machine, op: string, vector: number): Machine {
  const [lapic, cpu] = [machine.lapic(0), machine.cpu(0)];
  const actions: Record<string, () => unknown> = {
    accept: () => lapic.accept(vector),
    level: () => lapic.accept(vector, 'level'),
    post: () => lapic.post(vector),
    ipi: () => machine.lapic(1).writeMMIO(0x300, 0xc4000 | vector),
    sync: () => lapic.syncPosted(),
    take: () => cpu.take(),
    eoi: () => cpu.eoi(),
    iret: () => cpu.iret(),
    acknowledge: () => lapic.acknowledge(),
    init: () => lapic.initReset(),
    reset: () => lapic.powerOn(),
    on: () => lapic.writeMMIO(0xf0, 0x1ff),
    off: () => lapic.writeMMIO(0xf0, 0xff),
    hardOff: () => lapic.writeMSR(0x1b, 0xfee00000n),
    hardOn: () => lapic.writeMSR(0x1b, 0xfee00800n),
    sti: () => (cpu.interruptFlag = true),
  };
  actions[op]?.();
  return op === 'restore' ? Machine.restore(machine.snapshot(), { gp: 'return' }) : machine;
}
