// Every state that two CPUs reach with a few vectors, and every operation in it.
import { expect } from 'vitest';
import { Machine } from '../../src/index.js';
import { ReferenceApic } from './apic.js';
import { coreState, firstDifference } from './fuzzer.js';

type Act = (machine: Machine, apics: ReferenceApic[]) => void;

function everyAct(vectors: number[], tprs: number[]): Act[] {
  const acts: Act[] = [];
  for (const cpu of [0, 1]) {
    for (const v of vectors)
      acts.push((m, a) => [m.linux.sendIPI(1 - cpu, cpu, v), a[cpu]!.accept(v, false)]);
    for (const tpr of tprs) acts.push((m, a) => [(m.lapic(cpu).tpr = tpr), a[cpu]!.setTpr(tpr)]);
    acts.push((m, a) => expect(m.lapic(cpu).acknowledge()).toBe(a[cpu]!.acknowledge()));
    acts.push((m, a) => expect(m.lapic(cpu).eoi()).toBe(a[cpu]!.eoi()));
  }
  return acts;
}

/** How many states there are; throws where core and reference differ. */
export function enumerate(vectors: number[], tprs: number[]): number {
  const acts = everyAct(vectors, tprs);
  const key = (apics: ReferenceApic[]) =>
    apics.map((a) => `${[...a.irr].sort()}/${[...a.isr].sort()}/${a.tpr}`).join(' ');
  const start = [new ReferenceApic(), new ReferenceApic()];
  const seen = new Set([key(start)]);
  const machine = Machine.create({ cpus: 2 });
  const queue = [{ snapshot: machine.snapshot(), apics: start }];
  let transitions = 0;
  for (let state = queue.pop(); state; state = queue.pop()) {
    for (const act of acts) {
      machine.rollback(state.snapshot);
      const apics = state.apics.map(copy);
      act(machine, apics);
      transitions++;
      for (const cpu of [0, 1]) {
        const difference = firstDifference(coreState(machine, cpu), apics[cpu]!.state());
        if (difference) throw new Error(`${key(state.apics)}, CPU ${cpu}: ${difference}`);
      }
      const name = key(apics);
      if (seen.has(name)) continue;
      seen.add(name);
      queue.push({ snapshot: machine.snapshot(), apics });
    }
  }
  expect(transitions).toBe(seen.size * acts.length);
  return seen.size;
}

function copy(apic: ReferenceApic): ReferenceApic {
  const twin = new ReferenceApic();
  for (const v of apic.irr) twin.irr.add(v);
  for (const v of apic.isr) twin.isr.add(v);
  twin.tpr = apic.tpr;
  Object.assign(twin.counters, apic.counters);
  return twin;
}
