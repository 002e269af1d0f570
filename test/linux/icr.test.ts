// ICR writes of every driver, worked out by hand from the kernel's sources.
import { describe, expect, it } from 'vitest';
import type { Driver, Era } from '../../src/core/config.js';
import { Machine, type Op } from '../../src/index.js';

const ids = (...ranges: [number, number][]) =>
  ranges.flatMap(([a, b]) => Array.from({ length: b - a + 1 }, (_, i) => a + i));

interface Case {
  era: Era;
  driver: Driver;
  apicIds: number[];
  op: Op;
  from: number;
  to: number[];
  vector: number;
  /** [dest, low] in order. */
  writes: [number, number][];
  costs?: Record<string, number>;
}

const SIXTEEN_TWICE = ids([0, 15], [32, 47]);
const CASES: [string, Case][] = [
  [
    'x2apic_cluster 6.12 mask 1-31: one write per cluster, cluster 0 without CPU 0',
    {
      era: 'linux-6.12',
      driver: 'x2apic_cluster',
      apicIds: SIXTEEN_TWICE,
      op: 'send_IPI_mask',
      from: 0,
      to: ids([1, 31]),
      vector: 0xfc,
      writes: [
        [0x0000fffe, 0x8fc],
        [0x0002ffff, 0x8fc],
      ],
      costs: { fences: 1, irqSaves: 1, maskCopies: 1, icrWrites: 2 },
    },
  ],
  [
    'x2apic_cluster writes clusters in the order of their first CPU in the mask',
    {
      era: 'linux-6.12',
      driver: 'x2apic_cluster',
      apicIds: [40, 3, 41, 5],
      op: 'send_IPI_mask',
      from: 1,
      to: [0, 1, 2, 3],
      vector: 0xfc,
      writes: [
        [0x00020300, 0x8fc],
        [0x00000028, 0x8fc],
      ],
    },
  ],
  [
    'x2apic_cluster 4.0 single goes through the mask of one: fence, irq_save, copy',
    {
      era: 'linux-4.0',
      driver: 'x2apic_cluster',
      apicIds: SIXTEEN_TWICE,
      op: 'send_IPI',
      from: 0,
      to: [20],
      vector: 0xfd,
      writes: [[0x00020010, 0x8fd]],
      costs: { fences: 1, irqSaves: 1, maskCopies: 1, icrWrites: 1 },
    },
  ],
  [
    'x2apic_cluster 4.0 with the 2015 patch: fence and one write, no irq_save, no mask',
    {
      era: 'linux-4.0+send_IPI',
      driver: 'x2apic_cluster',
      apicIds: SIXTEEN_TWICE,
      op: 'send_IPI',
      from: 0,
      to: [20],
      vector: 0xfd,
      writes: [[0x00020010, 0x8fd]],
      costs: { fences: 1, irqSaves: 0, maskCopies: 0, maskWords: 0, icrWrites: 1 },
    },
  ],
  [
    'x2apic_phys under the 2015 patch still falls back to the mask',
    {
      era: 'linux-4.0+send_IPI',
      driver: 'x2apic_phys',
      apicIds: [0, 7, 9],
      op: 'send_IPI',
      from: 0,
      to: [2],
      vector: 0xfd,
      writes: [[9, 0xfd]],
      costs: { fences: 1, irqSaves: 1, maskCopies: 0 },
    },
  ],
  [
    'x2apic_cluster 4.0 allbutself has no shorthand',
    {
      era: 'linux-4.0',
      driver: 'x2apic_cluster',
      apicIds: ids([0, 19]),
      op: 'send_IPI_allbutself',
      from: 17,
      to: [],
      vector: 0xf8,
      writes: [
        [0x0000ffff, 0x8f8],
        [0x0001000d, 0x8f8],
      ],
    },
  ],
  [
    'x2apic_cluster 4.0 writes nothing for a cluster that holds only the sender',
    {
      era: 'linux-4.0',
      driver: 'x2apic_cluster',
      apicIds: ids([0, 16]),
      op: 'send_IPI_mask_allbutself',
      from: 16,
      to: ids([0, 16]),
      vector: 0xfc,
      writes: [[0x0000ffff, 0x8fc]],
    },
  ],
  [
    'x2apic_phys 6.12 mask: one fence, one physical write per CPU',
    {
      era: 'linux-6.12',
      driver: 'x2apic_phys',
      apicIds: [0, 70000, 9],
      op: 'send_IPI_mask',
      from: 0,
      to: [1, 2],
      vector: 0xfc,
      writes: [
        [70000, 0xfc],
        [9, 0xfc],
      ],
      costs: { fences: 1, irqSaves: 1, maskCopies: 0 },
    },
  ],
  [
    'x2APIC 6.12 allbutself is a shorthand with destination 0',
    {
      era: 'linux-6.12',
      driver: 'x2apic_phys',
      apicIds: ids([0, 9]),
      op: 'send_IPI_allbutself',
      from: 3,
      to: [],
      vector: 0xf8,
      writes: [[0, 0xc00f8]],
      costs: { fences: 1, irqSaves: 0 },
    },
  ],
  [
    'x2APIC self goes to the SELF_IPI register without a fence',
    {
      era: 'linux-6.12',
      driver: 'x2apic_cluster',
      apicIds: ids([0, 3]),
      op: 'send_IPI_self',
      from: 2,
      to: [],
      vector: 0xf6,
      writes: [[0, 0xf6]],
      costs: { fences: 0, selfIpiWrites: 1, icrWrites: 1 },
    },
  ],
  [
    'flat 4.0 mask: one logical write of word 0',
    {
      era: 'linux-4.0',
      driver: 'flat',
      apicIds: ids([0, 7]),
      op: 'send_IPI_mask',
      from: 0,
      to: [1, 4, 7],
      vector: 0xfc,
      writes: [[0x92, 0x8fc]],
      costs: { irqSaves: 1, icr2Writes: 1, idlePolls: 1, fences: 0 },
    },
  ],
  [
    'flat 4.0 all: the shorthand keeps the logical bit',
    {
      era: 'linux-4.0',
      driver: 'flat',
      apicIds: ids([0, 7]),
      op: 'send_IPI_all',
      from: 0,
      to: [],
      vector: 0xfc,
      writes: [[0, 0x808fc]],
      costs: { icr2Writes: 0 },
    },
  ],
  [
    'flat 4.0 allbutself under CONFIG_HOTPLUG_CPU is a mask write',
    {
      era: 'linux-4.0',
      driver: 'flat',
      apicIds: ids([0, 3]),
      op: 'send_IPI_allbutself',
      from: 1,
      to: [],
      vector: 0xfc,
      writes: [[0x0d, 0x8fc]],
    },
  ],
  [
    'physflat mask: wait, ICR2 and ICR for each CPU under one irq_save',
    {
      era: 'linux-6.12',
      driver: 'physflat',
      apicIds: [0, 8, 16, 24],
      op: 'send_IPI_mask',
      from: 0,
      to: [1, 3],
      vector: 0xfc,
      writes: [
        [8, 0xfc],
        [24, 0xfc],
      ],
      costs: { irqSaves: 1, icr2Writes: 2, icrWrites: 2, idlePolls: 2, fences: 0 },
    },
  ],
  [
    'physflat 6.12 allbutself: the shorthand, ICR2 untouched, no irq_save',
    {
      era: 'linux-6.12',
      driver: 'physflat',
      apicIds: ids([0, 9]),
      op: 'send_IPI_allbutself',
      from: 0,
      to: [],
      vector: 0xf8,
      writes: [[0, 0xc00f8]],
      costs: { irqSaves: 0, icr2Writes: 0, idlePolls: 1 },
    },
  ],
  [
    'default_32 6.12 single falls back to the mask',
    {
      era: 'linux-6.12',
      driver: 'default_32',
      apicIds: ids([0, 7]),
      op: 'send_IPI',
      from: 0,
      to: [5],
      vector: 0xfd,
      writes: [[0x20, 0x8fd]],
      costs: { irqSaves: 1 },
    },
  ],
  [
    'default_32 mask_allbutself writes CPU by CPU',
    {
      era: 'linux-6.12',
      driver: 'default_32',
      apicIds: ids([0, 7]),
      op: 'send_IPI_mask_allbutself',
      from: 2,
      to: [1, 2, 3],
      vector: 0xfc,
      writes: [
        [0x02, 0x8fc],
        [0x08, 0x8fc],
      ],
    },
  ],
  [
    'NMI is a delivery mode with vector 0',
    {
      era: 'linux-6.12',
      driver: 'x2apic_phys',
      apicIds: ids([0, 3]),
      op: 'send_IPI',
      from: 0,
      to: [3],
      vector: 2,
      writes: [[3, 0x400]],
    },
  ],
  [
    'send_call_func_ipi 6.12 to everybody else: the allbutself shorthand',
    {
      era: 'linux-6.12',
      driver: 'x2apic_cluster',
      apicIds: ids([0, 19]),
      op: 'send_call_func_ipi',
      from: 4,
      to: ids([0, 3], [5, 19]),
      vector: 0xfc,
      writes: [[0, 0xc00fc]],
    },
  ],
  [
    'send_call_func_ipi 6.12 to everybody: the all shorthand',
    {
      era: 'linux-6.12',
      driver: 'x2apic_cluster',
      apicIds: ids([0, 19]),
      op: 'send_call_func_ipi',
      from: 4,
      to: ids([0, 19]),
      vector: 0xfc,
      writes: [[0, 0x800fc]],
    },
  ],
];

