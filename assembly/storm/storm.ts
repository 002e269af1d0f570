// The untimed storm: sends in a pattern; after every S_DEPTH of them the targets run their
// handlers. All state is in the header between calls, so a run may be split anywhere.
import { runHandlers } from '../board/eoi';
import { bumpBy } from '../memory/arena';
import { PATTERN_ALLBUTSELF, PATTERN_MASK_CONTIGUOUS, PATTERN_RANDOM } from '../memory/codes';
import * as L from '../memory/layout';
import { listedCpu, setQuiet } from '../record/wake';
import { sendToMany, sendToOthers, Unicast } from './patterns';
import { randomAt, scale } from './random';

/** Every CPU on the wake list leaves it and takes what its PPR lets it take. Handlers send nothing. */
export function drain(): void {
  const count = load<u32>(L.H_WAKE_COUNT);
  for (let i: u32 = 0; i < count; i++) runHandlers(listedCpu(i));
  store<u32>(L.H_WAKE_COUNT, 0);
  store<u32>(L.S_WAITING, 0);
}

/** Makes `count` sends. */
export function runStorm(count: u32): void {
  const pattern = load<u32>(L.S_PATTERN);
  if (pattern < <u32>PATTERN_MASK_CONTIGUOUS) runUnicast(pattern, count);
  else runFanOut(pattern, count);
  store<u64>(L.S_INDEX, load<u64>(L.S_INDEX) + count);
  bumpBy(L.L_SENDS, count);
}

/**
 * One target a send. The turn counters live in locals. At depth 1 with an empty wake list the
 * target's handlers run at once, without going over the list: same states, same counters.
 */
function runUnicast(pattern: u32, count: u32): void {
  const via = load<u32>(L.S_VIA);
  const depth = load<u32>(L.S_DEPTH);
  const seed = load<u64>(L.S_SEED);
  const index = load<u64>(L.S_INDEX);
  const sources = Unicast.sources(pattern);
  const vectors = load<u32>(L.S_VECTOR_COUNT);
  let source = load<u32>(L.S_SOURCE_NEXT);
  let turn = load<u32>(L.S_VECTOR_NEXT);
  const random = pattern == <u32>PATTERN_RANDOM;
  const direct = depth == 1 && load<u32>(L.H_WAKE_COUNT) == 0;
  setQuiet(direct);
  for (let i: u32 = 0; i < count; i++) {
    let pick = turn;
    let from = source;
    let bits: u64 = 0;
    if (random) {
      // The low 20 bits choose the source, the next 24 the target, the top 20 the vector.
      bits = randomAt(seed, index + i);
      pick = scale((<u32>(bits >> 44)) << 12, vectors);
      from = scale((<u32>bits) << 12, sources);
    } else {
      turn = turn + 1 >= vectors ? 0 : turn + 1;
      source = source + 1 >= sources ? 0 : source + 1;
    }
    from = Unicast.sender(pattern, from);
    const to = Unicast.target(pattern, from, bits);
    Unicast.send(from, to, load<u8>(<usize>L.S_VECTORS + pick), via, pattern);
    if (direct) runHandlers(to);
    else wait(depth);
  }
  setQuiet(false);
  store<u32>(L.S_SOURCE_NEXT, source);
  store<u32>(L.S_VECTOR_NEXT, turn);
}

function wait(depth: u32): void {
  const waiting = load<u32>(L.S_WAITING) + 1;
  store<u32>(L.S_WAITING, waiting);
  if (waiting >= depth) drain();
}

/** Many targets a send. */
function runFanOut(pattern: u32, count: u32): void {
  const via = load<u32>(L.S_VIA);
  const depth = load<u32>(L.S_DEPTH);
  const index = load<u64>(L.S_INDEX);
  for (let i: u32 = 0; i < count; i++) {
    const vector = nextVector();
    if (pattern < <u32>PATTERN_ALLBUTSELF) sendToMany(pattern, via, vector, index + i);
    else sendToOthers(via, vector);
    wait(depth);
  }
}

/** Vectors take turns. */
function nextVector(): u32 {
  const index = load<u32>(L.S_VECTOR_NEXT);
  store<u32>(L.S_VECTOR_NEXT, index + 1 >= load<u32>(L.S_VECTOR_COUNT) ? 0 : index + 1);
  return load<u8>(<usize>L.S_VECTORS + index);
}
