import { describe, expect, it } from 'vitest';
import { Why } from '../../src/report/why.js';
import {
  checkScenario,
  costSet,
  kernelMessages,
  type Scenario,
  scenario,
  TimedRun,
} from '../../src/timed-index.js';
import { SHARE, seeds } from '../scale.js';
import { base, busy, MIX, run } from './helpers.js';
import { schedulersAgree } from './schedulers.js';

describe('one result', () => {
  const count = seeds(SHARE.timed).length;
  it(`heap and windows agree on every hash, counter and latency of ${count} random scenarios`, () => {
    schedulersAgree(count);
  });

  it.each(['heap', 'windows'] as const)(
    'after any slice no wait is shorter than nothing (%s)',
    (scheduler) => {
      const what = checkScenario({
        ...base,
        machine: { cpus: 4 },
        duration_ns: 1e6,
        workloads: [{ cpus: '0-3', do: 'smp_call_function_many', wait: true }],
      });
      const timed = new TimedRun(what, costSet('intel-xeon-x2apic-cluster'), {
        scheduler,
        sliceEvents: 31,
      });
      let [slices, waits] = [0, 0];
      for (const _ of timed.slices()) {
        if (slices++ > 100) break;
        for (const { wait_ns } of timed.result().stuck) {
          waits++;
          if (!(wait_ns >= 0)) expect.fail(`waits for ${wait_ns} ns`);
        }
      }
      expect(waits).toBeGreaterThan(100);
    },
  );

  it('does not depend on where slices end', () => {
    const what = checkScenario({
      ...base,
      machine: { cpus: 8 },
      duration_ns: 2e6,
      workloads: [MIX, busy('4-7')],
    });
    const costs = costSet('intel-xeon-x2apic-cluster');
    for (const scheduler of ['heap', 'windows'] as const) {
      const whole = new TimedRun(what, costs, { scheduler });
      for (const length of [1, 7, 1000]) {
        const split = new TimedRun(what, costs, { scheduler, sliceEvents: length });
        expect(split.run().timedHash).toBe(whole.run().timedHash);
      }
    }
  });

  it('does not depend on whether somebody listens', () => {
    const what = { machine: { cpus: 8 }, duration_ns: 1e6, workloads: [MIX, busy('4-7')] };
    let heard = 0;
    const listened = run(what, undefined, { onEvents: (events) => (heard += events.length) });
    expect(listened.timedHash).toBe(run(what).timedHash);
    expect(heard).toBeGreaterThan(10_000);
  });

  it('differs by seed', () => {
    const what = { machine: { cpus: 8 }, duration_ns: 1e6, workloads: [MIX, busy('4-7')] };
    expect(run(what, undefined, { seed: 2 }).timedHash).not.toBe(run(what).timedHash);
  });
});

describe('nothing is lost without a fault', () => {
  it.each(['linux-4.0', 'linux-4.0+send_IPI', 'linux-6.12'])('%s: every call runs once', (era) => {
    const result = run({
      machine: { cpus: 8, era },
      duration_ns: 3e6,
      drain_ns: 1e6,
      workloads: [MIX, { cpus: '4-7', do: 'nothing', idle: 'poll' }],
    });
    const { counts, counters, stuck } = result;
    expect(stuck).toEqual([]);
    expect(counts.workloads_done).toBe(4);
    expect(result.latencies.queue_to_func.count).toBeGreaterThanOrEqual(counts.calls_queued);
    expect(counters.attempted).toBe(counts.ipis_sent);
    expect(counters.delivered + counters.coalesced).toBe(counts.ipis_sent);
    expect(counters.pending).toBe(0);
    const sent = result.matrix.ipis.flat().reduce((a, b) => a + b);
    expect(sent).toBe(counts.ipis_sent);
    for (const { time_ns } of result.perCpu) {
      const sum = Object.values(time_ns).reduce((a, b) => a + b);
      expect(sum).toBeCloseTo(result.elapsedNs, 3);
    }
  });
});

