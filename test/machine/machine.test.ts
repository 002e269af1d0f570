import { describe, expect, it } from 'vitest';
import { Machine, topologyIds, UsageError } from '../../src/index.js';

declare const WebAssembly: { Module: new (bytes: Uint8Array) => object };

describe('creating a machine', () => {
  it('numbers first threads first and leaves APIC-id gaps where a count is no power of two', () => {
    expect([...topologyIds({ sockets: 2, cores: 3, threads: 2 })]).toEqual([
      0, 2, 4, 8, 10, 12, 1, 3, 5, 9, 11, 13,
    ]);
  });

  it.each([
    [{ cpus: 9, mode: 'xapic-flat' }, /cpus: got 9, allowed 1-8 in xapic-flat/],
    [{ cpus: 61, mode: 'xapic-cluster' }, /1-60/],
    [{ cpus: 256, mode: 'xapic-physical' }, /1-255.*use an x2APIC mode/],
    [{ cpus: 65537 }, /1-65536/],
    [{ cpus: 0 }, /1-65536/],
    [{ apicIds: [1, 2, 1] }, /CPU 2's is taken/],
    [{ apicIds: [0xffffffff] }, /broadcasts/],
    [{ apicIds: [0x100000], mode: 'x2apic-cluster' }, /use x2apic-physical/],
    [{ driver: 'flat' }, /removed in 6.12/],
    [{ driver: 'kvm_pv', era: 'linux-4.0' }, /4.19/],
    [{ driver: 'physflat', mode: 'x2apic-cluster' }, /xapic-physical with driver physflat/],
    [
      { module: new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) },
      /layout fingerprint none/,
    ],
    [{ module: 3 }, /got 3/],
  ])('refuses %o with what, got, allowed', (options, message) => {
    expect(() => Machine.create(options as never)).toThrow(message);
  });

  it('takes 65,536 CPUs with sparse 32-bit ids', () => {
    const apicIds = Array.from({ length: 65536 }, (_, i) => (i * 65521) >>> 0);
    const machine = Machine.create({ apicIds, driver: 'x2apic_phys' });
    machine.linux.sendIPI(0, 65535, 0xfd);
    expect(machine.takeWoken()).toEqual([65535]);
  });

  it('runs a 65,536-CPU all-but-self storm', () => {
    const machine = Machine.create({ cpus: 65536 });
    const { counters, costs } = machine.storm({ pattern: 'allbutself', sends: 20 });
    expect(counters).toMatchObject({ attempted: 20 * 65535, delivered: 20 * 65535, pending: 0 });
    expect(costs.icrWrites).toBe(20);
  });
});

describe('destinations', () => {
  const woken = (machine: Machine) => machine.takeWoken();

  it('all ones reach every local APIC in each mode', () => {
    for (const mode of ['xapic-flat', 'xapic-cluster', 'xapic-physical'] as const) {
      for (const logical of [0, 0x800]) {
        const machine = Machine.create({ cpus: 6, mode });
        machine.writeICR(0, 0xff, logical | 0x40);
        expect(woken(machine), `${mode} ${logical}`).toHaveLength(6);
      }
    }
    for (const logical of [0, 0x800]) {
      const machine = Machine.create({ cpus: 40 });
      machine.writeICR(3, 0xffffffff, logical | 0x40);
      expect(woken(machine)).toHaveLength(40);
    }
  });

  it('xAPIC cluster mode matches the cluster nibble and a member bit', () => {
    const machine = Machine.create({ cpus: 60, mode: 'xapic-cluster' });
    machine.writeICR(0, 0x25, 0x840);
    expect(woken(machine)).toEqual([8, 10]);
    machine.writeICR(0, 0xf1, 0x841);
    expect(woken(machine)).toEqual([]);
    expect(machine.senderCosts().unclaimed).toBe(1);
  });

  it('x2APIC logical ids alias above bit 20 in physical mode', () => {
    const machine = Machine.create({ apicIds: [0x5, 0x100005, 0x15], driver: 'x2apic_phys' });
    machine.writeICR(2, 1 << 5, 0x840);
    expect(woken(machine)).toEqual([0, 1]);
  });

  it('the shorthands take or leave the sender', () => {
    const machine = Machine.create({ cpus: 4 });
    machine.writeICR(1, 0, 0x40040);
    expect(woken(machine)).toEqual([1]);
    machine.writeICR(1, 0, 0x80041);
    expect(woken(machine)).toEqual([0, 1, 2, 3]);
    machine.writeICR(1, 0, 0xc0042);
    expect(woken(machine)).toEqual([0, 2, 3]);
  });

  it('NMI bypasses the IRR', () => {
    const machine = Machine.create({ cpus: 2 });
    machine.writeICR(0, 1, 0x400);
    expect(machine.counters(1)).toMatchObject({ nmis: 1, attempted: 0, pending: 0 });
  });

  it('counts vectors below 16 as rejected', () => {
    const machine = Machine.create({ cpus: 2 });
    machine.writeICR(0, 1, 0x0f);
    expect(machine.counters(1)).toMatchObject({ attempted: 1, rejected: 1, pending: 0 });
  });

  it('refuses CPUs, destinations and vectors outside the machine', () => {
    const machine = Machine.create({ cpus: 2, mode: 'xapic-physical' });
    expect(() => machine.writeICR(2, 0, 0x40)).toThrow(UsageError);
    expect(() => machine.writeICR(0, 256, 0x40)).toThrow(/0-255/);
    expect(() => machine.linux.sendIPI(0, 2, 0x40)).toThrow(/to: got 2/);
    expect(() => machine.linux.sendIPI(0, 1, 256)).toThrow(/vector/);
    expect(() => machine.linux.sendIPI(0, 0.5, 3)).toThrow(/to: got 0.5/);
    expect(() => machine.lapic(2)).toThrow(/cpu: got 2/);
  });
});

