// What emulators need of the core: time to the next event, clocks, what the CPU lacks, news without a call.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Machine, type MachineOptions } from '../../src/index.js';

const DEADLINE = 0x6e0;
const oneShot = (machine: Machine, count: number, divide = 0xb, cpu = 0): void => {
  const lapic = machine.lapic(cpu);
  lapic.writeMMIO(0x3e0, divide);
  lapic.writeMMIO(0x320, 0x41);
  lapic.writeMMIO(0x380, count);
};
const make = (options: MachineOptions = {}): Machine =>
  Machine.create({ cpus: 2, mode: 'xapic-flat', gp: 'return', ...options });

describe('the time of the next event', () => {
  it('is the first timer, and none without one', () => {
    const machine = make();
    expect(machine.nextEventNs()).toBeUndefined();
    oneShot(machine, 700, 0xb, 1);
    oneShot(machine, 500);
    machine.advance(100);
    expect(machine.nextEventNs()).toBe(500n);
    machine.advance(400);
    expect(machine.lapic(0).irr).toEqual([0x41]);
    expect(machine.nextEventNs()).toBe(700n);
    machine.lapic(1).writeMMIO(0x380, 0);
    expect(machine.nextEventNs()).toBeUndefined();
  });

  it('is the end of a storm brake', () => {
    const machine = make({ model: 'kvm' });
    machine.ioapic().setEntry(3, 0x0100_0000_0000_8831n);
    machine.ioapic().setIRQ(3, true);
    machine.runHandlers();
    expect(machine.nextEventNs()).toBe(10_000_000n);
    machine.advance(10_000_000);
    expect(machine.lapic(0).intr).toBe(true);
    expect(machine.nextEventNs()).toBeUndefined();
  });

  it('is the next retry of a serial bus, and to sleep until then is enough', () => {
    const machine = make({ model: 'p6-class', busMHz: 16.67 });
    for (let vector = 0x31; vector <= 0x33; vector++)
      machine.writeICR(1, 1, 0x800 | 0x4000 | vector);
    const at = machine.nextEventNs()!;
    expect(machine.bus.retries).toBe(0);
    machine.advance(at - machine.now - 1n);
    expect(machine.bus.retries).toBe(0);
    const next = machine.nextEventNs()!;
    machine.advance(next - machine.now);
    expect(machine.bus.retries).toBe(1);
  });

  it('random timers: nothing happens before it, something at it', () => {
    const counts = fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(counts, fc.constantFrom(24, 1000, 3333.333), (ticks, timerMHz) => {
        const machine = make({ timerMHz });
        for (const [cpu, count] of ticks.entries()) oneShot(machine, count, 0, cpu);
        const next = machine.nextEventNs();
        if (next === undefined) return ticks.every((count) => count === 0);
        machine.advance(next - 1n);
        expect(machine.counters().attempted).toBe(0);
        machine.advance(1);
        expect(machine.counters().attempted).toBeGreaterThan(0);
        return true;
      }),
      { seed: 7 },
    );
  });
});

describe('clocks', () => {
  it('the timer counts its own clock; 1000 periods of 24 MHz do not drift', () => {
    const machine = make({ timerMHz: 24 });
    const lapic = machine.lapic(0);
    oneShot(machine, 24);
    machine.advance(500);
    expect(lapic.readMMIO(0x390)).toBe(12);
    machine.advance(499);
    expect(lapic.irr).toEqual([]);
    machine.advance(1);
    expect(lapic.irr).toEqual([0x41]);
    lapic.writeMMIO(0x320, 0x20041);
    const start = machine.now;
    lapic.writeMMIO(0x380, 1); // 41.667 ns
    let fired = 0;
    lapic.acknowledge();
    lapic.eoi();
    while (fired < 999) {
      machine.advance(machine.nextEventNs()! - machine.now);
      expect(lapic.acknowledge()).toBe(0x41);
      lapic.eoi();
      fired++;
    }
    expect(machine.nextEventNs()! - start).toBe(41_666n);
  });

  it('a clock faster than 1 GHz: never more ticks left than were written, and one firing a ns', () => {
    for (const timerMHz of [1000.001, 3333.333, 4000, 100_000]) {
      const machine = make({ timerMHz });
      const lapic = machine.lapic(0);
      for (const count of [1, 2, 3, 5, 10, 1000]) {
        oneShot(machine, count);
        expect(lapic.readMMIO(0x390)).toBe(count);
        const next = machine.nextEventNs()! - machine.now;
        expect(next).toBe(BigInt(Math.max(1, Math.floor((count * 1000) / timerMHz))));
        lapic.writeMMIO(0x3e0, 0); // divide by 2: the ticks stay
        expect(lapic.readMMIO(0x390)).toBe(count);
        machine.advance(2000);
        expect([lapic.acknowledge(), lapic.eoi(), lapic.readMMIO(0x390)]).toEqual([0x41, 0x41, 0]);
      }
    }
  });

  it('a deadline is a value of the time-stamp counter', () => {
    const machine = Machine.create({ cpus: 1, tscMHz: 2400 });
    const lapic = machine.lapic(0);
    lapic.writeMSR(0x832, 0x40041);
    lapic.writeMSR(DEADLINE, 24_001);
    expect(machine.nextEventNs()).toBe(10_001n);
    machine.advance(10_000);
    expect([machine.tsc, lapic.irr]).toEqual([24_000n, []]);
    machine.advance(1);
    expect([machine.tsc >= 24_001n, lapic.irr]).toEqual([true, [0x41]]);
    lapic.writeMSR(DEADLINE, 24_000); // has passed
    expect(lapic.readMSR(DEADLINE)).toBe(0n);
    lapic.writeMSR(DEADLINE, 0xffff_ffff_ffff_ffffn);
    expect(lapic.readMSR(DEADLINE)).toBe(0xffff_ffff_ffff_ffffn);
  });

  it('slow and fast ones have no gaps', () => {
    const slow = make({ timerMHz: 0.001, tscMHz: 0.001 });
    oneShot(slow, 0xffffffff, 0xa);
    expect(slow.nextEventNs()).toBe(0xffffffffn * 128n * 1_000_000n);
    expect(slow.lapic(0).readMMIO(0x390)).toBe(0xffffffff);
    const fast = make({ timerMHz: 100_000 });
    oneShot(fast, 1);
    expect(fast.nextEventNs()).toBe(1n);
  });
});

