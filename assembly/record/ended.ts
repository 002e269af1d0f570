// What an EOI leaves to do: which CPU ended which vector on a row that is not plain. The local APIC
// writes it down; whoever had it write EOI lets the board finish (board/eoi.ts).

export const NOTHING: i64 = i64.MIN_VALUE;

/** CPU << 32 | vector (NONE: a stray EOI), or NOTHING. */
export let ended: i64 = NOTHING;

export function leave(cpu: u32, vector: i32): void {
  assert(ended == NOTHING);
  ended = ((<i64>cpu) << 32) | <u32>vector;
}

export function takeEnded(): i64 {
  const what = ended;
  ended = NOTHING;
  return what;
}