function run(c: Case, extra: object = {}) {
  const machine = Machine.create({ era: c.era, driver: c.driver, apicIds: c.apicIds, ...extra });
  const writes = machine.linux.record((linux) => linux.send(c.op, c.from, c.to, c.vector));
  return { machine, writes: writes.map((w) => [w.dest, w.low]), all: writes };
}

describe('ICR writes of the Linux drivers', () => {
  it.each(CASES)('%s', (_name, c) => {
    const { machine, writes } = run(c);
    expect(writes).toEqual(c.writes);
    if (c.costs) expect(machine.senderCosts()).toMatchObject(c.costs);
  });

  it('no_ipi_broadcast sends a 6.12 broadcast call through the mask', () => {
    const c = CASES.at(-2)![1];
    expect(run(c, { noIpiBroadcast: true }).writes).toEqual([
      [0xffef, 0x8fc],
      [0x1000f, 0x8fc],
    ]);
  });

  it('6.12 on AMD sends without a fence; 4.0 keeps its mfence', () => {
    const c = CASES[0]![1];
    expect(run(c, { vendor: 'amd' }).machine.senderCosts().fences).toBe(0);
    expect(run({ ...c, era: 'linux-4.0' }, { vendor: 'amd' }).machine.senderCosts().fences).toBe(1);
  });

  it('KVM paravirtual masks take one hypercall per window of 128 APIC ids', () => {
    const c: Case = {
      era: 'linux-6.12',
      driver: 'kvm_pv',
      apicIds: ids([0, 299]),
      op: 'send_IPI_mask',
      from: 0,
      to: ids([1, 299]),
      vector: 0xfc,
      writes: [],
    };
    const { all, machine } = run(c);
    expect(all.map((w) => [w.dest, w.targets])).toEqual([
      [1, 128],
      [129, 128],
      [257, 43],
    ]);
    expect(machine.senderCosts()).toMatchObject({ hypercalls: 3, icrWrites: 0, irqSaves: 1 });
    expect(machine.counters().pending).toBe(299);
  });

  it('the KVM window grows downwards while all ids still fit', () => {
    const c: Case = {
      era: 'linux-6.12',
      driver: 'kvm_pv',
      apicIds: [0, 200, 100, 73, 72],
      op: 'send_IPI_mask',
      from: 0,
      to: [1, 2, 3, 4],
      vector: 0xfc,
      writes: [],
    };
    expect(run(c).all.map((w) => [w.dest, w.targets])).toEqual([
      [73, 3],
      [72, 1],
    ]);
  });

  it('Hyper-V uses the fast hypercall below VP 64, EX above, native beyond 4095', () => {
    const c: Case = {
      era: 'linux-6.12',
      driver: 'hyperv',
      apicIds: ids([0, 4999]),
      op: 'send_IPI_mask',
      from: 0,
      to: [3, 63],
      vector: 0xfc,
      writes: [],
    };
    expect(run(c).all.map((w) => w.register)).toEqual(['HVCALL_SEND_IPI']);
    expect(run({ ...c, to: [3, 64] }).all.map((w) => w.register)).toEqual(['HVCALL_SEND_IPI_EX']);
    expect(run({ ...c, to: [3, 4096] }).writes).toEqual([
      [3, 0xfc],
      [4096, 0xfc],
    ]);
  });

  it('a 4096-CPU mask over sparse ids writes every cluster once and reaches every CPU', () => {
    const apicIds = Array.from({ length: 4096 }, (_, i) => i * 7);
    const { writes, machine } = run({
      era: 'linux-6.12',
      driver: 'x2apic_cluster',
      apicIds,
      op: 'send_IPI_mask',
      from: 0,
      to: ids([0, 4095]),
      vector: 0xfc,
      writes: [],
    });
    const expected = new Map<number, number>();
    for (const id of apicIds)
      expected.set(id >> 4, (expected.get(id >> 4) ?? 0) | (1 << (id & 15)));
    expect(writes).toEqual(
      [...expected].map(([cluster, bits]) => [((cluster << 16) | bits) >>> 0, 0x8fc]),
    );
    expect(machine.counters().pending).toBe(4096);
  });

  it.each(['linux-4.0', 'linux-6.12'] as const)(
    '%s: clusters spread over many cpumask words are still written once',
    (era) => {
      const apicIds = Array.from({ length: 1024 }, (_, i) => (i % 64) * 16 + Math.floor(i / 64));
      const { writes, machine } = run({
        era,
        driver: 'x2apic_cluster',
        apicIds,
        op: 'send_IPI_mask_allbutself',
        from: 64,
        to: ids([0, 1023]),
        vector: 0xfc,
        writes: [],
      });
      expect(writes).toEqual(
        Array.from({ length: 64 }, (_, c) => [
          ((c << 16) | (c === 0 ? 0xfffd : 0xffff)) >>> 0,
          0x8fc,
        ]),
      );
      expect(machine.counters()).toMatchObject({ pending: 1023, coalesced: 0 });
    },
  );
});
