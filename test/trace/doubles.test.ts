import { describe, expect, it } from 'vitest';
import { ftrace, GENERIC, read, replayed, single } from './text.js';

const NAME = 'ipi_send_cpu';

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
