// cpumasks: bitmaps over CPU numbers in 64-bit words, with the kernel's operations. Every one
// adds the words it touches to the ledger, as the kernel's code would touch them.
// Linux include/linux/cpumask.h, lib/bitmap.c.
import { cpus, maskOf, maskOnline, maskWords } from '../memory/arena';
import { NONE } from '../memory/codes';
import { ledger } from '../memory/records';

function word(mask: usize, index: u32): u64 {
  return load<u64>(mask + ((<usize>index) << 3));
}

export function testCpu(mask: usize, cpu: u32): bool {
  return ((word(mask, cpu >> 6) >> (cpu & 63)) & 1) != 0;
}

export function setCpu(mask: usize, cpu: u32): void {
  const at = mask + ((<usize>cpu >> 6) << 3);
  store<u64>(at, load<u64>(at) | ((<u64>1) << (cpu & 63)));
}

export function clearCpu(mask: usize, cpu: u32): void {
  const at = mask + ((<usize>cpu >> 6) << 3);
  store<u64>(at, load<u64>(at) & ~((<u64>1) << (cpu & 63)));
}

export function clearMask(mask: usize): void {
  if (maskWords > 32) return memory.fill(mask, 0, (<usize>maskWords) << 3);
  for (let at: usize = 0; at < (<usize>maskWords) << 3; at += 8) store<u64>(mask + at, 0);
}

/** Pays for a walk over every word (for_each_cpu, cpumask_weight, cpumask_andnot ...). */
export function payWalk(times: u32): void {
  ledger.maskWords += <u64>maskWords * times;
}

export function payWords(count: u32): void {
  ledger.maskWords += count;
}

/** cpumask_copy(). */
export function copyMask(to: usize, from: usize): void {
  ledger.maskCopies++;
  payWalk(1);
  if (maskWords > 32) return memory.copy(to, from, (<usize>maskWords) << 3);
  // A bulk copy is a call into the engine: for short masks the loop is several times faster.
  for (let at: usize = 0; at < (<usize>maskWords) << 3; at += 8)
    store<u64>(to + at, load<u64>(from + at));
}

/** First CPU at or after `from` in the mask, or NONE: the step of for_each_cpu (which payWalk pays). */
export function nextCpu(mask: usize, from: u32): i32 {
  if (from >= cpus) return NONE;
  let index = from >> 6;
  let bits = word(mask, index) & ((<u64>-1) << (from & 63));
  while (bits == 0) {
    if (++index >= maskWords) return NONE;
    bits = word(mask, index);
  }
  return (index << 6) | <i32>ctz<u64>(bits);
}

/** Highest CPU of the mask, or NONE (cpumask_last); pays the words read from the end. */
export function lastCpu(mask: usize): i32 {
  for (let index = <i32>maskWords - 1; index >= 0; index--) {
    payWords(1);
    const bits = word(mask, index);
    if (bits != 0) return (index << 6) | <i32>(63 - clz<u64>(bits));
  }
  return NONE;
}

/** cpumask_weight(). */
export function weight(mask: usize): u32 {
  payWalk(1);
  let sum: u64 = 0;
  for (let index: u32 = 0; index < maskWords; index++) sum += popcnt<u64>(word(mask, index));
  return <u32>sum;
}

/** cpumask_empty(): stops at the first word that is not 0. */
export function isEmpty(mask: usize): bool {
  for (let index: u32 = 0; index < maskWords; index++) {
    payWords(1);
    if (word(mask, index) != 0) return false;
  }
  return true;
}

/** cpumask_or_equal(mask, cpumask_of(cpu), online): stops at the first difference. */
export function orSelfEqualsOnline(mask: usize, cpu: u32): bool {
  for (let index: u32 = 0; index < maskWords; index++) {
    payWords(1);
    const own: u64 = index == cpu >> 6 ? (<u64>1) << (cpu & 63) : 0;
    if ((word(mask, index) | own) != word(maskOnline, index)) return false;
  }
  return true;
}

/** cpumask_equal(): stops at the first difference. */
export function equalMasks(a: usize, b: usize): bool {
  for (let index: u32 = 0; index < maskWords; index++) {
    payWords(1);
    if (word(a, index) != word(b, index)) return false;
  }
  return true;
}

/** cpumask_of(cpu): a constant table in the kernel, so it costs nothing; give it back with dropOf(). */
export function cpumaskOf(cpu: u32): usize {
  setCpu(maskOf, cpu);
  return maskOf;
}

export function dropOf(cpu: u32): void {
  clearCpu(maskOf, cpu);
}
