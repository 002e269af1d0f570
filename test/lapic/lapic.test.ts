// One local APIC as an embedder uses it: what the fuzz and the conformance table do not reach.
import { describe, expect, it } from 'vitest';
import { GeneralProtection, Machine, MODEL_NAMES } from '../../src/index.js';

const SEOI = 0x420;
const EXT_CONTROL = 0x410;
const IER = 0x480;

describe('AMD extended space', () => {
  const amd = () => Machine.create({ cpus: 1, model: 'amd', mode: 'xapic-physical' }).lapic(0);

  it('specific EOI ends the named vector, not the highest', () => {
    const lapic = amd();
    lapic.writeMMIO(EXT_CONTROL, 2);
    for (const vector of [0x31, 0x51]) {
      lapic.accept(vector);
      lapic.acknowledge();
    }
    lapic.writeMMIO(SEOI, 0x31);
    expect(lapic.isr).toEqual([0x51]);
    lapic.writeMMIO(SEOI, 0x31); // not in service any more
    expect(lapic.isr).toEqual([0x51]);
  });

  it('specific EOI does nothing until it is enabled', () => {
    const lapic = amd();
    lapic.accept(0x31);
    lapic.acknowledge();
    lapic.writeMMIO(SEOI, 0x31);
    expect(lapic.isr).toEqual([0x31]);
  });

  it('interrupt enable registers hold a vector back, and lower ones pass', () => {
    const lapic = amd();
    lapic.writeMMIO(IER + 0x20, 0xfffffffd); // vector 0x41
    lapic.writeMMIO(EXT_CONTROL, 1);
    lapic.accept(0x41);
    expect(lapic.intr).toBe(false);
    lapic.accept(0x31);
    expect(lapic.acknowledge()).toBe(0x31);
    lapic.eoi();
    lapic.writeMMIO(IER + 0x20, 0xffffffff);
    expect(lapic.acknowledge()).toBe(0x41);
  });

  it('says what it has; other models have no such registers', () => {
    expect(amd().readMMIO(0x400)).toBe(0x40007);
    const intel = Machine.create({ cpus: 1, mode: 'xapic-physical' }).lapic(0);
    expect(intel.readMMIO(0x400)).toBe(0);
    intel.writeMMIO(0x280, 0);
    expect(intel.readMMIO(0x280)).toBe(0x80); // illegal register address
  });
});

describe('what hypervisors add', () => {
  it('posted requests need one notification and become IRR bits', () => {
    const lapic = Machine.create({ cpus: 1 }).lapic(0);
    expect([lapic.post(0x31), lapic.post(0x80), lapic.post(0x31)]).toEqual([true, false, false]);
    expect(lapic.irr).toEqual([]);
    expect(lapic.syncPosted()).toBe(2);
    expect(lapic.irr).toEqual([0x31, 0x80]);
    expect(lapic.post(0x31)).toBe(true);
  });

  it('an EOI without a write is offered only when nothing is pending and the vector is edge', () => {
    const machine = Machine.create({ cpus: 1 });
    const lapic = machine.lapic(0);
    expect(lapic.offerLazyEoi()).toBe(false);
    lapic.accept(0x31);
    expect(lapic.offerLazyEoi()).toBe(false);
    lapic.acknowledge();
    expect([lapic.offerLazyEoi(), lapic.useLazyEoi(), lapic.useLazyEoi()]).toEqual([
      true,
      true,
      false,
    ]);
    expect(lapic.isr).toEqual([]);
    lapic.accept(0x32, 'level');
    lapic.acknowledge();
    expect(lapic.offerLazyEoi()).toBe(false);
  });

  it('a withdrawn offer makes the guest write EOI', () => {
    const lapic = Machine.create({ cpus: 1 }).lapic(0);
    lapic.accept(0x31);
    lapic.acknowledge();
    lapic.offerLazyEoi();
    lapic.withdrawLazyEoi();
    expect(lapic.useLazyEoi()).toBe(false);
    expect(lapic.isr).toEqual([0x31]);
  });
});

describe('#GP as the embedder chooses', () => {
  it('throws GeneralProtection that names CPU and access, and changes nothing', () => {
    const machine = Machine.create({ cpus: 2 });
    const lapic = machine.lapic(1);
    expect(() => lapic.writeMSR(0x808, 0x100)).toThrow(GeneralProtection);
    expect(() => lapic.writeMSR(0x808, 0x100)).toThrow('CPU 1: WRMSR 0x808 of 0x100 raises #GP(0)');
    expect(() => lapic.readMSR(0x80b)).toThrow('CPU 1: RDMSR 0x80b raises #GP(0)');
    expect(() => lapic.writeCR8(16)).toThrow('CPU 1: MOV to CR8 of 0x10 raises #GP(0)');
    expect(lapic.tpr).toBe(0);
  });

  it('or returns undefined and false', () => {
    const lapic = Machine.create({ cpus: 1, gp: 'return' }).lapic(0);
    expect([lapic.writeMSR(0x802, 1), lapic.readMSR(0x80b), lapic.writeCR8(99)]).toEqual([
      false,
      undefined,
      false,
    ]);
    expect([lapic.writeMSR(0x808, 0x20), lapic.readMSR(0x808)]).toEqual([true, 0x20n]);
  });
});

