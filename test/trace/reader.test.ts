import { describe, expect, it } from 'vitest';
import { ftrace, GENERIC, read, replayed, single } from './text.js';

const NAME = 'ipi_send_cpu';
const perf = (line: string) => `   swapper     0 [000]     1.000001:   ipi:${line}`;

describe('which tool wrote it', () => {
  it.each([
    [
      'ftrace text, 4 CPUs, clock in ns',
      ftrace(4, [
        [0, 1, single(1)],
        [0, 2, single(2)],
      ]),
    ],
    [
      'ftrace text, 4 CPUs, clock counter',
      ftrace(4, [[0, 1, single(1)]]).replace('12.000001', '12'),
    ],
    [
      'trace-cmd report, 4 CPUs, clock in ns',
      `cpus=4\n sh-9 [000]     1.000001: ipi_send_cpu:         cpu=1 callsite=f+0x1 callback=0x0`,
    ],
    [
      'trace-cmd report --ts-diff, 2 CPUs, clock in ns',
      `cpus=2\n sh-9 [000]   1.000001:          ipi_send_cpu:         cpu=1 callsite=f+0x1 callback=0x0\n sh-9 [000]   1.000003: (+2)     ipi_send_cpu:         cpu=1 callsite=f+0x1 callback=0x0`,
    ],
    [
      'trace-cmd report -l, 4 CPUs, clock in ns',
      'cpus=4\n  bash-2817    2d..1.    41.000010: ipi_send_cpu:         cpu=1 callsite=x+0x1 callback=0x0',
    ],
    [
      'trace-cmd report -R, 4 CPUs, clock in ns',
      'cpus=4\n app-5 [000] 3.000001: ipi_send_cpumask:    cpumask=ARRAY[0c, 00] callsite=0xffffffff811a2b3c callback=0xffffffff81150000',
    ],
    ['perf script, 2 CPUs, clock in ns', perf('ipi_send_cpu: cpu=1 callsite=f+0x1 callback=0x0')],
    [
      'perf script with call chains, 2 CPUs, clock in ns',
      `${perf('ipi_send_cpu: cpu=1 callsite=f+0x1 callback=0x0')}\n\tffffffff81100000 do_idle+0x10 ([kernel.kallsyms])\n\n`,
    ],
    [
      'ftrace text of function_graph, 2 CPUs, no times',
      `# tracer: function_graph\n 0)               |    /* ${single(1)} */`,
    ],
    [
      'wprof JSON, 2 CPUs, clock in ns',
      '{"version": "3.1", "capture_ipis": true}\n{"ts": 0.1, "t": "ipi_send", "cpu": 0, "kind": "single", "target_cpu": 1}',
    ],
    [
      'bpftrace or bcc lines, 4 CPUs, clock in ns',
      '5000000001 3 tracepoint:ipi:ipi_send_cpu cpu=1 callsite=f callback=g\n5000000005 3 tracepoint:ipi:ipi_send_cpu cpu=2 callsite=f callback=g',
    ],
  ])('%s', (described, text) => {
    expect(read(text).describe()).toBe(described);
  });

  it('a format that is named is taken', () => {
    const text = ' sh-9 [000]     1.000001: ipi_send_cpu: cpu=1 callsite=f+0x1/0x3 callback=0x0';
    expect(read(text).dialect.format).toBe('ftrace');
    expect(read(text, { format: 'trace-cmd' }).dialect.format).toBe('trace-cmd');
  });
});

describe('names of tasks are no anchors', () => {
  it.each(['[1] 5.0: a: b: ', '[001] 5: a: b:', 'x-1 [1] 2.1: ', 'x-1 [001] 5: -1'])(
    '%j',
    (comm) => {
      const text = ftrace(4, [
        [0, 1, single(1)],
        [0, 2, single(2)],
        [0, 3, single(3)],
      ]);
      const trace = read(text.replaceAll('task-100', `${comm}-100`));
      expect(trace).toMatchObject({ sends: 3, damagedCount: 0, cpus: 4 });
    },
  );
});

