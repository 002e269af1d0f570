// The event hash: each CPU's events folded into one polynomial over 2^64,
//   h = h * M + (kind << 8 | vector)
// Order counts within a CPU and not between CPUs, so the total is the same
// however the work is split, and a run of equal events on many CPUs is one
// affine map (which bit-parallel engines can apply lazily).
import { Row } from '../memory/records';
import { row } from '../memory/rows';

const MULTIPLIER: u64 = 0x9e3779b97f4a7c15;

/** A chain with one more event. */
export function after(hash: u64, kind: u32, vector: u32): u64 {
  return hash * MULTIPLIER + <u64>((kind << 8) | vector);
}

export function note(at: Row, kind: u32, vector: u32): void {
  at.hash = after(at.hash, kind, vector);
}

/** splitmix64's finaliser (Steele, Lea, Flood 2014). */
export function mix(value: u64): u64 {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

/** Sum over all CPUs of their mixed chains. */
export function eventHash(cpus: u32): u64 {
  let sum: u64 = 0;
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    sum += mix(row(cpu).hash + <u64>(cpu + 1) * MULTIPLIER);
  }
  return sum;
}
