// Sets of 256 vectors as 16 words of 16: one word for each priority class.

/** Bits set in 16 words. */
export function countBits(words: usize): u32 {
  let sum: u64 = 0;
  for (let at: usize = 0; at < 32; at += 8) sum += popcnt<u64>(load<u64>(words + at));
  return <u32>sum;
}

/** Which of 16 words are not 0. */
export function classesOf(words: usize): u32 {
  let classes: u32 = 0;
  for (let c: u32 = 0; c < 16; c++) {
    if (load<u16>(words + ((<usize>c) << 1)) != 0) classes |= 1 << c;
  }
  return classes;
}