it('a console log with the dump of ftrace_dump() is read', () => {
  const log = Array.from(
    { length: 5000 },
    (_, i) => `[  100.${String(i).padStart(6, '0')}] usb 1-1: device ${i}`,
  );
  const dump = [1, 2, 3].map(
    (cpu, i) => `[  101.00000${i}]   <idle>-0         0d.h1.. 1012345${i}us : ${single(cpu)}`,
  );
  const trace = read([...log, '[  101.000000] Dumping ftrace buffer:', ...dump].join('\n'));
  expect(trace).toMatchObject({ sends: 3, damagedCount: 0, cpus: 4, clock: 'ns' });
});

describe('symbols, masks and pointers', () => {
  const send = (fields: string) => {
    const trace = read(ftrace(8, [[0, 1, `ipi_send_cpu: ${fields}`]]));
    return [trace.callsites.top(1)[0]?.name, trace.callbacks.top(1)[0]?.name];
  };

  it('offset, size and [module] are no part of a name; 0, (nil) and NULL are no callback', () => {
    expect(
      send('cpu=1 callsite=kvm_vcpu_kick+0x7b/0x90 [kvm] callback=ack_flush+0x0/0x10 [kvm]'),
    ).toEqual(['kvm_vcpu_kick', 'ack_flush']);
    expect(send('cpu=1 callsite=f.isra.0+0x1/0x2 callback=g.cold')).toEqual(['f.isra.0', 'g.cold']);
    for (const none of ['0x0', '(nil)', 'NULL', '0000000000000000', '(null)'])
      expect(send(`cpu=1 callsite=f callback=${none}`)[1], none).toBe('(reschedule)');
    expect(send('callback=0x0 callsite=0xffffffff81150000 cpu=1')).toEqual([
      '0xffffffff81150000',
      '(reschedule)',
    ]);
    expect(send('cpu=0x1 (1) callsite=f callback=g')).toEqual(['f', 'g']);
  });

  it('fields that make no sense are damage, with the line and the reason', () => {
    const trace = read(
      ftrace(4, [
        [0, 1, single(1)],
        [0, 2, 'ipi_send_cpu: cpu=x callsite=f callback=g'],
        [0, 3, 'ipi_send_cpu: cpu=1 callsite=f'],
        [0, 4, 'ipi_send_cpumask: cpumask=9-x callsite=f callback=g'],
        [0, 5, 'ipi_send_cpu: cpu=65536 callsite=f callback=g'],
        [0, 6, 'reschedule_entry: vector=300'],
      ]).replace(/\n$/, '\n\u001b[2Jrubbish\n'),
    );
    expect(trace.damagedCount).toBe(6);
    expect(trace.damaged.map((d) => d.line)).toEqual([6, 7, 8, 9, 10, 11]);
    expect(trace.damaged[5]!.reason).toBe('not a line of ftrace: ?[2Jrubbish');
    expect(trace.cpus).toBe(4);
  });

  it('an empty mask is a send to nobody', () => {
    const got = replayed(
      `${perf(`ipi_send_cpumask: cpumask= callsite=f+0x1 callback=${GENERIC}+0x0`)}\n${perf(`ipi_send_cpumask: cpumask=1-2 callsite=f+0x1 callback=${GENERIC}+0x0`)}`,
    );
    expect(got).toMatchObject({ ipis: 2 });
    expect(got.trace.damagedCount).toBe(0);
  });
});

