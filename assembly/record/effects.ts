// What the last operations did, in order, for whoever compares them with a recording.
import { effectCapacity, effects } from '../memory/arena';
import * as L from '../memory/layout';
import { Effect, outcome } from '../memory/records';

/** `bits`: 1 level, 2 was pending already. */
export function effect(kind: u32, cpu: u32, vector: i32, bits: u32): void {
  if (outcome.trace == 0) return;
  const count = outcome.effectCount;
  outcome.effectCount = count + 1;
  if (count >= effectCapacity) return;
  const entry = changetype<Effect>(effects + ((<usize>count) << L.LOG_SHIFT));
  entry.kind = kind;
  entry.cpu = cpu;
  entry.vector = vector;
  entry.bits = bits;
}