describe('snapshots', () => {
  function busy(): Machine {
    const machine = Machine.create({ cpus: 5, driver: 'x2apic_cluster', countVectors: true });
    machine.storm({ sends: 1000, depth: 7, tpr: new Map([[2, 0xff]]) });
    machine.linux.sendIPI(0, 4, 0x55);
    machine.lapic(4).acknowledge();
    return machine;
  }

  it('bring back every register, counter and hash, and the machine goes on the same', () => {
    const machine = busy();
    const copy = Machine.restore(machine.snapshot());
    expect(copy.config).toEqual(machine.config);
    for (const m of [machine, copy]) m.storm({ sends: 100, seed: 9 });
    expect(copy.snapshot()).toEqual(machine.snapshot());
    expect(copy.eventHash).toBe(machine.eventHash);
    expect(copy.vectorCounts(1)).toEqual(machine.vectorCounts(1));
  });

  it('refuses every single changed byte, truncation and foreign data', () => {
    const bytes = busy().snapshot();
    for (let at = 0; at < bytes.length; at += at < 300 ? 1 : 97) {
      const changed = bytes.slice();
      changed[at] = changed[at]! ^ 0x40;
      expect(() => Machine.restore(changed), `byte ${at}`).toThrow(UsageError);
    }
    for (const length of [0, 7, 8, 43, 44, bytes.length - 1]) {
      expect(() => Machine.restore(bytes.subarray(0, length)), `${length} bytes`).toThrow(
        UsageError,
      );
    }
    expect(() => Machine.restore(new Uint8Array(100))).toThrow(/magic/);
  });

  it('refuses a well-sealed snapshot of an impossible state', () => {
    const bytes = busy().snapshot();
    const state = 100 + 5 * 4;
    const view = new DataView(bytes.buffer);
    view.setUint32(state, 4_000_000_000, true); // wake-list count
    let h = 0x811c9dc5;
    for (const byte of bytes.subarray(24)) h = Math.imul(h ^ byte, 0x01000193);
    view.setUint32(20, h >>> 0, true);
    expect(() => Machine.restore(bytes)).toThrow(/wake list/);
  });
});

describe('checking a snapshot', () => {
  const machine = Machine.create({ cpus: 3, driver: 'x2apic_phys', model: 'kvm' });
  machine.lapic(1).accept(0x60);
  const good = machine.snapshot();

  it('says version, layout, CPUs and configuration of a good one', () => {
    const { version, fingerprint, cpus, config, error } = Machine.checkSnapshot(good);
    expect([version, cpus, error]).toEqual([2, 3, undefined]);
    expect(fingerprint).toBe(new DataView(good.buffer).getUint32(12, true));
    expect(config).toEqual(machine.config);
    expect(machine.snapshot()).toEqual(good);
  });

  it('has the error that restoring would throw', () => {
    const wrong: unknown[] = [null, 'IPISTORM', good.buffer, good.slice(0, 50), good.slice(1)];
    for (const at of [8, 12, 16, 20, 24, 28, 40, 44, 48, 100, good.length - 1]) {
      const changed = good.slice();
      changed[at] = changed[at]! ^ 0x80;
      wrong.push(changed);
    }
    for (const bytes of wrong as Uint8Array[]) {
      const { error, config } = Machine.checkSnapshot(bytes);
      expect(error).toBeInstanceOf(UsageError);
      expect(config).toBeUndefined();
      expect(() => Machine.restore(bytes)).toThrow(error!.message);
    }
  });

  it('names the version of another ipistorm', () => {
    const old = good.slice();
    new DataView(old.buffer).setUint32(8, 1, true);
    const { version, cpus, error } = Machine.checkSnapshot(old);
    expect([version, cpus]).toEqual([1, 3]);
    expect(error!.message).toMatch(/snapshot version: got 1, allowed 2; take it again/);
  });

  it('takes a part of a larger buffer, and Node buffers', () => {
    const larger = new Uint8Array(good.length + 7);
    larger.set(good, 5);
    expect(Machine.checkSnapshot(larger.subarray(5, 5 + good.length)).error).toBeUndefined();
    expect(Machine.checkSnapshot(Buffer.from(good)).error).toBeUndefined();
  });

  it('a refused rollback leaves the machine as it was, also after a good envelope', () => {
    const bytes = good.slice();
    const view = new DataView(bytes.buffer);
    view.setUint32(100 + 3 * 4, 4_000_000_000, true); // wake-list count
    let h = 0x811c9dc5;
    for (const byte of bytes.subarray(24)) h = Math.imul(h ^ byte, 0x01000193);
    view.setUint32(20, h >>> 0, true);
    expect(() => machine.rollback(bytes)).toThrow(/wake list/);
    expect(machine.snapshot()).toEqual(good);
    machine.linux.sendIPI(0, 2, 0x70);
    expect(machine.lapic(2).irr).toEqual([0x70]);
    machine.rollback(good);
    expect(machine.snapshot()).toEqual(good);
  });
});
