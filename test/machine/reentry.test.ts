// Calls from inside calls: news that is told, storms between slices, generators that are left.
import { describe, expect, it } from 'vitest';
import { Machine, UsageError } from '../../src/index.js';
import { costSet, scenario, TimedRun } from '../../src/timed-index.js';

const four = (more = {}) => Machine.create({ cpus: 4, mode: 'xapic-flat', ...more });
const ALL_BUT_SELF = 0xc4040;

describe('onNews', () => {
  it('that throws loses nobody: the others are told with the next call', () => {
    const machine = four();
    const told: number[] = [];
    machine.onNews = (cpu) => {
      told.push(cpu);
      if (told.length === 1) throw new Error('mine');
    };
    expect(() => machine.writeICR(0, 0, ALL_BUT_SELF)).toThrow('mine');
    expect(told).toEqual([1]);
    machine.lapic(0).accept(0x50);
    expect(told).toEqual([1, 2, 3, 0]);
    expect(machine.takeWoken()).toEqual([]);
  });

  it('that throws leaves the others to takeWoken(), each once', () => {
    const machine = four();
    machine.onNews = () => {
      throw new Error('mine');
    };
    expect(() => machine.writeICR(0, 0, ALL_BUT_SELF)).toThrow('mine');
    machine.onNews = undefined;
    machine.lapic(2).accept(0x55);
    machine.lapic(0).accept(0x55);
    expect(machine.takeWoken()).toEqual([2, 3, 0]);
  });

  it('is not called inside itself, however long the chain', () => {
    const machine = four();
    let [depth, deepest, calls] = [0, 0, 0];
    machine.onNews = (cpu) => {
      deepest = Math.max(deepest, ++depth);
      machine.lapic(cpu).acknowledge();
      machine.lapic(cpu).eoi();
      if (++calls < 100_000) machine.writeICR(cpu, 1 << ((cpu + 1) % 4), 0x840 | 0x4000);
      depth--;
    };
    machine.lapic(0).accept(0x40);
    expect([calls, deepest]).toEqual([100_000, 1]);
    expect(machine.counters().pending).toBe(0);
  });

  it('is called once for a CPU whose news came twice before its turn', () => {
    const machine = four();
    const told: number[] = [];
    machine.onNews = (cpu) => {
      told.push(cpu);
      if (cpu === 1) machine.lapic(3).accept(0x60);
    };
    machine.writeICR(0, 0, ALL_BUT_SELF);
    expect(told).toEqual([1, 2, 3]);
  });

  it('may take the rest itself, or end the telling', () => {
    const machine = four();
    const told: number[] = [];
    let rest: number[] = [];
    machine.onNews = (cpu) => {
      told.push(cpu);
      rest = machine.takeWoken();
    };
    machine.writeICR(0, 0, ALL_BUT_SELF);
    expect([told, rest]).toEqual([[1], [2, 3]]);
    machine.onNews = () => {
      machine.onNews = undefined;
    };
    machine.writeICR(0, 0, ALL_BUT_SELF | 1);
    expect(machine.takeWoken()).toEqual([2, 3]);
  });

  it('that throws leaves its news in a snapshot, and to the handlers', () => {
    const broken = () => {
      const machine = four();
      machine.onNews = () => {
        throw new Error('mine');
      };
      expect(() => machine.writeICR(0, 0, ALL_BUT_SELF)).toThrow('mine');
      machine.onNews = undefined;
      return machine;
    };
    expect(Machine.restore(broken().snapshot()).takeWoken()).toEqual([2, 3]);
    const machine = broken();
    machine.runHandlers();
    expect(machine.counters()).toMatchObject({ delivered: 2, pending: 1 });
    const back = broken();
    const empty = four().snapshot();
    back.rollback(empty);
    expect(back.takeWoken()).toEqual([]);
    expect(back.snapshot()).toEqual(empty);
  });
});

