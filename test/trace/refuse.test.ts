import { describe, expect, it } from 'vitest';
import { ftrace, read, single } from './text.js';

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
