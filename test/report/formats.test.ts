import { deflateSync } from 'node:zlib';
import * as hdr from 'hdr-histogram-js';
import { beforeAll, describe, expect, it } from 'vitest';
import { X } from '../../src/core/memory.js';
import { chromeTrace } from '../../src/report/formats/chrome.js';
import { EventLog } from '../../src/report/formats/event-log.js';
import { ftraceText } from '../../src/report/formats/ftrace.js';
import { type Mark, marksOf } from '../../src/report/formats/marks.js';
import { perfettoTrace } from '../../src/report/formats/perfetto.js';
import { compressHdr, hdrLog } from '../../src/report/hdr.js';
import {
  csvRows,
  interruptRows,
  ipiBenchmarkLine,
  log2Rows,
  matrixRows,
  osnoiseTable,
} from '../../src/report/tables.js';
import { whySheet } from '../../src/report/text.js';
import { type TimedEvent, type TimedResult, TimedRun } from '../../src/timed/engine.js';
import { bucketEnd, bucketStart } from '../../src/timed/histogram.js';
import { costSet, scenario } from '../../src/timed/library.js';
import { TraceReader } from '../../src/trace/reader.js';
import { Replay } from '../../src/trace/replay.js';
import fields from '../fixtures/perfetto-fields.json' with { type: 'json' };

const CPUS = 20;
const byTime = (events: readonly TimedEvent[]) => events.toSorted((a, b) => a.ps - b.ps);
let result: TimedResult;
let log: TimedEvent[];
let marks: Mark[];

beforeAll(() => {
  log = [];
  const what = {
    ...scenario('scftorture'),
    machine: { cpus: CPUS },
    duration_ns: 2e6,
    drain_ns: 5e5,
  };
  result = new TimedRun(what, costSet('kvm-x2apic-cluster'), {
    onEvents: (events) => log.push(...events),
  }).run();
  marks = [...marksOf(byTime(log))];
});

/** Every field of a message: [number, wire type, value]. */
function decode(bytes: Uint8Array): [number, number, number | Uint8Array][] {
  const out: [number, number, number | Uint8Array][] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag % 8;
    const field = Math.floor(tag / 8);
    if (wire === 0) out.push([field, wire, varint()]);
    else if (wire === 1) {
      const value = Number(
        new DataView(bytes.buffer, bytes.byteOffset + at, 8).getBigUint64(0, true),
      );
      out.push([field, wire, value]);
      at += 8;
    } else {
      const length = varint();
      out.push([field, wire, bytes.subarray(at, at + length)]);
      at += length;
    }
  }
  if (at !== bytes.length) expect.fail(`ends at byte ${at} of ${bytes.length}`);
  return out;
}

type Fields = Record<string, { number: number; wire: number; message?: string }>;
/** The message as an object, by the published field numbers; anything else fails. */
function read(message: string, bytes: Uint8Array): Record<string, unknown[]> {
  const known = byNumber(message);
  const object: Record<string, unknown[]> = {};
  for (const [number, wire, value] of decode(bytes)) {
    const field = known.get(number);
    if (!field || wire !== field.wire)
      expect.fail(`${message} field ${number}, wire type ${wire}: published ${field?.wire}`);
    (object[field.name] ??= []).push(
      field.message ? read(field.message, value as Uint8Array) : value,
    );
  }
  return object;
}

const published = new Map<string, Map<number, Fields[string] & { name: string }>>();
function byNumber(message: string): Map<number, Fields[string] & { name: string }> {
  const known = Object.entries((fields as Record<string, unknown>)[message] as Fields);
  if (!published.has(message))
    published.set(message, new Map(known.map(([name, f]) => [f.number, { ...f, name }])));
  return published.get(message)!;
}

describe('the packed log', () => {
  it('gives back what came, by time, as often as asked', () => {
    const packed = new EventLog();
    // More than a block, and every block with what belongs into the one before.
    const many = Array.from({ length: 3 }, (_, round) =>
      log.map((event) => ({ ...event, ps: event.ps + round * 1e9 })),
    ).flat();
    packed.add(many);
    expect(packed.count).toBe(many.length);
    for (let again = 0; again < 2; again++) {
      const back = [...packed.byTime()];
      const wrong = byTime(many).findIndex(
        (event, i) => JSON.stringify(event) !== JSON.stringify(back[i]),
      );
      expect(wrong).toBe(-1);
    }
    expect(packed.reads).toBe(2 * many.length);
  });

  it('marks and lines come in order of time', () => {
    for (const [i, mark] of marks.entries())
      if (i > 0 && mark.ps < marks[i - 1]!.ps) expect.fail(`mark ${i}`);
  });
});