describe('a storm between two slices', () => {
  const options = { sends: 1000, slice: 100, depth: 7 };
  const alone = Machine.create({ cpus: 4 }).storm({ sends: 1000, depth: 7 });

  it('refuses what would change its parameters or take its handlers, and ends right', () => {
    const machine = Machine.create({ cpus: 4 });
    const snapshot = machine.snapshot();
    const told: number[] = [];
    machine.onNews = (cpu) => told.push(cpu);
    const run = machine.stormSlices(options);
    run.next();
    for (const call of [
      () => machine.storm({ sends: 5 }),
      () => machine.stormSlices({ sends: 5 }).next(),
      () => machine.rollback(snapshot),
      () => machine.powerOn(),
      () => machine.takeWoken(),
      () => machine.runHandlers(),
    ]) {
      expect(call).toThrow(UsageError);
      expect(call).toThrow(/a storm under way on this machine.*return\(\)/);
    }
    let step = run.next();
    while (!step.done) step = run.next();
    expect(step.value).toEqual(alone);
    expect(told).toEqual([]);
    expect(machine.storm({ sends: 5 }).sends).toBe(5);
  });

  it('frees the machine when it is left, by return(), throw() or next(true)', () => {
    const machine = Machine.create({ cpus: 4 });
    for (const _ of machine.stormSlices(options)) break;
    const thrown = machine.stormSlices(options);
    thrown.next();
    expect(() => thrown.throw(new Error('mine'))).toThrow('mine');
    const ended = machine.stormSlices(options);
    ended.next();
    expect(ended.next(true)).toMatchObject({ done: true, value: { sends: 100 } });
    const never = machine.stormSlices(options);
    machine.storm({ sends: 1 });
    never.return(undefined as never);
    expect(machine.storm({ sends: 5 }).counters.pending).toBe(0);
  });

  it('leaves as news what its handlers did not take, however it ends', () => {
    const ends = [
      (run: Generator) => run.next(true),
      (run: Generator) => run.return(undefined),
      (run: Generator) => expect(() => run.throw(new Error('mine'))).toThrow('mine'),
    ];
    for (const end of ends) {
      const machine = Machine.create({ cpus: 4 });
      const told: number[] = [];
      machine.onNews = (cpu) => told.push(cpu);
      const run = machine.stormSlices(options);
      run.next();
      machine.message({ dest: 3, delivery: 4, vector: 0 });
      machine.lapic(1).writeMSR(0x835, 0x700);
      machine.lapic(1).setLINT(0, true);
      run.next();
      expect(told).toEqual([]);
      end(run);
      expect(told).toEqual(expect.arrayContaining([1, 3]));
      expect([1, 3].map((cpu) => machine.cpu(cpu).take()?.kind)).toEqual(['extint', 'nmi']);
    }
  });

  it('is refused when a ring took the news before it began', () => {
    const machine = Machine.create({ cpus: 4 });
    const run = machine.stormSlices(options);
    machine.openNewsRing();
    expect(() => run.next()).toThrow(/closeNewsRing\(\) first/);
    machine.closeNewsRing();
    expect(machine.storm({ sends: 1000, depth: 7 })).toEqual(alone);
  });

  it('checks its options when it is made, not when it begins', () => {
    const machine = Machine.create({ cpus: 4 });
    expect(() => machine.stormSlices({ send: 1 } as never)).toThrow(UsageError);
    expect(() => machine.stormSlices({ sends: 0 })).toThrow(/sends: got 0/);
  });
});

describe('runHandlers()', () => {
  it('takes vectors; what else waits stays news, and is told', () => {
    const machine = four();
    machine.writeICR(0, 0, ALL_BUT_SELF);
    machine.message({ dest: 2, delivery: 2, vector: 0 });
    machine.runHandlers();
    expect(machine.counters()).toMatchObject({ delivered: 3, pending: 0 });
    expect(machine.takeWoken()).toEqual([2]);
    expect(machine.cpu(2).take()?.kind).toBe('smi');
    machine.runHandlers();
    expect(machine.takeWoken()).toEqual([]);
    const told: number[] = [];
    machine.message({ dest: 1, delivery: 4, vector: 0 });
    machine.lapic(3).tpr = 0xf0;
    machine.lapic(3).accept(0x40);
    machine.onNews = (cpu) => told.push(cpu);
    machine.runHandlers();
    expect(told).toEqual([1]);
  });
});

describe('linux.record()', () => {
  it('is refused inside itself; the outer one goes on', () => {
    const machine = four();
    const writes = machine.linux.record((linux) => {
      linux.sendIPI(0, 1, 0x40);
      expect(() => linux.record(() => {})).toThrow(/inside another record/);
      expect(() => machine.rollback(machine.snapshot())).toThrow(/inside linux.record/);
      linux.sendIPI(0, 2, 0x40);
    });
    expect(writes).toHaveLength(2);
  });

  it('says when it had to leave writes out', () => {
    const machine = four();
    const many = () =>
      machine.linux.record((linux) => {
        for (let i = 0; i < 100_000; i++) linux.sendIPI(0, 1, 0x40);
      });
    expect(many).toThrow(/record: got "100000 writes", allowed at most/);
    expect(machine.linux.record((linux) => linux.sendIPI(0, 1, 0x40))).toHaveLength(1);
  });

  it('a list of CPUs may send on its own while it is read', () => {
    const machine = four();
    function* cpus(): Generator<number> {
      yield 1;
      machine.linux.sendIPIMask(0, [3], 0x41);
      yield 2;
    }
    machine.linux.sendIPIMask(0, cpus(), 0x40);
    expect([1, 2, 3].map((cpu) => machine.lapic(cpu).irr)).toEqual([[0x40], [0x40], [0x41]]);
  });
});

describe('effects', () => {
  it('that were too many to keep are an error, once', () => {
    const machine = four();
    machine.traceEffects(true);
    for (let i = 0; i < 1000; i++) machine.lapic(0).accept(0x40);
    expect(() => machine.takeEffects()).toThrow(/effects: got "1000 since the last call"/);
    machine.lapic(0).accept(0x40);
    expect(machine.takeEffects()).toHaveLength(1);
  });
});

describe('a timed run', () => {
  const make = (options = {}) =>
    new TimedRun(scenario('normal'), costSet('amd-epyc-x2apic'), options);

  it('has one loop at a time, and goes on after one was left', () => {
    const whole = make().run();
    const run = make({ sliceEvents: 100 });
    for (const _ of run.slices()) {
      expect(() => run.run()).toThrow(/slices: got "a run under way"/);
      break;
    }
    expect(run.run()).toEqual({ ...whole });
  });

  it('refuses to be run by its own events', () => {
    let refused = 0;
    const run: TimedRun = make({
      sliceEvents: 1000,
      onEvents: () => {
        if (refused > 0) return;
        expect(() => run.run()).toThrow(UsageError);
        refused++;
      },
    });
    expect(run.run().timedHash).toBe(make().run().timedHash);
    expect(refused).toBe(1);
  });
});
