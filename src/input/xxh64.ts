// XXH64, the checksum of zstd frames, with seed 0.
// Source: the xxHash specification (doc/xxhash_spec.md, XXH64 algorithm); RFC 8878 section 3.1.1.

const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;
const STRIPE = 32;

/** Of 64 bits. */
const cut = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotate = (value: bigint, by: bigint): bigint =>
  cut(cut(value << by) | cut(value >> (64n - by)));
const round = (lane: bigint, input: bigint): bigint =>
  cut(rotate(cut(lane + cut(input * P2)), 31n) * P1);

const low = (value: bigint): number => Number(BigInt.asIntN(32, value));
const high = (value: bigint): number => Number(BigInt.asIntN(32, value >> 32n));
const [P1_LOW, P1_HIGH, P2_LOW, P2_HIGH] = [low(P1), high(P1), low(P2), high(P2)];

/** High half of the product of two 32-bit numbers. */
function highOfProduct(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const first = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16);
  const second = (Math.imul(aLow, bHigh) >>> 0) + (first & 0xffff);
  return (Math.imul(aHigh, bHigh) + (first >>> 16) + (second >>> 16)) | 0;
}

/** round() on a lane in halves: ten times as fast as with BigInts. */
function roundHalves(lanes: Int32Array, lane: number, inLow: number, inHigh: number): void {
  const mulHigh =
    highOfProduct(inLow, P2_LOW) + Math.imul(inLow, P2_HIGH) + Math.imul(inHigh, P2_LOW);
  const sum = (lanes[lane]! >>> 0) + (Math.imul(inLow, P2_LOW) >>> 0);
  const sumHigh = (lanes[lane + 1]! + mulHigh + (sum > 0xffffffff ? 1 : 0)) | 0;
  const turnedLow = (sum << 31) | (sumHigh >>> 1);
  const turnedHigh = (sumHigh << 31) | ((sum | 0) >>> 1);
  lanes[lane] = Math.imul(turnedLow, P1_LOW);
  lanes[lane + 1] =
    highOfProduct(turnedLow, P1_LOW) +
    Math.imul(turnedLow, P1_HIGH) +
    Math.imul(turnedHigh, P1_LOW);
}

export class Xxh64 {
  /** Four lanes, each low half, then high half. */
  readonly #lanes = Int32Array.from(
    [cut(P1 + P2), P2, 0n, cut(-P1)].flatMap((lane) => [low(lane), high(lane)]),
  );
  /** What does not fill a stripe yet. */
  readonly #rest = new Uint8Array(STRIPE);
  #filled = 0;
  #total = 0;

  update(bytes: Uint8Array): void {
    this.#total += bytes.length;
    let at = 0;
    if (this.#filled > 0) {
      at = Math.min(STRIPE - this.#filled, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#filled);
      this.#filled += at;
      if (this.#filled < STRIPE) return;
      this.#stripes(this.#rest, 0, STRIPE);
      this.#filled = 0;
    }
    const end = at + Math.floor((bytes.length - at) / STRIPE) * STRIPE;
    this.#stripes(bytes, at, end);
    this.#rest.set(bytes.subarray(end));
    this.#filled = bytes.length - end;
  }

  #stripes(bytes: Uint8Array, from: number, end: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (let at = from; at < end; at += STRIPE) {
      for (let lane = 0; lane < 8; lane += 2) {
        const here = at + 4 * lane;
        roundHalves(this.#lanes, lane, view.getInt32(here, true), view.getInt32(here + 4, true));
      }
    }
  }

  #converged(): bigint {
    const half = (i: number) => BigInt(this.#lanes[i]! >>> 0);
    const lanes = [0, 2, 4, 6].map((i) => half(i) | (half(i + 1) << 32n));
    const turns = [1n, 7n, 12n, 18n];
    let hash = cut(lanes.reduce((sum, lane, i) => sum + rotate(lane, turns[i]!), 0n));
    for (const lane of lanes) hash = cut(cut(hash ^ round(0n, lane)) * P1 + P4);
    return hash;
  }

  digest(): bigint {
    let hash = cut((this.#total < STRIPE ? P5 : this.#converged()) + BigInt(this.#total));
    const view = new DataView(this.#rest.buffer, 0, this.#filled);
    let at = 0;
    for (; at + 8 <= this.#filled; at += 8) {
      hash = cut(rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * P1 + P4);
    }
    if (at + 4 <= this.#filled) {
      hash = cut(rotate(hash ^ cut(BigInt(view.getUint32(at, true)) * P1), 23n) * P2 + P3);
      at += 4;
    }
    for (; at < this.#filled; at++) {
      hash = cut(rotate(hash ^ cut(BigInt(view.getUint8(at)) * P5), 11n) * P1);
    }
    hash = cut((hash ^ (hash >> 33n)) * P2);
    hash = cut((hash ^ (hash >> 29n)) * P3);
    return hash ^ (hash >> 32n);
  }
}