describe('Perfetto', () => {
  it('is a Trace by its published field numbers: slices nest, flows lead from one send to a handler', () => {
    const pieces = [...perfettoTrace(marks, CPUS)];
    const bytes = Uint8Array.from(Buffer.concat(pieces));
    const packets = read('Trace', bytes).packet as Record<string, unknown[]>[];
    const depth = new Map<number, number>();
    const flows = new Map<number, string[]>();
    let tracks = 0;
    let last = 0;
    // Plain comparisons: there are 15,000 packets.
    for (const [n, packet] of packets.entries()) {
      if (String(packet.trusted_packet_sequence_id) !== '1') expect.fail(`packet ${n}: sequence`);
      if (packet.track_descriptor) {
        tracks++;
        continue;
      }
      const [time] = packet.timestamp as number[];
      if (!(time! >= last)) expect.fail(`packet ${n}: time goes back to ${time}`);
      last = time!;
      const event = packet.track_event![0] as Record<string, number[]>;
      const track = event.track_uuid![0]!;
      const type = event.type![0]!;
      const level = (depth.get(track) ?? 0) + (type === 1 ? 1 : type === 2 ? -1 : 0);
      if (level < 0) expect.fail(`packet ${n}: ends a slice that never began`);
      depth.set(track, level);
      for (const flow of event.flow_ids ?? []) {
        flows.set(flow, [...(flows.get(flow) ?? []), type === 3 ? 'send' : 'handler']);
      }
    }
    expect(tracks).toBe(CPUS);
    expect([...depth.values()].every((level) => level === 0)).toBe(true);
    expect(flows.size).toBe(result.counts.ipis_sent);
    const odd = [...flows].filter(([, ends]) => ends.join() !== 'send,handler');
    expect(odd).toEqual([]);
  });
});

describe('Chrome JSON', () => {
  it('is one document with a thread per CPU and an arrow for every IPI', () => {
    const { traceEvents } = JSON.parse([...chromeTrace(marks, CPUS)].join('')) as {
      traceEvents: { ph: string; name: string }[];
    };
    const count = (ph: string) => traceEvents.filter((event) => event.ph === ph).length;
    expect(traceEvents.filter(({ name }) => name === 'thread_name')).toHaveLength(CPUS);
    expect(count('s')).toBe(result.counts.ipis_sent);
    expect(count('f')).toBe(result.counts.ipis_sent);
    expect(count('B')).toBe(count('E'));
  });

  it('has an arrow too for a send that merged, and none for one that was lost', () => {
    const sent = (ps: number) => ({ ps, cpu: 0, kind: X.LOG_IPI_SENT, a: 251, b: 1, c: 10 });
    const at = (ps: number, kind: number, a = 251, b = 0) => ({ ps, cpu: 1, kind, a, b, c: 0 });
    const all = [
      sent(0),
      sent(100),
      sent(200),
      at(300, X.LOG_FAULT, X.FAULT_DROP),
      at(310, X.LOG_IRR),
      at(320, X.LOG_MERGED),
      at(400, X.LOG_TAKE),
    ];
    expect([...marksOf(all)].find(({ phase }) => phase === 'begin')!.flows).toEqual([2, 3]);
  });
});

describe('ftrace text', () => {
  it('is read by our own replay: every send and handler, none unexplained', () => {
    const lines = [...ftraceText(() => byTime(log), CPUS)].join('').split('\n');
    const reader = new TraceReader({ name: 'run.txt' });
    for (const line of lines) reader.add(line);
    const trace = reader.end();
    expect(trace.dialect).toMatchObject({ format: 'ftrace', anchor: 'bracket' });
    expect(trace.damagedCount).toBe(0);
    expect(trace.unknownEvents).toBe(0);
    expect(trace.cpus).toBe(CPUS);
    const replay = new Replay(trace, {});
    for (const _ of replay.run()) void _;
    expect(replay.sends).toBe(result.latencies.send.count);
    expect(replay.results()[0]!.ipis).toBe(result.counts.ipis_sent);
    // Microsecond stamps may order a send behind its handler; nothing else may be unexplained.
    const unexplained = replay.unexplained().reduce((sum, { count }) => sum + count, 0);
    expect(unexplained).toBeLessThan(result.counts.ipis_sent / 50);
  });
});

