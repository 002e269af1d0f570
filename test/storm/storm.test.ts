import { expect, it } from 'vitest';
import { Machine } from '../../src/index.js';

it('a storm of calls to all others leaves nothing in the mask of the next send', () => {
  const machine = Machine.create({ cpus: 8, driver: 'x2apic_cluster' });
  machine.storm({ pattern: 'allbutself', via: 'call', sends: 3 });
  machine.linux.sendIPIMask(0, [1], 0xfb);
  expect(machine.takeWoken()).toEqual([1]);
  const next = machine.storm({ pattern: 'mask', via: 'mask', size: 7, sends: 2 });
  expect(next.counters.attempted).toBe(2 * 7);
});