describe('lines that are no events are no damage', () => {
  it.each([
    '# tracer: nop',
    '##### CPU 2 buffer started ####',
    '',
    '  ',
    'cpus=4',
    'version = 6',
    'CPU 3 is empty',
    '   mine:  CPU 3 is empty',
    ' => do_syscall_64',
    ' =>  <00007f1e0bdeb7d4>',
    '            bash-1     [000] d..2.   852.518101: <stack trace>',
    '            bash-1     [000] ....    852.518102: sys_close <-do_syscall_64',
    ' ------------------------------------------',
  ])('%j', (line) => {
    expect(read(`${ftrace(4, [[0, 1, single(1)]])}${line}\n`).damagedCount).toBe(0);
  });

  it('of two lines that became one the first is read, if it is whole, and the line is damaged', () => {
    const [head, first, second] = [0, 4, 5].map(
      (i) =>
        ftrace(4, [
          [0, 1, single(1)],
          [0, 2, single(2)],
        ]).split('\n')[i],
    );
    const whole = read(`${head}\n${first}${second}\n`);
    expect(whole).toMatchObject({ sends: 1, damagedCount: 1 });
    const cut = read(`${head}\n${second}\n${first!.slice(0, -60)}${second}\n`);
    expect(cut).toMatchObject({ sends: 1, damagedCount: 1 });
  });

  it('a long line is damage, and the others are read', () => {
    const trace = read(`${ftrace(4, [[0, 1, single(1)]])}${'x'.repeat(2 ** 20 + 1)}\n`);
    expect(trace.damaged).toEqual([{ line: 6, reason: 'longer than 1 MiB' }]);
    expect(trace.sends).toBe(1);
  });
});

describe('size, loss and order come from the file', () => {
  it.each([
    ['# entries-in-buffer/entries-written: 4/4   #P:20', 20],
    ['# latency: 0 us, #4/4, CPU#0 | (M:desktop VP:0, KP:0, SP:0 HP:0 #P:12)', 12],
    ['cpus=96', 96],
    [' host.dat: cpus=96', 96],
    ['# nrcpus online : 48', 48],
    ['# nothing', 2],
  ])('%s', (head, cpus) => {
    expect(read(`${head}\n${ftrace(1, [[0, 1, single(1)]])}`).cpus).toBe(cpus);
  });

  it('losses are of a CPU, of an unknown size, or of the whole buffer', () => {
    const { losses } = read(
      `# entries-in-buffer/entries-written: 3/1003   #P:4\nCPU:3 [LOST 141 EVENTS]\nCPU:3 [LOST EVENTS]\nCPU:1 [7 EVENTS DROPPED]\n${ftrace(
        4,
        [
          [0, 1, single(1)],
          [3, 2, single(1)],
          [3, 3, single(1)],
        ],
      )}`,
    );
    expect(losses).toMatchObject({ overwritten: 1000, unknown: 1, total: 1149 });
    expect(losses.perCpu()).toEqual([
      { cpu: 1, lost: 7, gaps: 1, share: 1 },
      { cpu: 3, lost: 142, gaps: 2, share: 142 / 144 },
    ]);
    const text = perf('ipi_send_cpu: cpu=1 callsite=f+0x1 callback=0x0');
    const lost = '   x     4 [002] 1.000030: PERF_RECORD_LOST lost 1234';
    const trace = read(`${text}\n${lost}\n   x 4 [002] 1.000031: PERF_RECORD_COMM: a:1/1`);
    expect(trace.losses.perCpu()).toEqual([{ cpu: 2, lost: 1234, gaps: 1, share: 1 }]);
    expect(trace.damagedCount).toBe(0);
  });

  it('blocks of CPUs are sorted by time, at one time sends first', () => {
    const got = replayed(
      ftrace(2, [
        [0, 1000, single(1)],
        [0, 2000, single(1)],
        [0, 3000, single(1)],
        [1, 1500, 'call_function_single_entry: vector=251'],
        [1, 2500, 'call_function_single_entry: vector=251'],
        [1, 3000, 'call_function_single_entry: vector=251'],
      ]),
    );
    expect(got.trace.unordered).toBe(1);
    expect(got).toMatchObject({ ipis: 3, delivered: 3, coalesced: 0, pending: 0, not_observed: 0 });
  });

  it('a span needs two times and a unit', () => {
    expect(
      read(
        ftrace(2, [
          [0, 1, single(1)],
          [0, 4, single(1)],
        ]),
      ).spanNs,
    ).toBe(3000);
    expect(read(ftrace(2, [[0, 1, single(1)]])).spanNs).toBeUndefined();
    const counter = ftrace(2, [
      [0, 1, single(1)],
      [0, 2, single(1)],
    ]).replace(/12\.00000/g, '1000');
    expect(read(counter)).toMatchObject({ clock: 'counter', spanNs: undefined });
    const tsc = counter
      .replace('10001:', '123456789012345678:')
      .replace('10002:', '123456789999999999:');
    expect(read(tsc)).toMatchObject({ clock: 'ticks', spanNs: undefined, unordered: 0 });
  });
});