describe('the register page of KVM_GET_LAPIC', () => {
  it.each(MODEL_NAMES)('%s: export, import elsewhere, export: the same bytes', (model) => {
    const busy = Machine.create({ cpus: 2, model, mode: 'xapic-physical' });
    const lapic = busy.lapic(1);
    lapic.writeMMIO(0x80, 0x20);
    lapic.writeMMIO(0x320, 0x20055);
    lapic.writeMMIO(0x3e0, 0xb);
    lapic.writeMMIO(0x380, 12345);
    lapic.writeMMIO(0x310, 0x01000000);
    lapic.writeMMIO(0x300, 0x4031);
    lapic.acknowledge();
    lapic.accept(0x91, 'level');
    lapic.accept(0xef);
    busy.advance(345);
    const page = lapic.exportPage();
    const other = Machine.create({ cpus: 2, model, mode: 'xapic-physical' }).lapic(1);
    other.importPage(page);
    expect(other.exportPage()).toEqual(page);
    expect(other.irr).toEqual([0x91, 0xef]);
    expect(other.acknowledge()).toBe(0xef);
  });

  it('puts each register into the first four bytes of its sixteen', () => {
    const lapic = Machine.create({ cpus: 2 }).lapic(1);
    lapic.accept(0x31);
    const view = new DataView(lapic.exportPage().buffer);
    expect(view.byteLength).toBe(1024);
    expect([0x20, 0x30, 0xd0, 0xf0, 0x210].map((at) => view.getUint32(at, true))).toEqual([
      1, 0x0106_0015, 2, 0x1ff, 0x20000,
    ]);
  });
});

describe('snapshots', () => {
  it('of a traced machine restore untraced, and go on the same', () => {
    const machine = Machine.create({ cpus: 2, mode: 'xapic-flat' });
    machine.traceEffects(true);
    machine.lapic(0).writeMMIO(0x310, 0x02000000);
    machine.lapic(0).writeMMIO(0x300, 0x4831);
    expect(machine.takeEffects()).toEqual([
      { cpu: 1, kind: 'set', vector: 0x31, level: false, was: false },
    ]);
    const other = Machine.restore(machine.snapshot());
    for (const m of [machine, other]) m.storm({ sends: 500, vectors: [0x41, 0x42] });
    expect(other.eventHash).toBe(machine.eventHash);
    expect(other.counters()).toEqual(machine.counters());
  });
});

describe('news', () => {
  it('onNews is called once for each CPU that has some, after the call that brought it', () => {
    const machine = Machine.create({ cpus: 4 });
    const heard: number[] = [];
    machine.onNews = (cpu) => heard.push(cpu);
    machine.linux.sendIPIMask(0, [1, 3], 0xfc);
    machine.writeICR(0, 2, 0x400);
    machine.lapic(0).writeMSR(0x83f, 0x31);
    machine.lapic(0).writeMSR(0x83f, 0x31); // merged: no news
    expect(heard).toEqual([1, 3, 2, 0]);
    expect(machine.takeWoken()).toEqual([]);
  });

  it.each([
    ['NMI', (m: Machine) => m.message({ dest: 1, delivery: 4, vector: 0 })],
    ['SMI', (m: Machine) => m.message({ dest: 1, delivery: 2, vector: 0 })],
    ['INIT', (m: Machine) => m.message({ dest: 1, delivery: 5, vector: 0 })],
    ['ExtINT', (m: Machine) => m.message({ dest: 1, delivery: 7, vector: 0 })],
    ['LINT1', (m: Machine) => [m.lapic(1).writeMMIO(0x360, 0x31), m.lapic(1).setLINT(1, true)]],
    [
      'ExtINT unmasked late',
      (m: Machine) => [m.lapic(1).setLINT(0, true), m.lapic(1).writeMMIO(0x350, 0x700)],
    ],
    [
      'timer',
      (m: Machine) => [
        m.lapic(1).writeMMIO(0x320, 0x31),
        m.lapic(1).writeMMIO(0x380, 5),
        m.advance(99),
      ],
    ],
    ['TPR', (m: Machine) => [m.lapic(1).accept(0x31), m.takeWoken(), m.lapic(1).writeCR8(0)]],
    ['MSI', (m: Machine) => m.signalMSI(0xfee01000, 0x31)],
    ['posted', (m: Machine) => [m.lapic(1).post(0x31), m.lapic(1).syncPosted()]],
  ])('%s is news', (what, cause) => {
    const machine = Machine.create({ cpus: 2, mode: 'xapic-physical' });
    if (what === 'TPR') machine.lapic(1).writeCR8(15);
    machine.takeWoken();
    cause(machine);
    expect(machine.takeWoken()).toEqual([1]);
  });

  it('a handler that sends from onNews is heard, too', () => {
    const machine = Machine.create({ cpus: 3 });
    const heard: number[] = [];
    machine.onNews = (cpu) => {
      heard.push(cpu);
      if (cpu === 1) machine.linux.sendIPI(1, 2, 0xfd);
    };
    machine.linux.sendIPI(0, 1, 0xfd);
    expect(heard).toEqual([1, 2]);
  });
});
