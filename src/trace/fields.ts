// Fields of the events, by key: `cpu=1 callsite=f+0x1/0x20 [kvm] callback=0x0`.
// Linux 6.12 include/trace/events/ipi.h, csd.h, sched.h, arch/x86/include/asm/trace/irq_vectors.h.
import { C } from '../core/memory.js';
import { CPUS_MAX, parseMask } from './cpumask.js';

export interface IpiSend {
  kind: 'cpu' | 'mask';
  cpus: number[];
  callsite: string;
  /** Symbol without offset, size and module; '' for none. */
  callback: string;
}

export const SEND_EVENTS: ReadonlySet<string> = new Set(['ipi_send_cpu', 'ipi_send_cpumask']);

/** x86 handlers of the IPIs that the send events cover, with their vectors. */
const HANDLERS: Readonly<Record<string, number>> = {
  reschedule_entry: C.VECTOR_RESCHEDULE,
  call_function_entry: C.VECTOR_CALL_FUNCTION,
  call_function_single_entry: C.VECTOR_CALL_FUNCTION_SINGLE,
  irq_work_entry: C.VECTOR_IRQ_WORK,
};

/** arm and arm64 ipi_entry, by the first word of its reason. Either call function: -1. */
const REASONS: Readonly<Record<string, number>> = {
  Rescheduling: C.VECTOR_RESCHEDULE,
  Function: -1,
  IRQ: C.VECTOR_IRQ_WORK,
};

const TEXT_MAX = 200;

/** Text of a stranger's file, safe to print on a terminal. */
export function printable(text: string): string {
  return text.slice(0, TEXT_MAX).replace(/[^\x20-\x7e]/g, '?');
}

const WORD = /\w/;

/** Where the next ` word=` begins, with the blanks or the comma before it; the end without one. */
function nextKey(text: string, from: number): number {
  for (let equals = text.indexOf('=', from); equals >= 0; equals = text.indexOf('=', equals + 1)) {
    let i = equals - 1;
    while (i >= from && WORD.test(text[i]!)) i--;
    if (i < equals - 1 && i >= from && text[i] === ' ') return i;
  }
  return text.length;
}

/** The text after `key=` up to the next ` word=`, without blanks or a comma around it. */
export function field(text: string, key: string): string | undefined {
  const at = text.startsWith(`${key}=`) ? 0 : text.indexOf(` ${key}=`) + 1;
  if (at === 0 && !text.startsWith(`${key}=`)) return undefined;
  const begin = at + key.length + 1;
  const value = text.slice(begin, nextKey(text, begin)).trim();
  return value.endsWith(',') ? value.slice(0, -1) : value;
}

/**
 * "12", "0xc", also with more behind a blank (the option fields' "0xc (12)", perf's ip and sym); -1
 * for anything else or `limit` and more.
 */
function number(text: string | undefined, limit: number): number {
  const m = /^(0x[0-9a-f]{1,8}|\d{1,10})(?: |$)/i.exec(text ?? '');
  const value = Number(m?.[1] ?? -1);
  return value < limit ? value : -1;
}

/** A symbol without offset, size and [module]; '' for no function. */
export function symbol(text: string): string {
  if (text === NOT_RECORDED) return text;
  const blank = text.indexOf(' ');
  const bare = blank < 0 ? text : text.slice(0, blank);
  if (/^(?:0x0+|\(nil\)|NULL|\(null\)|0+)$/.test(bare)) return '';
  const plus = bare.indexOf('+0x');
  return printable(plus < 0 ? bare : bare.slice(0, plus));
}

/** As field(), but nothing when a blank follows the `=`: the line was cut there. */
function symbolField(text: string, key: string): string | undefined {
  return text.includes(`${key}= `) ? undefined : field(text, key);
}

/** What stands for a symbol that a one-liner didn't print. */
export const NOT_RECORDED = '(not recorded)';

/**
 * ipi_send_cpu and ipi_send_cpumask; undefined when a field is missing or makes no sense.
 * @param symbols false: callsite and callback may be missing
 */
export function parseSend(name: string, text: string, symbols = true): IpiSend | undefined {
  const missing = symbols ? undefined : NOT_RECORDED;
  const callsite = symbolField(text, 'callsite') || missing;
  const callback = symbolField(text, 'callback') || missing;
  if (!callsite || !callback) return undefined;
  const rest = { callsite: symbol(callsite), callback: symbol(callback) };
  if (name === 'ipi_send_cpu') {
    const cpu = number(field(text, 'cpu'), CPUS_MAX);
    return cpu < 0 ? undefined : { kind: 'cpu', cpus: [cpu], ...rest };
  }
  const mask = field(text, 'cpumask');
  if (mask === undefined) return undefined;
  try {
    return { kind: 'mask', cpus: parseMask(mask), ...rest };
  } catch {
    return undefined;
  }
}

/** Callback of the calls' IPIs since Linux 6.4, generic_smp_call_function_single_interrupt(), and of older ones. */
export function isGenericCall(callback: string): boolean {
  return callback.startsWith('generic_smp_call_function');
}

/** Whether an event says that an IPI handler began. */
export function isHandlerEntry(name: string): boolean {
  return Object.hasOwn(HANDLERS, name) || name === 'ipi_entry';
}

/** Vector of a handler entry, -1 for arm's function calls; undefined when it can't be told. */
export function parseHandlerEntry(name: string, text: string): number | undefined {
  if (name === 'ipi_entry') return REASONS[/^\((\w+)/.exec(text)?.[1] ?? ''];
  return number(field(text, 'vector'), 256) < 0 ? undefined : HANDLERS[name];
}

/** csd_queue_cpu: the function queued and its target. */
export function parseQueue(text: string): { cpu: number; func: string } | undefined {
  const func = field(text, 'func');
  return func ? { cpu: number(field(text, 'cpu'), CPUS_MAX), func: symbol(func) } : undefined;
}

/** Target of sched_waking and sched_wakeup, -1 without. */
export function parseWake(text: string): number {
  return number(/target_cpu=(\d{1,5})/.exec(text)?.[1]?.replace(/^0+(?=\d)/, ''), CPUS_MAX);
}

/** kvm_apic_ipi: "dst 1 vec 251 (Fixed|physical|assert|edge|dst)". Linux arch/x86/kvm/trace.h. */
export function parseKvmIpi(text: string): { vector: number; delivery: string } | undefined {
  const m = /^dst [0-9a-fx]{1,10} vec (\d{1,3}) \((\w{1,20})\|/.exec(text);
  return m ? { vector: Number(m[1]), delivery: m[2]! } : undefined;
}
