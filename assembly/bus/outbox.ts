// Messages that leave instead of arriving at once. Closed, as it is outside a timed send, the bus delivers
// what it is given; open, it appends here, and whoever opened it drains it. A mark keeps the sender's
// ledger as it was at each write of the ICR, so that the drain knows what had been paid by then.
import * as L from '../memory/layout';

/** One message: target CPU, command, and which write it came with. */
@unmanaged
export class OutboxEntry {
  cpu: u32;
  low: u32;
  write: u32;
}

const ENTRY_BYTES: usize = offsetof<OutboxEntry>();

export let isOpen: bool = false;
export let outboxCount: u32 = 0;

let entries: usize = 0;
let marks: usize = 0;
let capacity: u32 = 0;
let writes: u32 = 0;

/** Bytes for `most` messages. */
export function outboxBytes(most: u32): usize {
  return <usize>most * (ENTRY_BYTES + L.LEDGER_BYTES);
}

/**
 * Gives the outbox its memory, once. The drivers write to each CPU at most once a send, and one write
 * reaches no CPU twice: `most` is the machine's CPUs and a few.
 */
export function layOutbox(at: usize, most: u32): void {
  marks = at;
  entries = at + <usize>most * L.LEDGER_BYTES;
  capacity = most;
}

export function openOutbox(): void {
  assert(!isOpen && outboxCount == 0);
  isOpen = true;
}

export function closeOutbox(): void {
  assert(isOpen);
  isOpen = false;
}

/** A write of the ICR, or a hypercall, begins. */
export function beginWrite(): void {
  if (!isOpen) return;
  assert(writes < capacity);
  memory.copy(marks + <usize>writes * L.LEDGER_BYTES, L.L_SENDS, L.LEDGER_BYTES);
  writes++;
}

export function append(cpu: u32, low: u32): void {
  if (outboxCount == capacity) unreachable(); // never: see layOutbox()
  const entry = entryAt(outboxCount++);
  entry.cpu = cpu;
  entry.low = low;
  entry.write = writes - 1;
}

export function entryAt(index: u32): OutboxEntry {
  return changetype<OutboxEntry>(entries + <usize>index * ENTRY_BYTES);
}

/** The ledger when the write of `entry` began. */
export function markOf(entry: OutboxEntry): usize {
  return marks + <usize>entry.write * L.LEDGER_BYTES;
}

export function emptyOutbox(): void {
  assert(!isOpen);
  outboxCount = 0;
  writes = 0;
}
