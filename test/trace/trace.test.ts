import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatList } from '../../src/cli/numbers.js';
import { parseByteArrayMask, parseCpuList, parseHexMask } from '../../src/trace/cpumask.js';
import {
  detectFormat,
  parseHandlerEntry,
  parseHeaderCpus,
  parseSend,
  type TraceFormat,
  TraceParser,
} from '../../src/trace/parse.js';
import { openTrace } from '../../src/trace/read.js';

describe('cpumask texts', () => {
  it('hex groups are 32 bits, most significant first, at every word border', () => {
    for (const cpu of [0, 3, 31, 32, 33, 63, 64, 95, 127, 128]) {
      const groups = Array.from({ length: 5 }, (_, g) =>
        g === cpu >> 5 ? (1 << (cpu & 31)) >>> 0 : 0,
      );
      const text = groups
        .reverse()
        .map((g) => g.toString(16).padStart(8, '0'))
        .join(',');
      expect(parseHexMask(text)).toEqual([cpu]);
    }
    expect(parseHexMask('e')).toEqual([1, 2, 3]);
    expect(parseHexMask('3,ffffffff')).toHaveLength(34);
    expect(() => parseHexMask('xyz')).toThrow(/hex groups/);
  });

  it('lists have numbers and ascending ranges', () => {
    expect(parseCpuList('0-1,3,78-79')).toEqual([0, 1, 3, 78, 79]);
    expect(parseCpuList('')).toEqual([]);
    for (const bad of ['3-1', '1-', 'a', '1,,2', '65536', '0-65536'])
      expect(() => parseCpuList(bad), bad).toThrow(RangeError);
  });

  it('any set of CPUs survives as a list and as hex groups', () => {
    const cpus = fc
      .uniqueArray(fc.integer({ min: 0, max: 4095 }))
      .map((list) => list.sort((a, b) => a - b));
    fc.assert(
      fc.property(cpus, (list) => {
        const mask = list.reduce((bits, cpu) => bits | (1n << BigInt(cpu)), 0n);
        const groups = mask.toString(16).padStart(1024, '0').match(/.{8}/g)!.join(',');
        expect(parseCpuList(formatList(list))).toEqual(list);
        expect(parseHexMask(groups)).toEqual(list);
      }),
    );
  });

  it('byte arrays of old libtraceevent are least significant first', () => {
    expect(parseByteArrayMask('ARRAY[02, 00, 81]')).toEqual([1, 16, 23]);
  });
});

const FIELDS = 'ipi_send_cpu: cpu=3 callsite=wakeup_preempt+0x37/0x40 callback=0x0';

