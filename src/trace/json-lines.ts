// wprof's JSON lines (its JSON_SCHEMA.md 3.1): a header, stacks, then events by the time they end.
import { C } from '../core/memory.js';
import { CPUS_MAX } from './cpumask.js';

/** One line that matters. Times are text: seconds from the recording's start, up to 9 digits. */
export type JsonEvent =
  | { t: 'header'; capturesIpis: boolean }
  | { t: 'other'; name: string; cpu: number; at: string | undefined }
  | { t: 'send'; cpu: number; at: string; kind: string; target: number | undefined }
  | { t: 'entry'; cpu: number; at: string | undefined; vector: number };

const VECTORS: Readonly<Record<string, number>> = {
  reschedule: C.VECTOR_RESCHEDULE,
  single: C.VECTOR_CALL_FUNCTION_SINGLE,
  multi: C.VECTOR_CALL_FUNCTION,
};

function cpuOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < CPUS_MAX
    ? value
    : undefined;
}

/** Seconds to 9 digits, for what JSON.parse() made of a number of at most 9 decimals. */
function secondsOf(value: unknown): string | undefined {
  return typeof value === 'number' && value >= 0 && value < 1e9 ? value.toFixed(9) : undefined;
}

/** undefined: a line without an event (a stack). A text: why the line is damaged. */
export function readJsonLine(line: string): JsonEvent | string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'not JSON';
  }
  if (typeof value !== 'object' || value === null) return 'not a JSON object';
  const record = value as Record<string, unknown>;
  if ('capture_ipis' in record) return { t: 'header', capturesIpis: record.capture_ipis !== false };
  if (typeof record.t !== 'string') return undefined;
  const cpu = cpuOf(record.cpu);
  const at = secondsOf(record.ts);
  const ipi = record.t === 'ipi_send' || record.t === 'ipi';
  if (!ipi) return { t: 'other', name: record.t, cpu: cpu ?? 0, at };
  if (cpu === undefined || at === undefined) return `${record.t.slice(0, 40)}: no cpu or ts`;
  return record.t === 'ipi_send' ? sendOf(record, cpu, at) : entryOf(record, cpu);
}

function sendOf(record: Record<string, unknown>, cpu: number, at: string): JsonEvent | string {
  const kind = String(record.kind);
  if (!Object.hasOwn(VECTORS, kind)) return 'ipi_send: kind not understood';
  const target = cpuOf(record.target_cpu);
  if (record.target_cpu !== undefined && target === undefined)
    return 'ipi_send: target_cpu not understood';
  return { t: 'send', cpu, at, kind, target };
}

function entryOf(record: Record<string, unknown>, cpu: number): JsonEvent | string {
  const vector = Object.hasOwn(VECTORS, String(record.kind))
    ? VECTORS[String(record.kind)]
    : undefined;
  if (vector === undefined) return 'ipi: kind not understood';
  return { t: 'entry', cpu, at: secondsOf(record.start_ts), vector };
}
