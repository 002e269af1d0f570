// HdrHistogram's V2 encoding and its log format, so that its tools read our latencies.
import { T } from '../core/memory.js';
import type { Histogram } from '../timed/histogram.js';

const COOKIE = 0x1c849313;
const COMPRESSED_COOKIE = 0x1c849314;
const HEADER = 40;
const DIGITS = 3;

/** ZigZag LEB128 as HdrHistogram has it: 7 bits a byte, the ninth byte whole. */
function putZigZag(out: number[], value: number): void {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  for (let i = 0; i < 8; i++) {
    if (rest < 0x80n) {
      out.push(Number(rest));
      return;
    }
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest & 0xffn));
}

/** The V2 encoding, uncompressed. Values are picoseconds. */
export function encodeHdr(histogram: Histogram): Uint8Array {
  const counts: number[] = [];
  let next = 0;
  for (const [index, count] of histogram.buckets) {
    if (index > next) putZigZag(counts, next - index);
    putZigZag(counts, count);
    next = index + 1;
  }
  const bytes = new Uint8Array(HEADER + counts.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, COOKIE);
  view.setUint32(4, counts.length);
  view.setUint32(8, 0);
  view.setUint32(12, DIGITS);
  view.setBigUint64(16, 1n);
  view.setBigUint64(24, (1n << BigInt(T.HIST_SUB_BITS + HALVES)) - 1n);
  view.setFloat64(32, 1);
  bytes.set(counts, HEADER);
  return bytes;
}

/** How often the range doubles beyond the first 2^HIST_SUB_BITS values. */
const HALVES = T.HIST_COUNTS / 2 ** (T.HIST_SUB_BITS - 1) - 2;

/** The compressed V2 encoding. @param deflate zlib's, as node:zlib's deflateSync */
export function compressHdr(
  histogram: Histogram,
  deflate: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  const body = deflate(encodeHdr(histogram));
  const bytes = new Uint8Array(8 + body.length);
  new DataView(bytes.buffer).setUint32(0, COMPRESSED_COOKIE);
  new DataView(bytes.buffer).setUint32(4, body.length);
  bytes.set(body, 8);
  return bytes;
}

/**
 * A log of one interval, a line per histogram, its name as the tag. Values are picoseconds,
 * Interval_Max is in microseconds.
 */
export function hdrLog(
  histograms: Readonly<Record<string, Histogram>>,
  elapsedNs: number,
  deflate: (bytes: Uint8Array) => Uint8Array,
): string {
  const lines = [
    '#[Histogram log format version 1.3]',
    '#[Values are picoseconds of simulated time]',
    '#[StartTime: 0.000 (seconds since epoch), simulated time begins at 0]',
    '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
  ];
  for (const [name, histogram] of Object.entries(histograms)) {
    if (histogram.count === 0) continue;
    const bytes = compressHdr(histogram, deflate);
    const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    const max = (histogram.maxPs / 1e6).toFixed(3);
    lines.push(`Tag=${name},0.000,${(elapsedNs / 1e9).toFixed(9)},${max},${text}`);
  }
  return `${lines.join('\n')}\n`;
}