describe('one send that is recorded twice counts once', () => {
  const func = 'flush_tlb_func+0x0/0x10';
  const mask = (list: string, callback: string) =>
    `ipi_send_cpumask: cpumask=${list} callsite=on_each_cpu_cond_mask+0x24/0x40 callback=${callback}`;

  it('Linux 6.4: the queued call, then the IPI if there is one', () => {
    const got = replayed(
      ftrace(4, [
        [0, 1, single(1, func)],
        [0, 2, single(1)],
        [0, 3, mask('1-3', func)],
        [0, 4, mask('1,3', `${GENERIC}+0x0/0x20`)],
        [0, 5, single(2, func)],
        [1, 6, single(1, 'wake_up_klogd_work_func+0x0/0x10')],
        [0, 7, single(3, '0x0')],
      ]),
    );
    // Not the queued calls; the irq_work to itself and the reschedule are IPIs.
    expect(got).toMatchObject({ ipis: 5 });
    expect(got.trace).toMatchObject({ doubles: 2, queuedOnly: 1, sends: 4 });
    expect(Object.fromEntries(got.trace.events.counts)).toEqual({ [NAME]: 5, ipi_send_cpumask: 2 });
  });

  it('interrupts may send between the queued call and its IPI; far ones are two sends', () => {
    const got = replayed(
      ftrace(4, [
        [0, 1, single(1, func)],
        [0, 2, single(2, '0x0')],
        [0, 3, single(1)],
        [0, 4, single(3, func)],
        [0, 5, single(2, func)],
      ]),
    );
    expect(got).toMatchObject({ ipis: 2 });
    expect(got.trace).toMatchObject({ doubles: 1, queuedOnly: 2 });
    const far = ftrace(4, [
      [0, 1, single(2)],
      [0, 900_000, mask('00000000,00000004', `${GENERIC}+0x0/0x20`)],
    ]);
    expect(replayed(far)).toMatchObject({ ipis: 2 });
  });

  it('a mask of just the CPU of the send beside it', () => {
    const got = replayed(
      ftrace(4, [
        [0, 1, mask('00000000,00000004', `${GENERIC}+0x0/0x20`)],
        [0, 2, single(2)],
      ]),
    );
    expect(got).toMatchObject({ ipis: 1 });
    expect(got.trace.doubles).toBe(1);
  });

  it('an event that two buffers of trace-cmd recorded', () => {
    const line =
      'bash-1     [000] d..1.     1.000000: ipi_send_cpu:         cpu=1 callsite=f+0x33 callback=0x0';
    const text = `      cpus=2\n                  ${line}\n mine:             ${line}\n                  ${line.replace('cpu=1', 'cpu=0')}`;
    expect(read(text)).toMatchObject({ sends: 2, copies: 1, damagedCount: 0 });
  });

  it('callbacks of kernels that record just the IPI are sends', () => {
    const got = replayed(
      ftrace(4, [
        [0, 1, single(1, func)],
        [0, 2, mask('1-3', func)],
      ]),
    );
    expect(got).toMatchObject({ ipis: 4 });
  });
});

