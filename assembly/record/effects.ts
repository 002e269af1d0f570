// What the last operations did, in order, for whoever compares them with a recording.
import { effectCapacity, effects } from '../memory/arena';
import * as L from '../memory/layout';

/** `bits`: 1 level, 2 was pending already. */
export function effect(kind: u32, cpu: u32, vector: i32, bits: u32): void {
  if (load<u32>(L.H_TRACE) == 0) return;
  const count = load<u32>(L.H_EFFECT_COUNT);
  store<u32>(L.H_EFFECT_COUNT, count + 1);
  if (count >= effectCapacity) return;
  const at = effects + ((<usize>count) << L.LOG_SHIFT);
  store<u32>(at, kind);
  store<u32>(at, cpu, 4);
  store<i32>(at, vector, 8);
  store<u32>(at, bits, 12);
}