describe('what the CPU lacks', () => {
  it('x2apic: false refuses the mode, and WRMSR to it', () => {
    expect(() => Machine.create({ mode: 'x2apic-physical', x2apic: false })).toThrow(
      /x2apic: false/,
    );
    expect(() => Machine.create({ model: 'p6-class', x2apic: true })).toThrow(/model p6-class/);
    const machine = Machine.create({ cpus: 1, x2apic: false, gp: 'return' });
    expect(machine.config.mode).toBe('xapic-physical');
    expect(machine.lapic(0).writeMSR(0x1b, 0xfee00d00)).toBe(false);
    expect(machine.lapic(0).readMSR(0x802)).toBeUndefined();
  });

  it('physicalBits says which bits of IA32_APIC_BASE are reserved', () => {
    for (const [physicalBits, top] of [
      [32, 31],
      [39, 38],
      [52, 51],
    ] as const) {
      const lapic = make({ physicalBits }).lapic(0);
      expect(lapic.writeMSR(0x1b, 0xfee00900n | (1n << BigInt(top + 1)))).toBe(false);
      expect(lapic.writeMSR(0x1b, 0xfee00900n | (1n << BigInt(top)))).toBe(true);
    }
    expect(() => make({ physicalBits: 53 })).toThrow(/physicalBits: got 53/);
    expect(() => make({ model: 'qemu', physicalBits: 36 })).toThrow(/32 with model qemu/);
  });

  it('a snapshot keeps all of it', () => {
    const machine = make({ x2apic: false, physicalBits: 40, timerMHz: 24, tscMHz: 2400.5 });
    const restored = Machine.restore(machine.snapshot());
    expect(restored.config).toEqual({ ...machine.config, gp: 'throw' });
    expect(() => make().rollback(machine.snapshot())).toThrow(/another configuration/);
  });
});

describe('a CPU of the host, without our stack of handlers', () => {
  it('lapic.acknowledge(), eoi(), takeSIPI() and initReset() need no cpu()', () => {
    const machine = make();
    const lapic = machine.lapic(0);
    for (let n = 0; n < 1000; n++) {
      lapic.accept(0x41);
      expect(lapic.outputs.intr).toBe(true);
      expect(lapic.acknowledge()).toBe(0x41);
      expect(lapic.eoi()).toBe(0x41);
    }
    expect(machine.cpu(0).handlers).toEqual([]);
    expect(lapic.counters).toMatchObject({ delivered: 1000, otherEois: 0 });
  });
});

describe('the ring of news', () => {
  /** CPUs in the ring since `seen`; undefined when some are gone. */
  function read(
    ring: { head: Uint32Array; cpus: Uint32Array },
    seen: number,
  ): number[] | undefined {
    const count = (ring.head[0]! - seen) >>> 0;
    if (count > ring.cpus.length) return undefined;
    return Array.from({ length: count }, (_, i) => ring.cpus[(seen + i) % ring.cpus.length]!);
  }

  it('has what would be told, and what was listed before', () => {
    const machine = make();
    machine.lapic(1).accept(0x41);
    let told = 0;
    machine.onNews = () => told++;
    const ring = machine.openNewsRing();
    expect(read(ring, 0)).toEqual([1]);
    machine.writeICR(0, 0, 0x80000 | 0x4000 | 0x42);
    expect(read(ring, 1)).toEqual([0, 1]);
    machine.lapic(1).accept(0x42); // merged: no news
    expect(read(ring, 3)).toEqual([]);
    expect([machine.takeWoken(), told]).toEqual([[], 0]);
    expect(() => machine.runHandlers()).toThrow(/closeNewsRing/);
    expect(() => machine.storm({ sends: 1 })).toThrow(/closeNewsRing/);
    machine.closeNewsRing();
    machine.lapic(0).accept(0x51);
    expect([read(ring, 3), told]).toEqual([[], 1]);
    expect(machine.storm({ sends: 10 }).sends).toBe(10);
  });

  it('says by its head that entries are gone', () => {
    const machine = make();
    const ring = machine.openNewsRing();
    const lapic = machine.lapic(1);
    for (let n = 0; n < ring.cpus.length; n++) {
      lapic.accept(0x41);
      lapic.acknowledge();
      lapic.eoi();
    }
    expect(read(ring, 0)!.length).toBe(ring.cpus.length);
    lapic.accept(0x41);
    expect(read(ring, 0)).toBeUndefined();
    expect(read(ring, 1)!.every((cpu) => cpu === 1)).toBe(true);
  });

  it('stays open over a rollback, and a snapshot is of a machine without it', () => {
    const machine = make();
    machine.lapic(0).accept(0x41);
    const before = machine.snapshot();
    const ring = machine.openNewsRing();
    machine.rollback(before);
    expect(read(ring, 1)).toEqual([0]);
    expect(Machine.restore(before).takeWoken()).toEqual([0]);
    expect(Machine.restore(machine.snapshot()).takeWoken()).toEqual([]);
  });
});