it('a tgid may stand behind the CPU, with and without flags', () => {
  const text = ftrace(4, [
    [0, 1, single(1)],
    [0, 2, single(2)],
  ]);
  for (const to of ['[000] (   1234) d..1.', '[000] (      0)', '[000] (-------) ....'])
    expect(read(text.replaceAll('[000] d..1.', to))).toMatchObject({ sends: 2, damagedCount: 0 });
});

it('call chains with source lines are no damage', () => {
  const chain = '\n        ffffffff811a2b3c f+0x33 ([kernel.kallsyms])\n  smp.c:123\n\n';
  const text = `${perf(single(1).replaceAll('/0x20', ''))}${chain}`;
  expect(read(text)).toMatchObject({ sends: 1, damagedCount: 0 });
  expect(read(`${text}  smp.c:123\n`).damagedCount).toBe(1);
});

describe('no answer from what can not be told', () => {
  const entry = 'call_function_single_entry: vector=251';
  const none = { coalesced: 0, pending: 0 };

  it('of a CPU without any event nothing is known', () => {
    const got = replayed(
      ftrace(3, [
        [0, 1, entry],
        [0, 2, single(1)],
        [0, 3, single(1)],
        [0, 4, single(1)],
        [0, 5, single(0)],
        [0, 6, entry],
      ]),
    );
    expect(got).toMatchObject({ ...none, ipis: 4, delivered: 1, not_observed: 3 });
  });

  it('events lost on some CPU may have been those of any', () => {
    const list = [
      [0, 1, single(1)],
      [1, 2, entry],
      [0, 3, single(1)],
      [0, 4, single(1)],
    ] as const;
    const line = ([cpu, us, text]: readonly [number, number, string]) =>
      ` x 1 [00${cpu}] 1.00000${us}: ${text === entry ? 'irq_vectors' : 'ipi'}:${text}`;
    const text = list.map(line).join('\n').replaceAll('/0x130', '').replaceAll('/0x20', '');
    expect(replayed(text)).toMatchObject({ coalesced: 1, pending: 1 });
    const lost = `${text}\n x 1 [000] 0.000000: PERF_RECORD_LOST_SAMPLES lost 500`;
    const got = replayed(lost);
    expect(got).toMatchObject({ ...none, not_observed: 2 });
    expect(got.trace.losses.total).toBe(500);
    expect(got.trace.losses.perCpu()).toEqual([]);
  });

  it('a send stamped after its handler by another clock does not merge with the next', () => {
    const events = (us: number) =>
      ftrace(2, [
        [0, 0, single(1)],
        [1, 1, entry],
        [1, 10, entry],
        [0, us, single(1)],
        [0, us + 1, single(1)],
      ]);
    expect(replayed(events(11))).toMatchObject({ coalesced: 0, not_observed: 1, pending: 1 });
    expect(replayed(events(11)).replay.unseen.skew).toBe(1);
    expect(replayed(events(500_000))).toMatchObject({ coalesced: 1, not_observed: 0 });
  });

  it('an entry before the first loss has another reason', () => {
    const text = (lost: number) =>
      ftrace(4, [
        [0, 1, single(1)],
        [1, 2, entry],
        [1, 3, entry],
        [3, 4, single(0)],
        [3, 5, single(0)],
      ]).replace(new RegExp(`(.*12.00000${lost})`), 'CPU:3 [LOST 1 EVENTS]\n$1');
    expect(replayed(text(5)).replay.unexplained()[0]!.reason).toMatch(/^no send since/);
    expect(replayed(text(2)).replay.unexplained()[0]!.reason).toMatch(/lost events/);
  });

  it('perf script --deltatime has an order, no times', () => {
    const at = ['0.000000', '0.000005', '0.900000', '0.000002'];
    const text = at.map(
      (t, i) => ` x 1 [00${i % 2}] ${t}: ${i % 2 ? `irq_vectors:${entry}` : `ipi:${single(1)}`}`,
    );
    const got = replayed(text.join('\n'));
    expect(got.trace).toMatchObject({ clock: 'none', order: undefined, spanNs: undefined });
    expect(got).toMatchObject({ delivered: 2, coalesced: 0 });
  });

  it('a file of two recordings, or of fewer entries than it announces, says so', () => {
    const { trace } = replayed(
      ftrace(2, [
        [0, 1, single(1)],
        [0, 2, single(1)],
      ]).replace('2/2', '20/20'),
    );
    expect([trace.announced, trace.anchored, trace.sources.size]).toEqual([20, 2, 1]);
    const two = ftrace(2, [[0, 9, single(1)]]) + ftrace(2, [[0, 5, single(1)]]);
    expect(read(two).sources.size).toBe(2);
  });

  it('sends without their CPU are damage, and a file of them is refused', () => {
    const line = '               |  /* ipi_send_cpu: cpu=1 callsite=f callback=g */';
    expect(() => read(`# tracer: function_graph\n#\n${line}`)).toThrow(
      /which CPU sent.*funcgraph-cpu/,
    );
    const trace = read(
      `${ftrace(2, [[0, 1, single(1)]])}ipi_send_cpu: cpu=1 callsite=f callback=g`,
    );
    expect(trace).toMatchObject({ sends: 1, damagedCount: 1, withoutCpu: 1 });
  });

  it("guests' events in a host's perf recording are no events of the host", () => {
    const host = ` x 1 [000] 1.000001: ipi:${single(1)}`;
    expect(read(`VM:13376 VCPU:003${host}\n${host}`)).toMatchObject({ sends: 1, guestEvents: 1 });
    expect(() => read(`VM:13376 VCPU:003${host}`)).toThrow(/virtual machines only/);
  });

  it('sends before the first handler event are not observed, never coalesced', () => {
    const got = replayed(
      ftrace(4, [
        [0, 1, single(1)],
        [0, 2, single(1)],
        [0, 3, single(1)],
        [0, 4, single(2)],
        [1, 5, entry],
        [0, 6, single(2)],
        [2, 7, entry],
        [0, 8, single(1)],
        [0, 9, single(1)],
      ]),
    );
    expect(got).toMatchObject({ ipis: 7, delivered: 2, not_observed: 3, coalesced: 1, pending: 1 });
    expect(got.replay.unseen).toEqual({ early: 3, gap: 0, vector: 0, skew: 0 });
  });

  it('without handler events of a vector nothing is known of its IPIs', () => {
    const got = replayed(
      ftrace(2, [
        [0, 1, single(1)],
        [0, 2, single(1)],
      ]),
    );
    expect(got).toMatchObject({ ipis: 2, delivered: 0, coalesced: 0, pending: 0, not_observed: 2 });
  });

  it('where events of the target are lost, a handler may have run unseen', () => {
    const events = (lost: string) =>
      ftrace(2, [
        [0, 1, single(1)],
        [1, 2, entry],
        [0, 3, single(1)],
        [0, 4, single(1)],
        [1, 5, entry],
      ]).replace(/(.*12\.000005)/, `${lost}$1`);
    expect(replayed(events(''))).toMatchObject({ delivered: 2, coalesced: 1, not_observed: 0 });
    expect(replayed(events('CPU:1 [LOST 2 EVENTS]\n'))).toMatchObject({
      delivered: 2,
      coalesced: 0,
      not_observed: 1,
    });
    expect(replayed(events('CPU:0 [LOST 2 EVENTS]\n'))).toMatchObject({ coalesced: 1 });
    expect(replayed(events('##### CPU 1 buffer started ####\n'))).toMatchObject({
      coalesced: 0,
      not_observed: 1,
    });
  });

  it("arm's entries name a reason, and either call function is one of them", () => {
    const got = replayed(
      ftrace(4, [
        [0, 1, 'ipi_raise: target_mask=00000000,00000004 (Function call interrupts)'],
        [0, 2, single(2)],
        [2, 3, 'ipi_entry: (Function call interrupts)'],
        [2, 4, 'ipi_exit: (Function call interrupts)'],
        [0, 5, single(2, '0x0')],
        [2, 6, 'ipi_entry: (Rescheduling interrupts)'],
      ]),
    );
    expect(got).toMatchObject({ ipis: 2, delivered: 2, not_observed: 0 });
    expect(got.trace.unknownEvents).toBe(0);
  });

  it('a wakeup beside a reschedule IPI explains it', () => {
    const got = replayed(
      ftrace(4, [
        [0, 1, 'sched_waking: comm=a pid=1 prio=120 target_cpu=002'],
        [0, 2, single(2, '0x0')],
        [0, 3, 'sched_wakeup: comm=a pid=1 prio=120 target_cpu=002'],
        [0, 4, single(3, '0x0')],
        [0, 5, 'sched_wakeup: comm=b pid=2 prio=120 target_cpu=003'],
        [0, 6, single(1, '0x0')],
      ]),
    );
    expect(got.replay.wakeups).toBe(2);
  });

  it('IPIs of a hypervisor are told apart from the kernel\u2019s', () => {
    const { trace } = replayed(
      ftrace(4, [
        [0, 1, single(2)],
        [0, 2, 'kvm_apic_ipi: dst 1 vec 251 (Fixed|physical|assert|edge|dst)'],
        [0, 3, 'kvm_apic_ipi: dst 2 vec 251 (Fixed|physical|assert|edge|dst)'],
        [0, 4, 'kvm_apic_accept_irq: apicid 1 vec 251 (Fixed|edge)'],
        [0, 5, 'kvm_eoi: apicid 1 vector 251'],
      ]),
    );
    expect([...trace.kvmIpis.values()]).toEqual([{ vector: 251, delivery: 'Fixed', count: 2 }]);
    expect(trace.unknownEvents).toBe(0);
  });
});

