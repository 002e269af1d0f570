// Counter-based random numbers: number i of a seed is splitmix64 at position i, so any split of
// a storm, and any worker, draws the same ones.
import { mix } from '../record/hash';

const GOLDEN: u64 = 0x9e3779b97f4a7c15;

export function randomAt(seed: u64, index: u64): u64 {
  return mix(seed + (index + 1) * GOLDEN);
}

/** 32 random bits scaled to 0 .. range-1. */
export function scale(bits: u32, range: u32): u32 {
  return <u32>((<u64>bits * range) >> 32);
}