describe('eras', () => {
  it('a remote wakeup is a RESCHEDULE in linux-4.0 and a CALL_FUNCTION_SINGLE in linux-6.12', () => {
    const what = (era: string) => ({
      machine: { cpus: 2, era },
      duration_ns: 1e6,
      workloads: [
        { cpus: '0', do: 'ttwu_queue_wakelist', target: 1, loops: 10, think_ns: 5000 },
        busy('1'),
      ],
    });
    expect(run(what('linux-4.0')).perCpu[1]!.interrupts).toMatchObject({ RES: 10, CAL: 0 });
    expect(run(what('linux-6.12')).perCpu[1]!.interrupts).toMatchObject({ RES: 0, CAL: 10 });
  });

  it('linux-4.0 sends many to everybody, linux-6.12 only where the queue was empty', () => {
    const what = (era: string) => ({
      machine: { cpus: 16, era },
      duration_ns: 1e6,
      drain_ns: 2e5,
      workloads: [{ cpus: 'all', do: 'smp_call_function_many', wait: true, think_ns: 500 }],
    });
    const old = run(what('linux-4.0')).counts;
    const now = run(what('linux-6.12')).counts;
    expect(old.ipis_sent).toBe(old.calls_queued);
    expect(now.ipis_sent).toBeLessThan(now.calls_queued / 2);
  });

  it('a polling idle CPU is woken without an IPI in linux-6.12', () => {
    const what = (idle: string) => ({
      machine: { cpus: 2 },
      duration_ns: 1e6,
      workloads: [
        {
          cpus: '0',
          do: 'smp_call_function_single',
          target: 1,
          wait: true,
          loops: 10,
          think_ns: 9000,
        },
        { cpus: '1', do: 'nothing', idle },
      ],
    });
    expect(run(what('poll')).counts).toMatchObject({ ipis_sent: 0, ipis_polling: 10 });
    expect(run(what('halt')).counts).toMatchObject({ ipis_sent: 10, idle_wakes: 10 });
  });

  it('stops with REBOOT, and after a second by NMI: one for each in linux-6.12, all in linux-4.0', () => {
    const what = (era: string) =>
      checkScenario({ ...scenario('stop-machine'), machine: { cpus: 8, era } });
    const stop = (era: string) =>
      new TimedRun(what(era), costSet('intel-xeon-x2apic-cluster')).run();
    expect(stop('linux-6.12').counts).toMatchObject({ stopped: 6, ipis_sent: 7 + 2, nmis: 2 });
    expect(stop('linux-4.0').counts).toMatchObject({ stopped: 6, ipis_sent: 7 + 7, nmis: 7 });
    expect(stop('linux-6.12').elapsedNs).toBeGreaterThan(1.01e9);
  });
});

const why = (name: string) => {
  const what = scenario(name);
  const costs = costSet(what.costs!);
  const result = new TimedRun(what, costs).run();
  const stuck = result.stuck.length > 0;
  const wait = stuck ? result.stuck[0]! : result.slowest[0]!;
  return { result, ...new Why(what, costs, {}, wait, stuck).run() };
};

