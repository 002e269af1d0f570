// The untimed storm: sends in a pattern; after every S_DEPTH of them the targets run their
// handlers. All state is in the header between calls, so a run may be split anywhere.

import { Handlers } from '../board/eoi';
import { PATTERN_ALLBUTSELF, PATTERN_MASK_CONTIGUOUS, PATTERN_RANDOM } from '../memory/codes';
import { ledger, lists, stormState } from '../memory/records';
import { vectorAt } from '../memory/rows';
import { forgetReturns, isEndless } from '../record/returned';
import { dropListed, listedCpu, setQuiet } from '../record/wake';
import { sendToMany, sendToOthers, Unicast } from './patterns';
import { randomAt, scale } from './random';

/**
 * Every CPU on the wake list leaves it and takes what its PPR lets it take, until the list is empty or
 * isEndless(). Handlers send nothing, but their EOIs may make I/O APICs do so.
 */
export function drain(): void {
  while (lists.wakeCount != 0 && !isEndless()) drainOnce();
  stormState.waiting = 0;
}

/** The CPUs that are listed now; those that get news meanwhile come behind them, and stay. */
function drainOnce(): void {
  const count = lists.wakeCount;
  for (let i: u32 = 0; i < count; i++) Handlers.run(listedCpu(i));
  dropListed(count);
}

/** Makes `count` sends. */
export function runStorm(count: u32): void {
  forgetReturns();
  const pattern = stormState.pattern;
  if (pattern < <u32>PATTERN_MASK_CONTIGUOUS) runUnicast(pattern, count);
  else runFanOut(pattern, count);
  stormState.index += count;
  ledger.sends += count;
}

/**
 * One target a send. The turn counters live in locals. At depth 1 with an empty wake list the
 * target's handlers run at once, without going over the list: same states, same counters.
 */
function runUnicast(pattern: u32, count: u32): void {
  const via = stormState.via;
  const depth = stormState.depth;
  const seed = stormState.seed;
  const index = stormState.index;
  const sources = Unicast.sources(pattern);
  const vectors = stormState.vectorCount;
  let source = stormState.sourceNext;
  let turn = stormState.vectorNext;
  const random = pattern == <u32>PATTERN_RANDOM;
  const direct = depth == 1 && lists.wakeCount == 0;
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
    Unicast.send(from, to, vectorAt(pick), via, pattern);
    if (direct) Handlers.run(to);
    else wait(depth);
  }
  setQuiet(false);
  stormState.sourceNext = source;
  stormState.vectorNext = turn;
}

function wait(depth: u32): void {
  const waiting = stormState.waiting + 1;
  stormState.waiting = waiting;
  if (waiting >= depth) drain();
}

/** Many targets a send. */
function runFanOut(pattern: u32, count: u32): void {
  const via = stormState.via;
  const depth = stormState.depth;
  const index = stormState.index;
  for (let i: u32 = 0; i < count; i++) {
    const vector = nextVector();
    if (pattern < <u32>PATTERN_ALLBUTSELF) sendToMany(pattern, via, vector, index + i);
    else sendToOthers(via, vector);
    wait(depth);
  }
}

/** Vectors take turns. */
function nextVector(): u32 {
  const index = stormState.vectorNext;
  stormState.vectorNext = index + 1 >= stormState.vectorCount ? 0 : index + 1;
  return vectorAt(index);
}
