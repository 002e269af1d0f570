// Texts of a cpumask. Linux lib/vsprintf.c %*pb (hex groups) and %*pbl (lists); libtraceevent prints lists.
import { usage } from '../core/errors.js';
import { L } from '../core/memory.js';

/** CPUs of a machine, and the end of their numbers. */
export const CPUS_MAX = L.CPUS_MAX;

/** "0-1,3-79" or "14,17,21"; empty text is the empty mask. Ascending CPU numbers below 65,536. */
export function parseCpuList(text: string): number[] {
  const cpus: number[] = [];
  if (text.trim() === '') return cpus;
  for (const part of text.split(',')) {
    const match = /^\s*(0|[1-9]\d{0,4})(?:-([1-9]\d{0,4}))?\s*$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (!match || last < first || last >= CPUS_MAX || first <= (cpus.at(-1) ?? -1)) {
      throw usage('cpumask', text, 'an ascending list such as 0-1,3-79');
    }
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu);
  }
  return cpus;
}

/** "00000000,000fefff" or "e": comma-separated 32-bit groups, most significant first. */
export function parseHexMask(text: string): number[] {
  const cpus: number[] = [];
  if (text.trim() === '') return cpus;
  const groups = text.trim().split(',').reverse();
  if (groups.length > CPUS_MAX / 32 || !groups.every((g) => /^[0-9a-f]{1,8}$/i.test(g))) {
    throw usage('cpumask', text, 'hex groups such as 00000000,000fefff');
  }
  groups.forEach((group, i) => {
    const bits = Number.parseInt(group, 16);
    for (let bit = 0; bit < 32; bit++) if ((bits >>> bit) & 1) cpus.push(i * 32 + bit);
  });
  return cpus;
}

/** "ARRAY[0e, 00, ...]" of old libtraceevent: bytes, least significant first. */
export function parseByteArrayMask(text: string): number[] {
  const match = /^ARRAY\[([0-9a-f, ]*)\]$/i.exec(text.trim());
  if (!match) throw usage('cpumask', text, 'bytes such as ARRAY[0e, 00]');
  const cpus: number[] = [];
  match[1]!.split(',').forEach((byte, i) => {
    const bits = /^ *[0-9a-f]{1,2} *$/i.test(byte) ? Number.parseInt(byte, 16) : Number.NaN;
    if (Number.isNaN(bits) && match[1] !== '')
      throw usage('cpumask', text, 'bytes such as ARRAY[0e, 00]');
    for (let bit = 0; bit < 8; bit++) if ((bits >> bit) & 1) cpus.push(i * 8 + bit);
  });
  if ((cpus.at(-1) ?? 0) >= CPUS_MAX)
    throw usage('cpumask', text.slice(0, 60), `CPUs below ${CPUS_MAX}`);
  return cpus;
}

const HEX_WORDS = /^[0-9a-f]{8}(?:,[0-9a-f]{8})*$/i;
const SHORT_FIRST = /^[0-9a-f]{1,7}(?:,[0-9a-f]{8})+$/i;
const BYTES = /^[0-9a-f]{2}(?:,[0-9a-f]{2}){3,8191}$/i;
/** A list never has a leading zero or a letter. */
const NO_LIST = /[a-f]|(?:^|[,-])0\d/i;

/**
 * A mask in whichever form the file has it. The kernel prints whole words of 8 hex digits (%*pb),
 * lists with its option bitmask-list (%*pbl), bytes with its option fields; libtraceevent lists, or
 * bytes as ARRAY[]. A CPU number never has 8 digits or a leading zero, so the forms can be told apart.
 */
export function parseMask(text: string): number[] {
  if (text.startsWith('ARRAY[')) return parseByteArrayMask(text);
  if (HEX_WORDS.test(text) || SHORT_FIRST.test(text) || /^0x/i.test(text))
    return parseHexMask(text.replace(/^0x/i, ''));
  if (!NO_LIST.test(text)) return parseCpuList(text);
  if (BYTES.test(text)) return parseByteArrayMask(`ARRAY[${text}]`);
  return /[,-]/.test(text) ? parseCpuList(text) : parseHexMask(text);
}
