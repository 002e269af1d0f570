import { describe, expect, it } from 'vitest';
import {
  type TraceLine as Line,
  scanBracket,
  scanGraph,
  scanLatency,
  scanTimeless,
  scanVerbose,
  TraceLine,
  withoutCpu,
} from '../../src/trace/line.js';

const EVENT = 'ipi_send_cpu: cpu=3 callsite=f+0x1/0x2 callback=0x0';

function scan(how: (line: string, out: Line) => boolean, line: string) {
  const out = new TraceLine();
  return how(line, out) ? { ...out } : undefined;
}

describe('the anchor `[cpu] flags time: event:`', () => {
  it.each(['', '.... ', 'd.h.. ', '...1. ', 'd..h1.. ', 'd..h212 ', 'dNh2.  ', '#.#.. '])(
    'the flag column may be %j',
    (flags) => {
      expect(
        scan(scanBracket, `   kworker/2:0-13856   [007] ${flags} 3517.445719: ${EVENT}`),
      ).toMatchObject({ cpu: 7, whole: '3517', fraction: '445719', name: 'ipi_send_cpu' });
    },
  );

  it.each([
    'my [1] a-b: c-12',
    'a [002] b-3',
    'x:y: z-7',
    '<...>-12',
    '-9',
    '\u00e9\u0007[[]]-5',
    'a-1 (-------)',
    'a-1 (   123)',
    'instance: sh-90',
  ])('the task may be called %j', (task) => {
    for (const at of ['1.000001', '1.000000001', '17'])
      expect(scan(scanBracket, `${task} [013] d.h..  ${at}: ${EVENT}`)).toMatchObject({
        cpu: 13,
        name: 'ipi_send_cpu',
        text: EVENT.slice(14),
      });
  });

  it('clocks without a point count ticks, others seconds', () => {
    const of = (at: string) => scan(scanBracket, `a-1 [000] d..1. ${at}: ${EVENT}`);
    expect(of('187')).toMatchObject({ whole: '187', fraction: '', unit: 'ticks' });
    expect(of('18446744073709551615')).toMatchObject({ unit: 'ticks' });
    expect(of('5.000001')).toMatchObject({ whole: '5', fraction: '000001', unit: 'ns' });
    for (const bad of ['', '1.', '.5', '1.5', '1.0000000001', 'x', '123456789012345678901'])
      expect(of(bad), bad).toBeUndefined();
  });

  it('a difference, a period and the system of perf may stand before the event', () => {
    expect(scan(scanBracket, `sh-90 [000] d..1. 300.000025: (+15)    ${EVENT}`)).toMatchObject({
      name: 'ipi_send_cpu',
      diff: true,
    });
    for (const head of ['swapper     0', 'my app   12/34   ', '', 'no tid at all'])
      for (const period of ['', '   1 ', '250000 '])
        expect(
          scan(scanBracket, ` ${head} [003] 12345.678901234: ${period} ipi:${EVENT}`),
        ).toMatchObject({ cpu: 3, system: 'ipi', name: 'ipi_send_cpu', fraction: '678901234' });
  });

  it('perf without a time, and with the time of day', () => {
    expect(scan(scanTimeless, `x 4 [003] ipi:${EVENT}`)).toMatchObject({ unit: 'none', cpu: 3 });
    expect(scan(scanBracket, `x 4 [003] ipi:${EVENT}`)).toBeUndefined();
    expect(scan(scanBracket, `x 4 [003] 2026-11-25 10:00:01.000002 ipi:${EVENT}`)).toMatchObject({
      whole: '1795600801',
      fraction: '000002',
      name: 'ipi_send_cpu',
    });
    for (const misc of ['', 'K     '])
      expect(
        scan(scanBracket, `x 4 [003] ${misc}2026-11-25 10:00:01.000002    7.000003: ipi:${EVENT}`),
      ).toMatchObject({ whole: '7', fraction: '000003' });
  });

  it('functions and stacks have an anchor but no event', () => {
    for (const rest of ['sys_close <-do_syscall_64', '<stack trace>', 'sys_open(a: 1) -> 0x3'])
      expect(scan(scanBracket, `a-1 [000] .... 1.000001: ${rest}`)).toMatchObject({ name: '' });
  });

  it('is not found where there is none', () => {
    for (const line of [
      '',
      'rubbish',
      '[000]',
      'a-1 [000] 1.000001:',
      'a [000] x y 1.000001: e: f',
      'a-1 [0000000] 1.000001: e: f',
      'a-1 [1] 1.000001: e: f',
      'a-1 [99999] 1.000001: e: f',
      'word [000] 1.000001: e: f',
    ])
      expect(scan(scanBracket, line), line).toBeUndefined();
  });
});

