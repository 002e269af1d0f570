// Puts the rows of a file that is out of order by time: per-CPU blocks, appended buffers.
import { isSend, type TraceEvents } from './events.js';
import type { Trace } from './trace.js';

/** Sorts by time where the file isn't: its ascending runs are merged. At one time sends come first. */
export function sortByTime(trace: Trace): void {
  if (trace.unordered === 0) return;
  const { rows } = trace;
  let order = Uint32Array.from({ length: rows.length }, (_, row) => row);
  let other = new Uint32Array(rows.length);
  let ends = runs(trace);
  while (ends.length > 1) {
    const merged: number[] = [];
    for (let i = 0; i < ends.length; i += 2) {
      const [from, middle, to] = [ends[i - 1] ?? 0, ends[i]!, ends[i + 1] ?? ends[i]!];
      merge(rows, order, other, from, middle, to);
      merged.push(to);
    }
    [order, other, ends] = [other, order, merged];
  }
  trace.order = order;
}

/** Ends of the stretches in which time doesn't go back. Rows without a time belong to those before. */
function runs({ rows }: Trace): number[] {
  const ends: number[] = [];
  let latest = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < rows.length; row++) {
    const time = rows.time(row);
    if (time < latest) ends.push(row);
    if (!Number.isNaN(time)) latest = time;
  }
  ends.push(rows.length);
  return ends;
}

function merge(
  rows: TraceEvents,
  order: Uint32Array,
  out: Uint32Array,
  from: number,
  middle: number,
  to: number,
): void {
  let [left, right] = [from, middle];
  for (let at = from; at < to; at++) {
    const useRight = left === middle || (right < to && before(rows, order[right]!, order[left]!));
    out[at] = useRight ? order[right++]! : order[left++]!;
  }
}

/** Whether a row of a later run comes before one of an earlier run. */
function before(rows: TraceEvents, later: number, earlier: number): boolean {
  const [a, b] = [rows.time(later), rows.time(earlier)];
  return a < b || (a === b && isSend(rows.what(later)) && !isSend(rows.what(earlier)));
}
