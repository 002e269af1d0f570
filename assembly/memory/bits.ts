// Sets of 256 vectors, counted.
import { VectorSet } from './records';

/** How many vectors are in the set. */
export function countBits(set: VectorSet): u32 {
  let sum: u32 = 0;
  for (let n: u32 = 0; n < 8; n++) sum += popcnt<u32>(set.half(n));
  return sum;
}

/** The priority classes that have a vector in the set, as bits. */
export function classesOf(set: VectorSet): u32 {
  let classes: u32 = 0;
  for (let top: u32 = 0; top < 16; top++) if (set.word(top) != 0) classes |= 1 << top;
  return classes;
}
