import { describe, expect, it } from 'vitest';
import { Machine } from '../../src/index.js';
import {
  canTakeIsTrue,
  hostileAccesses,
  hostileEnvelopes,
  hostilePages,
  hostileSnapshots,
} from './hostile.js';

describe('hostile input', () => {
  it('random MMIO, MSR, CR8, port and MSI accesses: values, #GP, nothing else', () => {
    hostileAccesses(15);
  });

  it('arguments outside their range are refused by name', () => {
    const machine = Machine.create({ cpus: 2 });
    const lapic = machine.lapic(0);
    expect(() => lapic.readMMIO(0x1000)).toThrow(/offset: got 4096, allowed an integer 0-4095/);
    expect(() => lapic.readMMIO(0, 3 as 4)).toThrow(/size: got 3, allowed 1, 2, 4/);
    expect(() => lapic.writeMSR(0x808, -1)).toThrow(/value: got -1/);
    expect(() => lapic.writeMSR(0x808, 1n << 64n)).toThrow(/value: got 18446744073709551616/);
    expect(() => machine.ioapic(1)).toThrow(/ioapic: got 1, allowed an integer 0-0/);
    expect(() => machine.ioapic().setIRQ(24, true)).toThrow(/pin: got 24/);
    expect(() => machine.pic.setIRQ(16, true)).toThrow(/line: got 16/);
    expect(() => machine.advance(-1)).toThrow(/ns: got -1/);
    expect(() => machine.advance(1n << 63n)).toThrow(/clock below 2\^63/);
    expect(() => lapic.importPage(new Uint8Array(10))).toThrow(/page: got "10 bytes"/);
    expect(() => Machine.create({ model: 'p7' as 'sdm' })).toThrow(/model: got "p7", allowed sdm/);
    expect(() => Machine.create({ model: 'p6-class', mode: 'x2apic-cluster' })).toThrow(
      /no x2APIC/,
    );
    expect(() => Machine.create({ ioapics: [{ pins: 0, version: 0x20, id: 0 }] })).toThrow(/pins/);
  });

  it('a timer too fast for the span is an error, not a hang; time stands where it stopped', () => {
    const machine = Machine.create({ cpus: 1 });
    const lapic = machine.lapic(0);
    lapic.writeMSR(0x832, 0x20031);
    lapic.writeMSR(0x83e, 0xb);
    lapic.writeMSR(0x838, 1);
    expect(() => machine.advance(1_000_000_000)).toThrow(/timers fire more than 20000000 times/);
    expect(machine.now).toBe(20_000_000n);
  }, 60_000);

  it('snapshots with any bit changed, sealed again: refused, or a state that works', () => {
    hostileSnapshots(10);
  });

  it('snapshots cut, spliced and overwritten: refused, or a state that works', () => {
    hostileEnvelopes(3000);
  });

  it('canTake says what take() then does', () => {
    canTakeIsTrue(30);
  });

  it('random pages of KVM_GET_LAPIC are taken over within their bits', () => {
    hostilePages(20);
  });
});