describe('wprof', () => {
  const lines = (...events: object[]) =>
    [{ version: '3.1', capture_ipis: true }, ...events].map((e) => JSON.stringify(e)).join('\n');

  it("an ipi's time is its end; multicasts name no receivers", () => {
    const got = replayed(
      lines(
        { ts: 0.0001, t: 'ipi_send', cpu: 1, kind: 'single', target_cpu: 3 },
        { ts: 0.0002, t: 'ipi_send', cpu: 1, kind: 'single', target_cpu: 3 },
        { ts: 0.0003, t: 'ipi', start_ts: 0.00015, cpu: 3, kind: 'single', dur: 0.00015 },
        { ts: 0.0004, t: 'ipi', start_ts: 0.00035, cpu: 3, kind: 'single', dur: 0.00005 },
        { ts: 0.0005, t: 'ipi_send', cpu: 1, kind: 'multi' },
        { ts: 0.0006, t: 'ipi', cpu: 2, kind: 'multi' },
        { ts: 0.0007, t: 'switch', cpu: 5 },
        { stack: 1 },
      ),
    );
    expect(got).toMatchObject({ ipis: 2, delivered: 2, coalesced: 0, not_observed: 0 });
    expect(got.trace).toMatchObject({ untargeted: 1, unknownEvents: 1, damagedCount: 0, cpus: 6 });
  });

  it('other events may lack what an IPI needs', () => {
    const got = replayed(
      lines({ ts: 1, t: 'ipi_send', cpu: 0, kind: 'single', target_cpu: 1 }, { ts: 2, t: 'cuda' }),
    );
    expect(got.trace).toMatchObject({ damagedCount: 0, unknownEvents: 1, cpus: 2 });
  });

  it('damaged lines are counted with a reason', () => {
    const trace = read(
      `${lines({ ts: 0.1, t: 'ipi_send', cpu: 0, kind: 'single', target_cpu: 1 })}\n{"ts": 0.2, "t\n{"t": "ipi_send"}\n{"ts": 1, "t": "ipi_send", "cpu": 0, "kind": "odd"}\n3`,
    );
    expect(trace.damaged.map((d) => d.reason)).toEqual([
      'not JSON',
      'ipi_send: no cpu or ts',
      'ipi_send: kind not understood',
      'not a JSON object',
    ]);
  });
});

