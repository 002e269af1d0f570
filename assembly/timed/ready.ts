// Which node is next: each node's next time, the heap of nodes in that order, and how far the running
// node may go. Inboxes say here when a node's first message has changed; the schedulers ask here.

import { heap, NEVER, nodeCount, nodeRow, self, timed } from './arena';
import { NONE } from './records-message';
import { Node } from './records-node';

/** Whether the heap is kept; windows need no order, only the earliest time. */
let heaped: bool = false;
let heapSize: u32 = 0;
/** The earliest next time that the windows have seen. */
export let earliest: u64 = NEVER;
/** How far the running node may go. */
export let limit: u64 = 0;

export function inboxTime(row: Node): u64 {
  const first = row.inbox;
  return first == NONE ? NEVER : first.time;
}

export function nextTime(row: Node): u64 {
  return min(row.end, inboxTime(row));
}

export function setLimit(time: u64): void {
  limit = time;
}

export function setEarliest(time: u64): void {
  earliest = time;
}

/** A node's inbox has a new first message. */
export function posted(node: u32, time: u64): void {
  if (!heaped) {
    if (time < earliest) earliest = time;
    return;
  }
  if (node == self) return;
  siftUp(node, time);
  // Its answer may come that soon.
  const answer = time + timed.lookahead;
  if (answer < limit) limit = answer; // bug: a-node-runs-past-an-answer
}

// --- the heap: node numbers in an array, ordered by (next time, node) ---

export function buildHeap(): void {
  heapSize = nodeCount;
  heaped = true;
  for (let node: u32 = 0; node < nodeCount; node++) place(node, node);
  for (let index = <i32>(nodeCount >> 1) - 1; index >= 0; index--) siftDown(index);
}

export function leaveHeap(): void {
  heaped = false;
}

export function nodeAt(index: u32): u32 {
  return load<u32>(heap + ((<usize>index) << 2));
}

function place(index: u32, node: u32): void {
  store<u32>(heap + ((<usize>index) << 2), node);
  nodeRow(node).heapIndex = index;
}

function earlier(timeA: u64, a: u32, timeB: u64, b: u32): bool {
  return timeA < timeB || (timeA == timeB && a < b);
}

/** Whether a node of the heap is no later than those below it; for assertions. */
function isFirstOfThree(index: u32): bool {
  const node = nodeAt(index);
  const time = nextTime(nodeRow(node));
  for (let child: u32 = 2 * index + 1; child <= 2 * index + 2 && child < heapSize; child++) {
    const below = nodeAt(child);
    if (!earlier(time, node, nextTime(nodeRow(below)), below)) return false;
  }
  return true;
}

function siftUp(node: u32, time: u64): void {
  let index = nodeRow(node).heapIndex;
  if (!ASC_NO_ASSERT) assert(nodeAt(index) == node);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = nodeAt(parent);
    // The running node stays on top until its events are done, whatever its times are meanwhile.
    if (above == self || !earlier(time, node, nextTime(nodeRow(above)), above)) break;
    place(index, above);
    index = parent;
  }
  place(index, node);
  if (!ASC_NO_ASSERT) assert(isFirstOfThree(index));
}

export function siftDown(index: u32): void {
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
  if (!ASC_NO_ASSERT) assert(isFirstOfThree(index));
}

/** When the second node has its next event. A message of the first comes no earlier than this plus the lookahead. */
export function second(): u64 {
  const a = heapSize > 1 ? nextTime(nodeRow(nodeAt(1))) : NEVER;
  const b = heapSize > 2 ? nextTime(nodeRow(nodeAt(2))) : NEVER;
  const time = min(a, b);
  const lookahead = timed.lookahead;
  return time > NEVER - lookahead ? NEVER - lookahead : time;
}
