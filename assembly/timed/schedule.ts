// Two schedulers, one result. Nodes touch each other only by messages that take at least the lookahead,
// so a node may run that far ahead of the others (Chandy, Misra, Bryant: conservative lookahead).
// heap: the node with the next event runs, up to the lookahead beyond the second next.
// windows: every node runs to the end of a window as long as the lookahead; no global order is kept.
import { enterNode, heap, NEVER, nodeCount, nodeRow, now, self, setNow, timed } from './arena';
import { RUN_DONE, RUN_LOG_FULL, RUN_MORE, RUN_NO_MEMORY, SCHEDULER_HEAP } from './codes';
import { inboxTime, takeMessage } from './inbox';
import * as T from './layout';
import { handleMessage, stepFrame } from './node';

/** Room that one event's entries may need in the log. */
const LOG_MARGIN: u32 = 64;

let heaped: bool = false;
let heapSize: u32 = 0;
let earliest: u64 = NEVER;
let budget: i64 = 0;
/** How far the running node may go. */
let limit: u64 = 0;

function nextTime(row: usize): u64 {
  return min(load<u64>(row, T.N_END), inboxTime(row));
}

/** A node's inbox has a new first message. */
export function posted(node: u32, time: u64): void {
  if (!heaped) {
    if (time < earliest) earliest = time;
    return;
  }
  if (node == self) return;
  rise(node, time);
  // Its answer may come that soon.
  const answer = time + load<u64>(timed, T.TM_LOOKAHEAD);
  if (answer < limit) limit = answer;
}

function mayGoOn(): bool {
  if (load<u32>(timed, T.TM_STATUS) != 0) return false;
  if (load<u32>(timed, T.TM_LOGGING) == 0) return true;
  const used = load<u32>(timed, T.TM_LOG_COUNT) + LOG_MARGIN;
  return used < load<u32>(timed, T.TM_LOG_CAPACITY);
}

/** Handles a node's events before `stop`; false when the slice has to end first. */
function runNode(node: u32, stop: u64): bool {
  enterNode(node);
  limit = stop;
  const row = nodeRow(node);
  let events: u64 = 0;
  let on = true;
  while (true) {
    const end = load<u64>(row, T.N_END);
    const message = inboxTime(row);
    // At one time messages come before the node's own step.
    const time = min(end, message);
    if (time >= limit) break;
    if (budget <= 0 || !mayGoOn()) {
      on = false;
      break;
    }
    budget--;
    events++;
    setNow(time);
    if (message <= end) handleMessage(takeMessage());
    else stepFrame();
  }
  store<u64>(timed, load<u64>(timed, T.TM_EVENTS) + events, T.TM_EVENTS);
  if (events != 0 && now > load<u64>(timed, T.TM_LAST)) store<u64>(timed, now, T.TM_LAST);
  return on;
}

/** Runs to `until` or through `count` events, whichever comes first. */
export function runSlice(until: u64, count: u64): i32 {
  budget = count;
  const done =
    load<u32>(timed, T.TM_SCHEDULER) == <u32>SCHEDULER_HEAP ? byHeap(until) : byWindows(until);
  heaped = false;
  if (load<u32>(timed, T.TM_STATUS) == <u32>RUN_NO_MEMORY) return RUN_NO_MEMORY;
  if (done) return RUN_DONE;
  return mayGoOn() ? RUN_MORE : RUN_LOG_FULL;
}

// --- windows ---

function byWindows(until: u64): bool {
  const lookahead = load<u64>(timed, T.TM_LOOKAHEAD);
  while (true) {
    let window = load<u64>(timed, T.TM_WINDOW);
    const start = load<u64>(timed, T.TM_NOW);
    earliest = NEVER;
    for (let node: u32 = 0; node < nodeCount; node++) {
      const row = nodeRow(node);
      if (nextTime(row) < window && !runNode(node, window)) return false;
      earliest = min(earliest, nextTime(row));
    }
    if (window > start) store<u64>(timed, load<u64>(timed, T.TM_WINDOWS) + 1, T.TM_WINDOWS);
    if (earliest >= until) {
      store<u64>(timed, until, T.TM_NOW);
      store<u64>(timed, until, T.TM_WINDOW);
      return true;
    }
    store<u64>(timed, earliest, T.TM_NOW);
    window = earliest + lookahead < until ? earliest + lookahead : until;
    store<u64>(timed, window, T.TM_WINDOW);
  }
}

// --- heap: node numbers in an array, ordered by (next time, node) ---

function nodeAt(index: u32): u32 {
  return load<u32>(heap + ((<usize>index) << 2));
}

function place(index: u32, node: u32): void {
  store<u32>(heap + ((<usize>index) << 2), node);
  store<u32>(nodeRow(node), index, T.N_HEAP_AT);
}

function earlier(timeA: u64, a: u32, timeB: u64, b: u32): bool {
  return timeA < timeB || (timeA == timeB && a < b);
}

function rise(node: u32, time: u64): void {
  let index = load<u32>(nodeRow(node), T.N_HEAP_AT);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = nodeAt(parent);
    // The running node stays on top until its events are done, whatever its times are meanwhile.
    if (above == self || !earlier(time, node, nextTime(nodeRow(above)), above)) break;
    place(index, above);
    index = parent;
  }
  place(index, node);
}

function sink(index: u32): void {
  const node = nodeAt(index);
  const time = nextTime(nodeRow(node));
  while (true) {
    let child: u32 = 2 * index + 1;
    if (child >= heapSize) break;
    let below = nodeAt(child);
    let belowTime = nextTime(nodeRow(below));
    if (child + 1 < heapSize) {
      const other = nodeAt(child + 1);
      const otherTime = nextTime(nodeRow(other));
      if (earlier(otherTime, other, belowTime, below)) {
        child++;
        below = other;
        belowTime = otherTime;
      }
    }
    if (!earlier(belowTime, below, time, node)) break;
    place(index, below);
    index = child;
  }
  place(index, node);
}

function byHeap(until: u64): bool {
  heapSize = nodeCount;
  heaped = true;
  for (let node: u32 = 0; node < nodeCount; node++) place(node, node);
  for (let index = <i32>(nodeCount >> 1) - 1; index >= 0; index--) sink(index);
  const lookahead = load<u64>(timed, T.TM_LOOKAHEAD);
  while (true) {
    const node = nodeAt(0);
    const first = nextTime(nodeRow(node));
    if (first >= until) {
      store<u64>(timed, until, T.TM_NOW);
      store<u64>(timed, until, T.TM_WINDOW);
      return true;
    }
    store<u64>(timed, first, T.TM_NOW);
    if (!runNode(node, min(second() + lookahead, until))) return false;
    sink(0);
  }
}

/** When the second node has its next event. A message of the first comes no earlier than this plus the lookahead. */
function second(): u64 {
  const a = heapSize > 1 ? nextTime(nodeRow(nodeAt(1))) : NEVER;
  const b = heapSize > 2 ? nextTime(nodeRow(nodeAt(2))) : NEVER;
  const time = min(a, b);
  const lookahead = load<u64>(timed, T.TM_LOOKAHEAD);
  return time > NEVER - lookahead ? NEVER - lookahead : time;
}
