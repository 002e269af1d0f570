// Texts of a cpumask. Linux lib/vsprintf.c %*pb (hex groups) and %*pbl (lists); libtraceevent prints lists.
import { usage } from '../core/errors.js';

const CPUS_MAX = 65536;

/** "0-1,3-79" or "14,17,21"; empty text is the empty mask. Ascending CPU numbers below 65,536. */
export function parseCpuList(text: string): number[] {
  const cpus: number[] = [];
  if (text.trim() === '') return cpus;
  for (const part of text.split(',')) {
    const match = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (!match || last < first || last >= CPUS_MAX || cpus.length + last - first >= CPUS_MAX) {
      throw usage('cpumask', text, 'a list such as 0-1,3-79');
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
    const bits = Number.parseInt(byte, 16);
    for (let bit = 0; bit < 8; bit++) if ((bits >> bit) & 1) cpus.push(i * 8 + bit);
  });
  return cpus;
}
