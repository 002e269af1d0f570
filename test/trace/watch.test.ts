import { describe, expect, it } from 'vitest';
import { ftrace, read, replayed, single } from './text.js';

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
