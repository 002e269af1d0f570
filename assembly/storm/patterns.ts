// Who sends to whom. Each pattern is one send of the storm.

import { sendIcr } from '../bus/icr';
import { clearCpu, clearMask, cpumaskOf, dropOf, nextCpu, setCpu, testCpu } from '../linux/cpumask';
import {
  sendIPI,
  sendIPIAllButSelf,
  sendIPIMask,
  sendIPIMaskAllButSelf,
  sendIPISelf,
} from '../linux/driver';
import { sendCallFuncIpi } from '../linux/smp';
import { cpus, maskArg, maskOnline } from '../memory/arena';
import {
  ICR_ALL_EXC,
  PATTERN_HOT,
  PATTERN_MASK_CONTIGUOUS,
  PATTERN_MASK_RANDOM,
  PATTERN_PAIRS,
  PATTERN_RING,
  PATTERN_SELF,
  VIA_CALL,
  VIA_ICR,
  VIA_MASK,
  VIA_SHORTHAND,
  VIA_SINGLE,
} from '../memory/codes';
import { config, stormState } from '../memory/records';
import { apicId } from '../memory/rows';
import { randomAt, scale } from './random';

/** Sources take turns: 0, 1, ... up to `limit` - 1. */
function nextSource(limit: u32): u32 {
  const source = stormState.sourceNext;
  stormState.sourceNext = source + 1 >= limit ? 0 : source + 1;
  return source;
}

function unicast(from: u32, to: u32, vector: u32, via: u32): void {
  if (via == <u32>VIA_ICR) sendIcr(from, apicId(to), vector);
  else if (via == <u32>VIA_SINGLE) sendIPI(from, to, vector);
  else {
    const mask = cpumaskOf(to);
    if (via == <u32>VIA_CALL) sendCallFuncIpi(from, mask);
    else sendIPIMask(from, mask, vector);
    dropOf(to);
  }
}

/** Patterns with one target. Sources take turns from 0 to sources() - 1. */
export class Unicast {
  static sources(pattern: u32): u32 {
    if (pattern == <u32>PATTERN_PAIRS) return cpus & ~1;
    return pattern == <u32>PATTERN_HOT ? cpus - 1 : cpus;
  }

  /** The CPU whose turn it is: in the hot pattern the target itself is left out. */
  @inline static sender(pattern: u32, turn: u32): u32 {
    if (pattern != <u32>PATTERN_HOT) return turn;
    return turn >= stormState.target ? turn + 1 : turn;
  }

  @inline static target(pattern: u32, from: u32, bits: u64): u32 {
    if (pattern == <u32>PATTERN_RING) return from + 1 == cpus ? 0 : from + 1;
    if (pattern == <u32>PATTERN_PAIRS) return from ^ 1;
    if (pattern == <u32>PATTERN_SELF) return from;
    if (pattern == <u32>PATTERN_HOT) return stormState.target;
    const other = scale((<u32>(bits >> 20)) << 8, cpus - 1);
    return other >= from ? other + 1 : other;
  }

  @inline static send(from: u32, to: u32, vector: u32, via: u32, pattern: u32): void {
    if (via == <u32>VIA_ICR) sendIcr(from, apicId(to), vector);
    else if (pattern == <u32>PATTERN_SELF && via == <u32>VIA_SINGLE) sendIPISelf(from, vector);
    else unicast(from, to, vector, via);
  }
}

/** Puts S_SIZE distinct CPUs other than `from` into the argument mask. */
function fillMask(pattern: u32, from: u32, index: u64): void {
  const size = stormState.size;
  const stride: u32 = pattern == <u32>PATTERN_MASK_CONTIGUOUS ? 1 : stormState.stride;
  const random = pattern == <u32>PATTERN_MASK_RANDOM;
  const seed = stormState.seed;
  let draw = mixIndex(index);
  let cpu = from;
  for (let made: u32 = 0; made < size; made++) {
    cpu = random ? scale(<u32>(randomAt(seed, draw++) >> 32), cpus) : wrap(cpu + stride);
    while (cpu == from || testCpu(maskArg, cpu)) cpu = wrap(cpu + 1);
    setCpu(maskArg, cpu);
  }
}

/** Each send draws from its own run of 2^20 numbers, apart from the unicast ones. */
function mixIndex(index: u64): u64 {
  return (index + 1) << 20;
}

function wrap(cpu: u32): u32 {
  return cpu >= cpus ? cpu - cpus : cpu;
}

export function sendToMany(pattern: u32, via: u32, vector: u32, index: u64): void {
  const from = nextSource(cpus);
  fillMask(pattern, from, index);
  if (via == <u32>VIA_SINGLE || via == <u32>VIA_ICR) {
    for (let cpu = nextCpu(maskArg, 0); cpu >= 0; cpu = nextCpu(maskArg, cpu + 1)) {
      unicast(from, cpu, vector, via);
    }
  } else if (via == <u32>VIA_CALL) sendCallFuncIpi(from, maskArg);
  else sendIPIMask(from, maskArg, vector);
  clearMask(maskArg);
}

export function sendToOthers(via: u32, vector: u32): void {
  const from = nextSource(cpus);
  if (via == <u32>VIA_ICR) sendIcr(from, 0, ICR_ALL_EXC | vector);
  else if (via == <u32>VIA_MASK) sendIPIMaskAllButSelf(from, maskOnline, vector);
  else if (via == <u32>VIA_SHORTHAND) sendIPIAllButSelf(from, vector);
  else if (via == <u32>VIA_CALL) {
    sendCallFuncIpi(from, maskOnlineWithout(from));
    clearMask(maskArg);
  } else for (let cpu: u32 = 0; cpu < cpus; cpu++) if (cpu != from) sendIPI(from, cpu, vector);
}

function maskOnlineWithout(from: u32): usize {
  memory.copy(maskArg, maskOnline, (<usize>config.maskWords) << 3);
  clearCpu(maskArg, from);
  return maskArg;
}
