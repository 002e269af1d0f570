import { describe, expect, it } from 'vitest';
import { ftrace, GENERIC, read, replayed, single } from './text.js';

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
      { cpu: 1, lost: 7, unknown: 0, gaps: 1, share: 1 },
      { cpu: 3, lost: 142, unknown: 1, gaps: 2, share: 142 / 144 },
    ]);
    const text = perf('ipi_send_cpu: cpu=1 callsite=f+0x1 callback=0x0');
    const lost = '   x     4 [002] 1.000030: PERF_RECORD_LOST lost 1234';
    const trace = read(`${text}\n${lost}\n   x 4 [002] 1.000031: PERF_RECORD_COMM: a:1/1`);
    expect(trace.losses.perCpu()).toEqual([{ cpu: 2, lost: 1234, unknown: 0, gaps: 1, share: 1 }]);
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