describe('lines', () => {
  const parse = (format: TraceFormat, line: string) => {
    const parser = new TraceParser(format);
    const kind = parser.parse(line);
    return { kind, ...parser.event, lost: parser.lostEvents };
  };

  it.each(['', '.... ', 'd.h.. ', '...1. ', 'd..h1.. ', 'd..h212 ', 'dNh2.  '])(
    'the flag column may be %j',
    (flags) => {
      const got = parse('ftrace', `   kworker/2:0-13856   [007] ${flags} 3517.445719: ${FIELDS}`);
      expect(got).toMatchObject({
        kind: 'event',
        cpu: 7,
        name: 'ipi_send_cpu',
        comm: 'kworker/2:0',
        pid: 13856,
        timeNs: 3517445719000,
      });
    },
  );

  it('comms may hold blanks, dashes, brackets and colons; a tgid column may follow', () => {
    const got = parse('ftrace', `my [1] a-b: c-12 (-------) [001] d.h..  1.000000001: ${FIELDS}\r`);
    expect(got).toMatchObject({
      kind: 'event',
      cpu: 1,
      comm: 'my [1] a-b: c',
      pid: 12,
      timeNs: 1000000001,
    });
  });

  it('perf lines: pid/tid, nanoseconds, a period before the event', () => {
    for (const head of ['swapper     0', 'my app   12/34   ', '']) {
      const got = parse('perf', `  ${head} [003] 12345.678901234:      1 ipi:${FIELDS}`);
      expect(got).toMatchObject({
        kind: 'event',
        cpu: 3,
        name: 'ipi_send_cpu',
        timeNs: 12345678901234,
      });
    }
  });

  it('latency-format lines count microseconds', () => {
    expect(
      parse('ftrace', '<idle>-0       1d..h1.. 2563695110us : local_timer_entry: vector=236'),
    ).toMatchObject({
      kind: 'event',
      cpu: 1,
      name: 'local_timer_entry',
      timeNs: 2563695110000,
    });
  });

  it('lost events, headers and buffer marks are no damage', () => {
    expect(parse('ftrace', 'CPU:3 [LOST 123 EVENTS]')).toMatchObject({ kind: 'lost', lost: 123 });
    expect(parse('trace-cmd', 'CPU:3 [7 EVENTS DROPPED]')).toMatchObject({ kind: 'lost', lost: 7 });
    for (const line of [
      '# tracer: nop',
      '##### CPU 2 buffer started ####',
      '',
      '  ',
      'cpus=4',
      'version = 6',
    ]) {
      expect(parse('ftrace', line).kind, line).toBe('comment');
    }
    expect(parse('ftrace', 'x'.repeat(2 ** 20 + 1)).kind).toBe('damaged');
  });

  it('sends name their targets in each format', () => {
    const of = (format: TraceFormat, name: string, text: string) =>
      parseSend({ name, text, cpu: 0, timeNs: 0, comm: '', pid: 0 }, format);
    const rest = 'callsite=on_each_cpu_cond_mask+0x24/0x40 callback=flush_tlb_func+0x0';
    expect(of('ftrace', 'ipi_send_cpumask', `cpumask=12 ${rest}`)?.cpus).toEqual([1, 4]);
    expect(of('trace-cmd', 'ipi_send_cpumask', `cpumask=12 ${rest}`)?.cpus).toEqual([12]);
    expect(of('perf', 'ipi_send_cpumask', `cpumask=0-1,3 ${rest}`)?.cpus).toEqual([0, 1, 3]);
    expect(of('perf', 'ipi_send_cpumask', `cpumask= ${rest}`)?.cpus).toEqual([]);
    expect(of('perf', 'ipi_send_cpumask', `cpumask=ARRAY[02, 00] ${rest}`)?.cpus).toEqual([1]);
    expect(of('perf', 'ipi_send_cpumask', `cpumask=1-x ${rest}`)).toBeUndefined();
    expect(of('perf', 'ipi_send_cpu', `cpu=9 ${rest}`)).toEqual({
      kind: 'cpu',
      cpus: [9],
      callsite: 'on_each_cpu_cond_mask',
      callback: 'flush_tlb_func',
    });
    expect(of('perf', 'ipi_send_cpu', 'cpu=9 callsite=f callback=(nil)')?.callback).toBe('');
  });

  it('no control character of a damaged line reaches the terminal', () => {
    const parser = new TraceParser('perf');
    expect(parser.parse('\x1b[2Jrubbish')).toBe('damaged');
    expect(parser.reason).toBe('not a line of perf: ?[2Jrubbish');
  });

  it('vectors are decimal and below 256', () => {
    const of = (text: string) =>
      parseHandlerEntry({ name: 'x', text, cpu: 0, timeNs: 0, comm: '', pid: 0 });
    expect([of('vector=252'), of('vector=256'), of('vector=')]).toEqual([
      252,
      undefined,
      undefined,
    ]);
  });

  it('knows a format by its header or its first event', () => {
    expect(detectFormat(['# tracer: nop'])).toBe('ftrace');
    expect(detectFormat(['cpus=4'])).toBe('trace-cmd');
    expect(
      detectFormat([
        ' a-1 [000] d..1. 1.000001: ipi_send_cpu: cpu=1 callsite=f+0x1/0x2 callback=0x0',
      ]),
    ).toBe('ftrace');
    expect(
      detectFormat([
        ' a-1 [000]  1.000001: ipi_send_cpu:         cpu=1 callsite=f+0x1 callback=0x0',
      ]),
    ).toBe('trace-cmd');
    expect(
      detectFormat([
        ' a  1 [000]  1.000001:   ipi:ipi_send_cpu: cpu=1 callsite=f+0x1 callback=0x0',
      ]),
    ).toBe('perf');
    expect(detectFormat(['hello'])).toBeUndefined();
    expect([
      parseHeaderCpus('# entries-in-buffer/entries-written: 4/4   #P:20'),
      parseHeaderCpus('cpus=4'),
      parseHeaderCpus('# x'),
    ]).toEqual([20, 4, undefined]);
  });
});

describe('reading', () => {
  it('streams multi-member gzip, and cuts a line without end instead of keeping it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ipistorm-trace-'));
    const file = join(folder, 'two.gz');
    writeFileSync(file, Buffer.concat([gzipSync('a\nb'), gzipSync(`b\n${'z'.repeat(5e6)}\nlast`)]));
    const lines: string[] = [];
    for await (const batch of openTrace(file).lines) lines.push(...batch);
    rmSync(folder, { recursive: true });
    expect(lines.map((line) => line.slice(0, 4))).toEqual(['a', 'bb', 'zzzz', 'last']);
    expect(lines[2]!.length).toBeLessThan(3e6);
  });
});
