// Two schedulers, one result. Nodes touch each other only by messages that take at least the lookahead,
// so a node may run that far ahead of the others (Chandy, Misra, Bryant: conservative lookahead).
// heap: the node with the next event runs, up to the lookahead beyond the second next.
// windows: every node runs to the end of a window as long as the lookahead; no global order is kept.

import { enterNode, NEVER, nodeCount, nodeRow, now, setNow, timed } from './arena';
import { RUN_DONE, RUN_LOG_FULL, RUN_MORE, RUN_NO_MEMORY, SCHEDULER_HEAP } from './codes';
import { takeMessage } from './inbox';
import { handleMessage, stepFrame } from './node';
import {
  buildHeap,
  earliest,
  inboxTime,
  leaveHeap,
  limit,
  nextTime,
  nodeAt,
  second,
  setEarliest,
  setLimit,
  siftDown,
} from './ready';

/** Room that one event's entries may need in the log. */
const LOG_MARGIN: u32 = 64;

/** Events that the slice may still handle. */
let budget: i64 = 0;

function mayGoOn(): bool {
  if (timed.status != 0) return false;
  if (timed.logging == 0) return true;
  const used = timed.logCount + LOG_MARGIN;
  return used < timed.logCapacity;
}

/** Handles a node's events before `stop`; false when the slice has to end first. */
function runNode(node: u32, stop: u64): bool {
  enterNode(node);
  setLimit(stop);
  const row = nodeRow(node);
  let events: u64 = 0;
  let on = true;
  while (true) {
    const end = row.end;
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
    // No node goes back in time.
    if (!ASC_NO_ASSERT) assert(time >= row.since);
    setNow(time);
    if (message <= end) handleMessage(takeMessage());
    else stepFrame();
  }
  timed.events += events;
  if (events != 0 && now > timed.last) timed.last = now;
  return on;
}

/** Runs to `until` or through `count` events, whichever comes first. */
export function runSlice(until: u64, count: u64): i32 {
  budget = count;
  const done = timed.scheduler == <u32>SCHEDULER_HEAP ? byHeap(until) : byWindows(until);
  leaveHeap();
  if (timed.status == <u32>RUN_NO_MEMORY) return RUN_NO_MEMORY;
  if (done) return RUN_DONE;
  return mayGoOn() ? RUN_MORE : RUN_LOG_FULL;
}

// --- windows ---

function byWindows(until: u64): bool {
  const lookahead = timed.lookahead;
  while (true) {
    let window = timed.window;
    const start = timed.now;
    setEarliest(NEVER);
    for (let node: u32 = 0; node < nodeCount; node++) {
      const row = nodeRow(node);
      if (nextTime(row) < window && !runNode(node, window)) return false;
      setEarliest(min(earliest, nextTime(row)));
    }
    if (window > start) timed.windows++;
    if (earliest >= until) {
      timed.now = until;
      timed.window = until;
      return true;
    }
    timed.now = earliest;
    window = earliest + lookahead < until ? earliest + lookahead : until;
    timed.window = window;
  }
}

// --- heap ---

function byHeap(until: u64): bool {
  buildHeap();
  const lookahead = timed.lookahead;
  while (true) {
    const node = nodeAt(0);
    const first = nextTime(nodeRow(node));
    if (first >= until) {
      timed.now = until;
      timed.window = until;
      return true;
    }
    timed.now = first;
    if (!runNode(node, min(second() + lookahead, until))) return false;
    siftDown(0);
  }
}