describe('why', () => {
  it('one lost IPI wedges its target for good, and the chain shows it', () => {
    const { result, steps, cause, stuck } = why('dropped-icr');
    expect(stuck).toBe(true);
    expect(result.counts.dropped).toBe(1);
    expect(result.stuck.map(({ cpu, target }) => [cpu, target])).toEqual([
      [0, 3],
      [1, 3],
      [2, 3],
    ]);
    const texts = steps.map(({ text }) => text).join('\n');
    expect(texts).toMatch(/the queue was empty: writes the ICR/);
    expect(texts).toMatch(/the message is lost \(fault\): IRR is not set/);
    expect(texts).toMatch(/finds the queue not empty: sends no IPI either/);
    expect(cause).toMatch(/was lost.*never empty.*wedged/);
  });

  it('the same loss before "IPI only when the queue was empty" of linux-6.12 many calls recovers', () => {
    const what = (era: string): Scenario =>
      checkScenario({
        ...scenario('dropped-icr'),
        machine: { cpus: 4, era },
        workloads: [
          {
            cpus: '0-2',
            do: 'smp_call_function_many',
            wait: true,
            think_ns: 2000,
            spread: 'exponential',
            loops: 1000,
          },
          busy('3'),
        ],
        faults: [{ fault: 'drop', to: 3, vector: 252, nth: 100 }],
      });
    const stuck = (era: string) =>
      new TimedRun(what(era), costSet('intel-xeon-x2apic-cluster')).run().stuck.length;
    // linux-4.0 sends to all targets of every call: the next one empties the queue.
    expect(stuck('linux-4.0')).toBe(0);
    expect(stuck('linux-6.12')).toBeGreaterThan(0);
  });

  it('a lost EOI blocks its class: named as the vector in service', () => {
    const { cause, result } = why('lost-eoi');
    expect(cause).toMatch(/vector 251 is in service, whose handler lost its EOI/);
    expect(result.counters.pending).toBeGreaterThan(0);
  });

  it('interrupts off: the wait is as long, and says so', () => {
    const { cause, result } = why('irqs-off');
    expect(cause).toMatch(/the target had its interrupts off \(39\.99\d ms/);
    expect(result.slowest[0]!.wait_ns).toBeGreaterThan(39.9e6);
  });

  it('a forgotten mask copy: linux-4.0 returns before its functions ran', () => {
    const result = new TimedRun(
      scenario('forgotten-copy'),
      costSet('intel-xeon-x2apic-cluster'),
    ).run();
    expect(result.counts.masks_lost).toBeGreaterThan(100);
    expect(result.latencies.call.minPs).toBeLessThan(result.latencies.queue_to_func.minPs);
    const now = {
      ...scenario('forgotten-copy'),
      machine: { cpus: 32, era: 'linux-6.12' as const },
    };
    expect(new TimedRun(now, costSet('intel-xeon-x2apic-cluster')).run().counts.masks_lost).toBe(0);
  });

  it("prints csd lock reports in the kernel's words, sends again, and gets unstuck", () => {
    const { result } = why('csd-stall');
    const lines = kernelMessages(result.messages);
    expect(lines[0]).toMatch(
      /^\[ {4}5\.\d{6}\] smp: csd: Detected non-responsive CSD lock \(#1\) on CPU#0, waiting 500\d{7} ns for CPU#03 empty\+0x0\/0x10\(0x0\)\.$/,
    );
    expect(lines[1]).toMatch(/smp: \tcsd: CSD lock \(#1\) unresponsive\.$/);
    expect(lines[2]).toMatch(/Re-sending CSD lock \(#1\) IPI from CPU#00 to CPU#03$/);
    expect(lines[3]).toMatch(/CSD lock \(#1\) got unstuck on CPU#00, CPU#03 released the lock\.$/);
    expect(result.stuck).toEqual([]);
    expect(result.counts.csd_resent).toBe(1);
  });

  it('repeats its report at timeout * (n + 1) * (ilog2(online) / 2 + 1)', () => {
    const result = run({
      machine: { cpus: 4 },
      duration_ns: 100e9,
      workloads: [
        { cpus: '0', do: 'smp_call_function_single', target: 1, wait: true, loops: 1 },
        busy('1-3'),
      ],
      faults: [{ fault: 'dead', to: 1 }],
    });
    const at = kernelMessages(result.messages)
      .filter((line) => /Detected|Continued/.test(line))
      .map((line) => Math.round(Number(/^\[ *(\d+\.\d+)\]/.exec(line)![1])));
    // 5 s, then 5 s * 2 * 2 later, then 5 s * 3 * 2 ...
    expect(at).toEqual([5, 25, 55, 95]);
  });
});
