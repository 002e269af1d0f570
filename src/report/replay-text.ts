// A replayed trace: each driver's costs, who sent to whom, and what the trace leaves open.

import { NOT_RECORDED } from '../trace/fields.js';
import type { Losses } from '../trace/losses.js';
import type { DriverResult, Replay } from '../trace/replay.js';
import type { Trace } from '../trace/trace.js';
import { Sheet } from './sheet.js';
import { count, duration } from './units.js';

/** A trace and its replay; interrupted: of its beginning. */
export interface Replayed {
  trace: Trace;
  replay: Replay;
  interrupted: boolean;
}

/** What a driver did, by column. */
const COUNTED = {
  'ICR writes': 'icr_writes',
  fences: 'fences',
  'irq saves': 'irq_saves',
  'mask copies': 'mask_copies',
  'mask words': 'mask_words',
  hypercalls: 'hypercalls',
  IPIs: 'ipis',
  delivered: 'delivered',
  coalesced: 'coalesced',
  pending: 'pending',
  'not observed': 'not_observed',
} as const satisfies Record<string, keyof DriverResult>;

export function replaySheet(
  path: string,
  { trace, replay, interrupted }: Replayed,
  top: number,
): Sheet {
  const sheet = new Sheet();
  const span = trace.spanNs === undefined ? '' : `, ${duration(trace.spanNs * 1000)}`;
  sheet.title(
    `${path.split('/').at(-1)}: ${trace.describe()}${span}, ${count(replay.sends)} ${replay.sends === 1 ? 'send' : 'sends'}`,
  );
  if (interrupted) sheet.line('interrupted: the figures are of what was read', 'note');
  addReading(trace, replay, sheet);
  addDrivers(replay.results(), sheet);
  for (const { driver, reason } of replay.leftOut)
    sheet.line(`not run: ${driver}: ${reason}`, 'aside');
  addLists(trace, top, sheet);
  addMatrix(replay, sheet);
  addUnexplained(trace, replay, sheet);
  return sheet;
}

/** How well the file could be read, and what in it weakens the answers. */
function addReading(trace: Trace, replay: Replay, sheet: Sheet): void {
  const { losses } = trace;
  const other =
    trace.unknownEvents > 0 ? `, ${count(trace.unknownEvents)} other events skipped` : '';
  const lost =
    losses.total > 0
      ? `, ${losses.unknown > 0 ? 'at least ' : ''}${count(losses.total)} events lost by the recorder`
      : '';
  sheet.line(`damaged lines: ${count(trace.damagedCount)}${other}${lost}`);
  for (const { line, reason } of trace.damaged.slice(0, DAMAGED_SHOWN))
    sheet.line(`  line ${line}: ${reason}`, 'note');
  if (trace.damagedCount > DAMAGED_SHOWN)
    sheet.line(`  and ${count(trace.damagedCount - DAMAGED_SHOWN)} more`, 'note');
  addLosses(losses, sheet);
  const ordered = outOfOrder(trace);
  if (ordered > 0) sheet.line(`lines not in time order: ${count(ordered)}; sorted by time`, 'note');
  if (trace.doubles > 0)
    sheet.line(
      `${count(trace.doubles)} sends are printed twice (Linux 6.3-6.4 records a queued call and its IPI): counted once`,
      'note',
    );
  if (trace.queuedOnly > 0)
    sheet.line(`${count(trace.queuedOnly)} queued calls needed no IPI of their own`, 'note');
  if (trace.copies > 0)
    sheet.line(`${count(trace.copies)} events are in two buffers: counted once`, 'note');
  if (trace.callbacks.counts.has(NOT_RECORDED))
    sheet.line('callbacks are not recorded: a send to one CPU is taken for a call', 'note');
  if (trace.guestEvents > 0)
    sheet.line(`${count(trace.guestEvents)} events of virtual machines: not replayed`, 'note');
  if (trace.sources.size > 1)
    sheet.line(
      `${trace.sources.size} recordings in one file, read as one machine: ${[...trace.sources].slice(0, 4).join(', ')}`,
      'note',
    );
  if (trace.headerCpus > 0 && trace.highestCpu >= trace.headerCpus)
    sheet.line(
      `the header says ${count(trace.headerCpus)} CPUs, events name CPU ${trace.highestCpu}: the machine has ${count(trace.cpus)}`,
      'note',
    );
  if (trace.announced > trace.anchored)
    sheet.line(
      `the header announces ${count(trace.announced)} entries, the file has ${count(trace.anchored)}: it is cut or filtered`,
      'note',
    );
  if (trace.untargeted > 0)
    sheet.line(
      `${count(trace.untargeted)} multicast sends name no receivers: not replayed`,
      'note',
    );
  if (replay.outside > 0)
    sheet.line(
      `${count(replay.outside)} sends name CPUs outside the machine: not replayed`,
      'note',
    );
}

