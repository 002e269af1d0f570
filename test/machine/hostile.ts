// Hostile input: whatever software or a file does, the core ends in a defined state or a clear error.
import { expect } from 'vitest';
import { GeneralProtection, Machine, UsageError } from '../../src/index.js';
import { CoreHardware } from '../hardware/core.js';
import { freshPlan, randomConfig, randomOperation } from '../hardware/random.js';
import { generator, type Random } from '../reference/random.js';

/** Everything that can be asked of a machine, without an error from WebAssembly. */
function exercise(machine: Machine): void {
  for (let cpu = 0; cpu < machine.config.cpus; cpu++) {
    const lapic = machine.lapic(cpu);
    for (let reg = 0; reg < 64; reg++) lapic.peek(reg);
    lapic.exportPage();
    machine.cpu(cpu).take();
    machine.cpu(cpu).eoi();
    machine.cpu(cpu).iret();
    lapic.acknowledge();
    lapic.eoi();
    lapic.initReset();
  }
  machine.pic.acknowledge();
  machine.advance(1_000_000);
  machine.runHandlers();
  machine.writeICR(0, 0, 0xc4030);
  machine.counters();
}

function wild(random: Random): number {
  return random.pick([0, 0xffffffff, 0x80000000, random.below(256), random.below(2 ** 32)]);
}

/** Random MMIO, MSR, CR8, port and MSI accesses: values, #GP, nothing else. */
export function hostileAccesses(count: number): void {
  for (let seed = 1; seed <= count; seed++) {
    const random = generator(seed);
    const { model, start } = randomConfig(random);
    const machine = Machine.create({
      cpus: 3,
      model,
      start: start === 'reset' ? 'reset' : 'enabled',
    });
    const protect = (access: () => unknown) => {
      try {
        access();
      } catch (error) {
        expect(error).toBeInstanceOf(GeneralProtection);
      }
    };
    for (let n = 0; n < 400; n++) {
      const lapic = machine.lapic(random.below(3));
      const wide = (BigInt(wild(random)) << 32n) | BigInt(wild(random));
      const msr = random.pick([0x1b, 0x6e0, 0x800 + random.below(64), random.below(2 ** 32)]);
      protect(() => lapic.writeMSR(msr, random.below(3) ? wide & 0xffffffffn : wide));
      protect(() => lapic.readMSR(msr));
      protect(() => lapic.writeCR8(random.below(20)));
      lapic.writeMMIO(random.below(0x1000), wild(random));
      lapic.readMMIO(random.below(0x1000), random.pick([1, 2, 4] as const));
      machine.ioapic().write(random.below(0x1000), wild(random));
      machine.ioapic().read(random.below(0x1000));
      machine.pic.write(random.below(0x10000), random.below(256));
      machine.pic.read(random.below(0x10000));
      machine.signalMSI(wide, wild(random));
      machine.cpu(random.below(3)).take();
    }
    machine.advance(1000);
    expect(() => Machine.restore(machine.snapshot())).not.toThrow();
  }
}

/** Snapshots with any bit changed, sealed again: refused, or a state that works. */
export function hostileSnapshots(count: number): void {
  let refused = 0;
  let taken = 0;
  for (let seed = 1; seed <= count; seed++) {
    const random = generator(seed);
    const config = randomConfig(random);
    const hardware = new CoreHardware(config);
    freshPlan();
    for (let n = 0; n < 60; n++) hardware.apply(randomOperation(random, config));
    const snapshot = hardware.machine.snapshot();
    for (let n = 0; n < 60; n++) {
      const bytes = snapshot.slice();
      for (let flips = 1 + random.below(3); flips > 0; flips--) {
        bytes[24 + random.below(bytes.length - 24)]! ^= 1 << random.below(8);
      }
      seal(bytes);
      let machine: Machine;
      try {
        machine = Machine.restore(bytes, { gp: 'return' });
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
        refused++;
        continue;
      }
      taken++;
      exercise(machine);
    }
  }
  expect(refused).toBeGreaterThan((100 * count) / 60);
  expect(taken).toBeGreaterThan((100 * count) / 60);
}

/** Snapshots cut, lengthened, spliced or overwritten, some of them sealed again: refused, or a state that works. */
export function hostileEnvelopes(count: number): void {
  const good = [1, 2, 5].map((cpus) =>
    Machine.create({ cpus, countVectors: cpus === 2, ioapics: [] }).snapshot(),
  );
  for (let seed = 1; seed <= count; seed++) {
    const random = generator(seed);
    const [one, two] = [random.pick(good), random.pick(good)];
    const length = random.below(3) ? one.length : random.below(one.length + 50);
    const bytes = new Uint8Array(length);
    bytes.set(one.subarray(0, length));
    if (random.below(3) === 0)
      bytes.set(two.subarray(0, Math.min(length, random.below(two.length))));
    for (let n = random.below(6); n > 0 && length > 4; n--) {
      const at = random.below(2)
        ? random.below(Math.min(length, 112) - 4)
        : random.below(length - 4);
      new DataView(bytes.buffer).setUint32(at, wild(random), true);
    }
    if (random.below(2) && length > 100) {
      new DataView(bytes.buffer).setUint32(16, length, true);
      seal(bytes);
    }
    const { error } = Machine.checkSnapshot(bytes);
    if (error) expect(error, `seed ${seed}`).toBeInstanceOf(UsageError);
    else exercise(Machine.restore(bytes, { gp: 'return' }));
  }
}

/** canTake says, at every moment, what take() then does. */
export function canTakeIsTrue(count: number): void {
  let [yes, no] = [0, 0];
  for (let seed = 1; seed <= count; seed++) {
    const random = generator(seed);
    const config = randomConfig(random);
    const { machine } = new CoreHardware(config);
    const hardware = new CoreHardware(config);
    freshPlan();
    for (let n = 0; n < 80; n++) {
      hardware.apply(randomOperation(random, config));
      const snapshot = hardware.machine.snapshot();
      for (let cpu = 0; cpu < machine.config.cpus; cpu++) {
        machine.rollback(snapshot);
        const { canTake } = machine.cpu(cpu);
        if (n % 8 === 0) expect(Buffer.compare(machine.snapshot(), snapshot)).toBe(0);
        expect(machine.cpu(cpu).take() !== undefined, `seed ${seed} step ${n} CPU ${cpu}`).toBe(
          canTake,
        );
        if (canTake) yes++;
        else no++;
      }
    }
  }
  expect(Math.min(yes, no)).toBeGreaterThan(count);
}

/** Random pages of KVM_GET_LAPIC. */
export function hostilePages(count: number): void {
  for (let seed = 1; seed <= count; seed++) {
    const random = generator(seed);
    const machine = Machine.create({ cpus: 2, model: randomConfig(random).model });
    const page = Uint8Array.from({ length: 1024 }, () => random.below(256));
    machine.lapic(1).importPage(page);
    const { attempted, delivered, coalesced, rejected, discarded, pending } = machine.counters();
    expect(attempted).toBe(delivered + coalesced + rejected + discarded + pending);
    exercise(Machine.restore(machine.snapshot()));
    exercise(machine);
  }
}

/** Writes the checksum of a changed snapshot. */
function seal(bytes: Uint8Array): void {
  let h = 0x811c9dc5;
  for (const byte of bytes.subarray(24)) h = Math.imul(h ^ byte, 0x01000193);
  new DataView(bytes.buffer).setUint32(20, h >>> 0, true);
}
