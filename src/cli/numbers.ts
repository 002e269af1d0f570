// Numbers as people type them: 0xfd, 50M, 1_000, 1e6; lists: 1-3,8.
import { usage } from '../core/errors.js';

const SUFFIX: Record<string, number> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };

const WRITTEN = /^(?:(0x[0-9a-f]+(?:_[0-9a-f]+)*)|(\d+(?:_\d+)*(?:\.\d+)?(?:e\d+)?)([kmg]?))$/i;

/** Such as 253 and 0xfd, of what is allowed. */
function examples(min: number, max: number): string {
  const one = Math.min(max, Math.max(min, 253));
  return `such as ${one}, 0x${one.toString(16)}${max >= 50e6 ? ' or 50M' : ''}`;
}

/** One non-negative integer. */
export function parseNumber(what: string, text: string, min: number, max: number): number {
  const match = WRITTEN.exec(text.trim());
  const digits = (match?.[1] ?? match?.[2] ?? '').replaceAll('_', '');
  const unit = SUFFIX[match?.[3]?.toLowerCase() ?? '']!;
  const value = match ? Math.round(Number(digits) * unit * 1e6) / 1e6 : Number.NaN;
  if (!Number.isInteger(value) || value < min || value > max) {
    throw usage(what, text, `an integer ${min}-${max} ${examples(min, max)}`);
  }
  return value;
}

/** A 64-bit seed. */
export function parseSeed(what: string, text: string): bigint {
  const plain = /^(0x[0-9a-f]+(_[0-9a-f]+)*|\d+(_\d+)*)$/i.test(text) && text.replaceAll('_', '');
  if (plain && BigInt(plain) < 1n << 64n) return BigInt(plain);
  throw usage(what, text, 'an integer 0 to 2^64-1 such as 42 or 0xdeadbeef');
}

/** A list of numbers and ascending ranges, in the order given. Empty text is the empty list. */
export function parseNumberList(
  what: string,
  text: string,
  min: number,
  max: number,
  most = 65536,
): number[] {
  const out: number[] = [];
  if (text.trim() === '') return out;
  for (const part of text.split(',')) {
    const [first = '', last, ...rest] = part.split('-');
    if (rest.length > 0 || first.trim() === '' || last?.trim() === '')
      throw usage(what, part, 'numbers and ranges such as 1-3,8');
    const from = parseNumber(what, first, min, max);
    const to = last === undefined ? from : parseNumber(what, last, min, max);
    if (to < from || out.length + to - from >= most) {
      throw usage(what, part, `ascending ranges such as 1-3,8, at most ${most} numbers`);
    }
    for (let n = from; n <= to; n++) out.push(n);
  }
  return out;
}

/** The same for a line: a long list ends in "and 12 more". */
export function formatShortList(values: readonly number[], most = 24): string {
  const parts = formatList(values).split(',');
  if (parts.length <= most) return parts.join(',');
  const shown = parts.slice(0, most).join(',');
  const last = Number(shown.split(/[,-]/).at(-1));
  return `${shown} and ${values.length - values.indexOf(last) - 1} more`;
}

/** Ascending numbers as a list: 1-3,8. */
export function formatList(values: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < values.length; ) {
    let j = i;
    while (j + 1 < values.length && values[j + 1] === values[j]! + 1) j++;
    parts.push(i === j ? `${values[i]}` : `${values[i]}-${values[j]}`);
    i = j + 1;
  }
  return parts.join(',');
}