const DAMAGED_SHOWN = 8;
const LOSSES_SHOWN = 8;

function addLosses(losses: Losses, sheet: Sheet): void {
  const list = losses.perCpu();
  for (const { cpu, lost, share, unknown } of list.slice(0, LOSSES_SHOWN))
    sheet.line(
      `${unknown > 0 ? 'at least ' : ''}${percent(share)} of the events of CPU ${cpu} are lost (${count(lost)}): what became of IPIs to it in those stretches is not observed`,
      'note',
    );
  if (list.length > LOSSES_SHOWN)
    sheet.line(`and events of ${count(list.length - LOSSES_SHOWN)} more CPUs`, 'note');
  if (losses.unknown > 0)
    sheet.line(`at ${count(losses.unknown)} places the recorder didn't say how many`, 'note');
  if (losses.overwritten > 0)
    sheet.line(`${count(losses.overwritten)} were lost on CPUs that the file doesn't name`, 'note');
}

/** Events before the one above them; wprof's lines are by their ends, which is its order. */
export function outOfOrder(trace: Trace): number {
  return trace.dialect.format === 'wprof' ? 0 : trace.unordered;
}

/** "12 %"; "0.03 %" and "99.6 %" where a whole number would be 0 or 100. */
function percent(share: number): string {
  const value = share * 100;
  if (value < 1) return `${value.toPrecision(1)} %`;
  if (value > 99 && value < 100) return `${(Math.floor(value * 10) / 10).toFixed(1)} %`;
  return `${value.toFixed(0)} %`;
}

function addDrivers(results: readonly DriverResult[], sheet: Sheet): void {
  const rows = results.map((result) => [
    result.era,
    result.driver,
    ...Object.values(COUNTED).map((key) => count(result[key])),
  ]);
  sheet.table(['era', 'driver', ...Object.keys(COUNTED)], rows, 2);
}

function addLists(trace: Trace, top: number, sheet: Sheet): void {
  for (const [title, tally] of [
    ['callbacks', trace.callbacks],
    ['callsites', trace.callsites],
    ['functions queued (csd_queue_cpu)', trace.functions],
  ] as const) {
    const list = tally.top(top);
    if (list.length > 0)
      sheet.line(`top ${title}: ${list.map((t) => `${t.name} ${count(t.count)}`).join(', ')}`);
  }
}

function addMatrix(replay: Replay, sheet: Sheet): void {
  const label = (i: number) =>
    replay.cell === 1
      ? `${i}`
      : `${i * replay.cell}-${Math.min(replay.cpus, (i + 1) * replay.cell) - 1}`;
  sheet.line('IPIs, source (row) to target (column):');
  sheet.table(
    ['CPU', ...replay.matrix.map((_, i) => label(i))],
    replay.matrix.map((row, i) => [label(i), ...row.map(count)]),
  );
}

function addUnexplained(trace: Trace, replay: Replay, sheet: Sheet): void {
  const list = replay.unexplained();
  if (replay.notObserved > 0) {
    const { early, gap, vector, skew } = replay.unseen;
    const reasons = [
      early > 0 ? `${count(early)} sent before the first handler event` : '',
      vector > 0 ? `${count(vector)} of vectors without handler events` : '',
      gap > 0 ? `${count(gap)} to CPUs in stretches where their events are missing` : '',
      skew > 0 ? `${count(skew)} just after a handler event without a send` : '',
    ];
    sheet.line(
      `${count(replay.notObserved)} IPIs not observed, so neither delivered nor coalesced: ${reasons.filter(Boolean).join(', ')}`,
      'note',
    );
  }
  if (replay.wakeups > 0)
    sheet.line(
      `${count(replay.wakeups)} reschedule IPIs go with a wakeup of a task on their target`,
    );
  for (const ipi of trace.kvmIpis.values())
    sheet.line(
      `KVM sent its guests ${count(ipi.count)} IPIs of vector ${ipi.vector} (${ipi.delivery})`,
    );
  if (list.length === 0 && trace.vectorsHandled.size > 0)
    sheet.line('every IPI handler entry has its send in the trace');
  for (const u of list)
    sheet.line(
      `${count(u.count)} handler entries of vector 0x${u.vector.toString(16)} without a send: ${u.reason}`,
    );
}