describe('HdrHistogram', () => {
  it('reads our encoding: same count, minimum, maximum and percentiles', () => {
    for (const histogram of Object.values(result.latencies)) {
      if (histogram.count === 0) continue;
      const text = Buffer.from(compressHdr(histogram, deflateSync)).toString('base64');
      const other = hdr.decodeFromCompressedBase64(text);
      expect(other.totalCount).toBe(histogram.count);
      for (const share of [0.1, 0.5, 0.9, 0.99, 0.999, 1]) {
        const ours = histogram.quantilePs(share);
        const theirs = other.getValueAtPercentile(100 * share);
        expect(Math.abs(ours - theirs)).toBeLessThanOrEqual(theirs * 0.001);
      }
    }
  });

  it('counts where the original does', () => {
    const mine = hdr.build({ highestTrackableValue: 2 ** 50, numberOfSignificantValueDigits: 3 });
    for (const value of [0, 1, 2047, 2048, 2049, 4095, 4096, 123_456_789, 2 ** 40 + 12345]) {
      mine.reset();
      mine.recordValue(value);
      const at = mine.getValueAtPercentile(100);
      const index = [...Array(45056).keys()].find(
        (i) => bucketStart(i) <= value && value <= bucketEnd(i),
      )!;
      expect(bucketEnd(index)).toBe(at);
    }
  });

  it('writes a log line per latency', () => {
    const text = hdrLog(result.latencies, result.elapsedNs, deflateSync);
    const lines = text.split('\n').filter((line) => line.startsWith('Tag='));
    expect(lines.length).toBe(
      Object.values(result.latencies).filter(({ count }) => count > 0).length,
    );
    expect(lines[0]).toMatch(/^Tag=send,0\.000,0\.00\d{7},\d+\.\d{3},HISTFAAA/);
  });
});

describe('known layouts', () => {
  it('ipi_benchmark: two columns', () => {
    expect(ipiBenchmarkLine('Normal IPI', result)).toMatch(/^Normal IPI: {9}\s*\d+, {2,}\d+ ns$/);
  });

  it('osnoise: a row per CPU, stolen time and its worst source', () => {
    const noisy = new TimedRun(
      { ...scenario('isolated-noise'), duration_ns: 2e9 },
      costSet('intel-xeon-x2apic-cluster'),
    ).run();
    const rows = osnoiseTable(noisy);
    expect(rows).toHaveLength(33);
    const cells = rows[4]!.trim().split(/\s+/);
    expect(Number(cells[3])).toBeCloseTo(noisy.perCpu[3]!.noise.total_ns / 1000, 1);
    expect(rows[4]).toMatch(/CPU [01] (do_sync_core|flush_tlb_func|drain_local_pages)$/);
  });

  it("/proc/interrupts: the kernel's rows", () => {
    const rows = interruptRows(result);
    expect(rows[0]).toMatch(/^ {11}CPU0 {7}CPU1/);
    expect(rows[3]).toMatch(/^CAL: +\d+ .* Function call interrupts$/);
    const sum = rows[3]!.match(/\d+/g)!.reduce((a, b) => a + Number(b), 0);
    expect(sum).toBe(result.counters.delivered);
  });

  it('CSV, log2 histogram and matrix agree with the counts', () => {
    expect(csvRows(result).find((row) => row.includes(',send,'))).toContain(
      `,${result.latencies.send.count},`,
    );
    const bars = log2Rows(result.latencies.send).map((row) => Number(/\) +(\d+)/.exec(row)![1]));
    expect(bars.reduce((a, b) => a + b)).toBe(result.latencies.send.count);
    const cells = matrixRows(result)
      .slice(1)
      .flatMap((row) => row.trim().split(/\s+/).slice(1));
    const sum = cells.reduce((a, cell) => a + (cell === '.' ? 0 : Number(cell)), 0);
    expect(sum).toBe(result.counts.ipis_sent);
  });
});

it('a long chain of events is shown from both ends', () => {
  const wait = { wait_ns: 5, begin_ns: 1, cpu: 0, target: 1 };
  const steps = Array.from({ length: 1000 }, (_, i) => ({ ns: i, cpu: 1, text: `step ${i}` }));
  const sheet = whySheet({ wait, stuck: false, steps, cause: 'it was long' });
  const text = sheet.blocks.map((block) => ('text' in block ? block.text : '')).join('\n');
  expect(text).toMatch(/step 29\n\.\.\. and 940 more steps\n.*step 970\n/);
});
