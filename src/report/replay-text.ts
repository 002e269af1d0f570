// A replayed trace: each driver's costs, who sent to whom, and what the trace leaves open.
import type { DriverResult, Replay } from '../trace/replay.js';
import type { Survey } from '../trace/survey.js';
import { Sheet } from './sheet.js';
import { count } from './units.js';

/** Both passes over a trace; interrupted: over its beginning. */
export interface Replayed {
  survey: Survey;
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
} as const satisfies Record<string, keyof DriverResult>;

export function replaySheet(
  path: string,
  { survey, replay, interrupted }: Replayed,
  top: number,
): Sheet {
  const sheet = new Sheet();
  const name = path.split('/').at(-1);
  sheet.title(
    `${name}: ${survey.format}, ${replay.cpus} CPUs, ${survey.spanSeconds.toFixed(3)} s, ${count(replay.sends)} sends`,
  );
  if (interrupted) sheet.line('interrupted: the figures are of what was read', 'note');
  const unknown =
    survey.unknownEvents > 0 ? `, ${count(survey.unknownEvents)} other events skipped` : '';
  const lost = survey.lostEvents > 0 ? `, ${count(survey.lostEvents)} lost by the recorder` : '';
  sheet.line(`damaged lines: ${survey.damagedCount}${unknown}${lost}`);
  for (const { line, reason } of survey.damaged) sheet.line(`  line ${line}: ${reason}`, 'note');
  addDrivers(replay.results(), sheet);
  for (const { driver, reason } of replay.leftOut)
    sheet.line(`not run: ${driver}: ${reason}`, 'aside');
  addLists(survey, top, sheet);
  addMatrix(replay, sheet);
  addUnexplained(replay, sheet);
  return sheet;
}

function addDrivers(results: readonly DriverResult[], sheet: Sheet): void {
  const rows = results.map((result) => [
    result.era,
    result.driver,
    ...Object.values(COUNTED).map((key) => count(result[key])),
  ]);
  sheet.table(['era', 'driver', ...Object.keys(COUNTED)], rows, 2);
}

function addLists(survey: Survey, top: number, sheet: Sheet): void {
  for (const [title, tally] of [
    ['callbacks', survey.callbacks],
    ['callsites', survey.callsites],
    ['functions queued (csd_queue_cpu)', survey.functions],
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

function addUnexplained(replay: Replay, sheet: Sheet): void {
  const list = replay.unexplained();
  const coalesced = replay.results()[0]?.coalesced ?? 0;
  if (replay.watched && replay.unwatched > 0 && coalesced > 0) {
    sheet.line(
      `${count(replay.unwatched)} IPIs were sent before the first handler entry in the trace: nobody is seen to take them, so later ones merge into them`,
    );
  }
  if (list.length === 0) sheet.line('every IPI handler entry has its send in the trace');
  for (const u of list)
    sheet.line(
      `${count(u.count)} handler entries of vector 0x${u.vector.toString(16)} without a send: ${u.reason}`,
    );
}