describe('bpftrace and bcc', () => {
  it('symbols may be missing, headers are no damage, losses count', () => {
    const got = replayed(
      'Attaching 2 probes...\n5000000001 3 ipi_send_cpu cpu=1\nLost 12 events\n5000000009 3 ipi:ipi_send_cpu cpu=2\n',
    );
    expect(got).toMatchObject({ ipis: 2, not_observed: 2 });
    expect(got.trace.callbacks.top(1)).toEqual([{ name: '(not recorded)', count: 2 }]);
    expect(got.trace).toMatchObject({ damagedCount: 0, spanNs: 8 });
    expect(got.trace.losses.total).toBe(12);
    const bcc =
      'TIME     CPU PID     TID     COMM            FUNC             -\n1.234567 3   812     812     bash            ipi_send_cpu     cpu=1 callsite=f callback=g';
    expect(replayed(bcc)).toMatchObject({ ipis: 1 });
  });
});

describe('a file without sends is refused with what it holds', () => {
  it.each([
    [
      ftrace(4, [[0, 1, 'sched_switch: a']]),
      /it holds sched_switch 1.*ipi:ipi_send_cpu.*trace-cmd record/,
    ],
    [ftrace(4, [[0, 1, 'ipi_raise: target_mask=4 (x)']]), /ipi_raise 1.*ipi_raise has no callsite/],
    [ftrace(4, [[0, 1, 'kvm_apic_ipi: dst 1 vec 2 (x|']]), /kvm_apic_ipi 1.*inside the guest/],
    [ftrace(4, [[0, 1, 'ipi_send_cpu: cpu=1']]), /line 5: ipi_send_cpu: fields not understood/],
    [ftrace(4, []), /it holds no event/],
    [`            java    31 5.000001: ipi:${single(1)}`, /no \[CPU\] column.*perf record -a/],
    ['{"traceEvents":[]}', /JSON of another tool/],
    ['# ========\n# captured on    : Mon\n# ========', /header of perf script/],
    ['[{"name": 1}]', /JSON of another tool/],
    [
      '             CPU0       CPU1\n LOC:       8812      17624   Local timer',
      /\/proc\/interrupts/,
    ],
    [
      '                    CPU0       CPU1\n          HI:          0          1\n      NET_RX:          5          6',
      /\/proc\/softirqs/,
    ],
    ['[    0.000000] Linux version 6.1\n[    0.000001] x', /a kernel log/],
    ['     0.000 swapper/0 ipi:ipi_send_cpu(cpu: 1)', /perf trace output/],
    ['ipi_send_cpu: cpu=1 callsite=f callback=g', /context-info/],
    ['hello', /a.txt: "hello".*--format names it/],
    ['     0.000 ipi:ipi_send_cpu:cpu=1 callsite=f callback=0x0', /perf trace output/],
    ['   1.000001: ipi:ipi_send_cpu: cpu=1', /no \[CPU\] column/],
    ['  java  1.000001: ipi:ipi_send_cpu: cpu=1', /no \[CPU\] column/],
    ['{"version": "3.1", "capture_ipis": false}\n{"ts":1,"t":"switch","cpu":3}', /wprof -e ipi/],
    ['', /an empty file/],
  ])('%j', (text, why) => {
    expect(() => read(text)).toThrow(why);
    try {
      read(text);
    } catch (error) {
      expect((error as Error).name).toBe('UsageError');
    }
  });
});