describe('other anchors', () => {
  it('the latency format has CPU and flags in one word', () => {
    for (const [at, want] of [
      ['2563695110us :', ['2563', '695110']],
      ['52us+:', ['0', '000052']],
      ['52us!:', ['0', '000052']],
      ['   41.000061:', ['41', '000061']],
    ] as const)
      expect(scan(scanLatency, `<idle>-0       12d..h1. ${at} ${EVENT}`)).toMatchObject({
        cpu: 12,
        whole: want[0],
        fraction: want[1],
        name: 'ipi_send_cpu',
      });
    expect(scan(scanLatency, `a-1  2d..1. 17: ${EVENT}`)).toMatchObject({ unit: 'ticks' });
    expect(scan(scanLatency, 'sh-1 3 12: x: y')).toBeUndefined();
  });

  it('the verbose latency format has its time in hex', () => {
    const line = `            bash    1994   3 0 00000001 0000001c [00001a2b] 6.699ms (+0.012ms): ${EVENT}`;
    expect(scan(scanVerbose, line)).toMatchObject({ cpu: 3, whole: '0', fraction: '006699' });
    expect(
      scan(scanVerbose, line.replace('[00001a2b] 6.699ms (+0.012ms)', '[0000000000000010] 4 (+1)')),
    ).toMatchObject({ whole: '16', unit: 'ticks' });
  });

  it('function_graph prints events as comments', () => {
    const of = (line: string) => scan(scanGraph, line);
    expect(of(` 2)               |    /* ${EVENT} */`)).toMatchObject({
      cpu: 2,
      unit: 'none',
      name: 'ipi_send_cpu',
      text: EVENT.slice(14),
    });
    expect(of(` 12.000100 |   11)  bash-4794    |               |  /* ${EVENT} */`)).toMatchObject({
      cpu: 11,
      whole: '12',
      fraction: '000100',
      name: 'ipi_send_cpu',
    });
    expect(of(`   1002.300 us |   1)               |    /* ${EVENT} */`)).toMatchObject({
      cpu: 1,
      whole: '0',
      fraction: '001002300',
    });
    for (const line of [
      ' 0)   0.210 us    |    llist_add_batch();',
      ' 0)               |  f() { /* g */',
      ' 0)    <idle>-0    =>  ipiload-526  ',
      ' 1) + 27.857 us   |      default_send_IPI_allbutself();',
    ])
      expect(of(line)?.name ?? 'none', line).toBe('');
    expect(of('   | }')).toBeUndefined();
  });

  it('perf of one process has a time and no CPU', () => {
    expect(withoutCpu(`            java    31 5.000001: ipi:${EVENT}`)).toBe('ipi_send_cpu');
    expect(withoutCpu('rubbish 5.000001: x')).toBeUndefined();
  });
});

describe('time grows with the length of a line, not faster', () => {
  const LONG = 1 << 20;
  const hostile = [
    ' ',
    '[',
    '[1] ',
    '-1 ',
    '-1 1aaaa ',
    '1 ',
    '[001] a       ',
    'ab: ',
    '| 0) ',
    '/* ',
    '(+',
    '\t',
    'cpu=',
    '0) | /* a: ',
    '1-1 [1] 1.0',
    ' (+] ',
  ].map((part) => part.repeat(Math.ceil(LONG / part.length)).slice(0, LONG));

  it.each([scanBracket, scanTimeless, scanLatency, scanVerbose, scanGraph])('%o', (how) => {
    const out = new TraceLine();
    const begin = performance.now();
    for (const line of hostile) how(line, out);
    // 16 lines of 1 MiB: some 100 ms here; a quadratic scan would take hours.
    expect(performance.now() - begin).toBeLessThan(30_000);
  });
});
