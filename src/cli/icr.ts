// ipistorm icr: what one send writes.

import { meant } from '../core/check.js';
import { snakeKeys } from '../core/counters.js';
import { usage } from '../core/errors.js';
import { C } from '../core/memory.js';
import {
  MASK_OPS,
  OP_VECTOR,
  OPS,
  type Op,
  SINGLE_TARGET_OPS,
  type Write,
} from '../machine/linux.js';
import { Machine } from '../machine/machine.js';
import { MACHINE_OPTIONS, machineOptions } from './machine-options.js';
import { formatList, formatShortList, parseNumber, parseNumberList } from './numbers.js';
import type { CommandSpec, Parsed } from './options.js';
import type { Terminal } from './terminal.js';

export const ICR: CommandSpec = {
  summary: 'Shows exactly which ICR writes one send makes, in order, and what the sender pays.',
  options: {
    ...MACHINE_OPTIONS,
    from: { value: 'CPU', help: 'sending CPU (default 0)' },
    op: {
      value: 'OP',
      help: 'single | mask | mask_allbutself | allbutself | all | self | reschedule | call_single | call_many | irq_work, or the kernel name (default mask)',
    },
    cpus: {
      value: 'LIST',
      empty: true,
      help: 'target CPUs, such as 1-31 (with --apic-ids or --topology), default all others',
    },
    vector: { value: 'V', help: 'vector 0-255, such as 0xfc (2 is NMI); callers have their own' },
    json: { help: 'machine-readable output' },
  },
  examples: [
    'npx ipistorm icr --era linux-6.12 --driver x2apic_cluster --apic-ids 0-15,32-47 --op mask --cpus 1-31 --vector 0xfc',
    'npx ipistorm icr --era linux-4.0 --driver x2apic_cluster --topology 2x24x2 --op single --cpus 3 --vector 0xfd',
    'npx ipistorm icr --driver kvm_pv --apic-ids 0-299 --op call_many --json',
  ],
};

const SHORT: Record<string, Op> = {
  single: 'send_IPI',
  mask: 'send_IPI_mask',
  mask_allbutself: 'send_IPI_mask_allbutself',
  allbutself: 'send_IPI_allbutself',
  all: 'send_IPI_all',
  self: 'send_IPI_self',
  reschedule: 'smp_send_reschedule',
  call_single: 'send_call_func_single_ipi',
  call_many: 'send_call_func_ipi',
  call: 'send_call_func_ipi',
  irq_work: 'irq_work_raise',
};

export function parseOp(text: string): Op {
  const key = text.replace(/-/g, '_');
  if (Object.hasOwn(OPS, key)) return key as Op;
  if (Object.hasOwn(SHORT, key)) return SHORT[key]!;
  const names = [...Object.keys(SHORT), ...Object.keys(OPS)];
  throw usage('--op', text, names.join(', '), meant(key, names));
}

/** Without ids or a topology the machine is as large as the highest CPU named. */
function sizeOf(args: Parsed, targets: number[] | undefined, from: number): { cpus?: number } {
  if (args.text('apic-ids') !== undefined || args.text('topology') !== undefined) return {};
  return { cpus: Math.max(from, ...(targets ?? [7])) + 1 };
}

export async function runIcr(args: Parsed, terminal: Terminal): Promise<number> {
  const from = parseNumber('--from', args.text('from') ?? '0', 0, 65535);
  const op = parseOp(args.text('op') ?? 'mask');
  const list = args.text('cpus');
  const targets = list === undefined ? undefined : parseNumberList('--cpus', list, 0, 65535);
  const described: Parsed = {
    ...args,
    text: (key) => (key === 'cpus' ? undefined : args.text(key)),
  };
  const machine = Machine.create(machineOptions(described, sizeOf(args, targets, from)));
  const cpus = machine.config.cpus;
  const chosen = targets ?? Array.from({ length: cpus }, (_, i) => i).filter((cpu) => cpu !== from);
  const own = `CPUs 0-${cpus - 1} of this machine`;
  if (from >= cpus) throw usage('--from', from, own, 'give more --apic-ids');
  const beyond = chosen.find((cpu) => cpu >= cpus);
  if (beyond !== undefined) throw usage('--cpus', beyond, own, 'give more --apic-ids');
  if (SINGLE_TARGET_OPS.has(op) && chosen.length !== 1) {
    throw usage('--cpus', formatShortList(chosen), `one CPU for ${op}`, 'name it: --cpus 3');
  }
  const vector = vectorOf(args, op);
  const writes = machine.linux.record((linux) => linux.send(op, from, chosen, vector));
  const { sends, ...counts } = machine.senderCosts();
  const result = { op, from, vector, writes, counts: snakeKeys(counts), machine };
  if (args.flag('json')) await terminal.json(icrJson(result));
  else printIcr(result, chosen, terminal);
  return 0;
}

function vectorOf(args: Parsed, op: Op): number {
  const fixed = OP_VECTOR[op];
  const text = args.text('vector');
  if (fixed === undefined) return parseNumber('--vector', text ?? '0xfc', 0, 255);
  const given = text === undefined ? fixed : parseNumber('--vector', text, 0, 255);
  if (given !== fixed)
    throw usage('--vector', text, `0x${fixed.toString(16)}: ${op} has its own vector`);
  return fixed;
}

interface IcrResult {
  op: Op;
  from: number;
  vector: number;
  writes: Write[];
  counts: Record<string, unknown>;
  machine: Machine;
}

function isHypercall(write: Write): boolean {
  return write.register !== 'ICR' && write.register !== 'SELF_IPI';
}

/** `writes` are register writes; hypercalls have their own list. */
function icrJson({ op, from, vector, writes, counts, machine }: IcrResult): object {
  const { era, driver, mode } = machine.config;
  return {
    era,
    driver,
    mode,
    op,
    from,
    vector,
    writes: writes.filter((w) => !isHypercall(w)).map(({ dest, low }) => ({ dest, low })),
    decoded: writes.map((w) => ({
      register: w.register,
      icr2: w.icr2,
      meaning: decode(w, machine),
    })),
    hypercalls: writes.filter(isHypercall).map(({ register, dest, low, targets }) => ({
      name: register,
      lowest: dest,
      icr: low,
      targets,
    })),
    counts,
  };
}

const hex = (value: number, digits: number) => `0x${value.toString(16).padStart(digits, '0')}`;

function delivery(low: number): string {
  return (low & C.ICR_DELIVERY) === C.ICR_NMI ? 'NMI' : `fixed vector ${hex(low & 0xff, 2)}`;
}

/** One write in words. */
export function decode(write: Write, machine: Machine): string {
  const { register, dest, low, targets } = write;
  if (register === 'SELF_IPI') return `to self, fixed vector ${hex(low, 2)}`;
  if (register === 'KVM_HC_SEND_IPI')
    return `${targets} APIC ids from ${dest} up, ${delivery(low)}`;
  if (isHypercall(write))
    return `${targets} virtual processors from ${dest} up, vector ${hex(low, 2)}`;
  const shorthand = low & C.ICR_SHORTHAND;
  if (shorthand === C.ICR_SELF) return `shorthand self, ${delivery(low)}`;
  if (shorthand === C.ICR_ALL_INC) return `shorthand all including self, ${delivery(low)}`;
  if (shorthand === C.ICR_ALL_EXC) return `shorthand all excluding self, ${delivery(low)}`;
  if (!(low & C.ICR_LOGICAL)) return `physical id ${dest}, ${delivery(low)}`;
  if (machine.config.mode.startsWith('xapic')) return `logical ${hex(dest, 2)}, ${delivery(low)}`;
  const members = [...Array(16).keys()].filter((bit) => (dest >> bit) & 1);
  return `cluster ${dest >>> 16} members ${formatList(members)}, ${delivery(low)}`;
}

const WRITES_SHOWN = 256;

function printIcr(
  { op, from, writes, counts, machine }: IcrResult,
  targets: number[],
  terminal: Terminal,
): void {
  const { era, driver, mode, cpus } = machine.config;
  const aim =
    MASK_OPS.has(op) || SINGLE_TARGET_OPS.has(op) ? ` to CPUs ${formatShortList(targets)}` : '';
  terminal.title(`${op} from CPU ${from}${aim}: ${era}, ${driver}, ${mode}, ${cpus} CPUs`);
  const rows = writes
    .slice(0, WRITES_SHOWN)
    .map((write, i) => [
      `${i + 1}`,
      write.register + (write.icr2 ? ' (ICR2 first)' : ''),
      hex(write.dest, mode.startsWith('x2apic') ? 8 : 2),
      hex(write.low, 8),
      decode(write, machine),
    ]);
  if (rows.length > 0) terminal.table(['#', 'register', 'dest', 'low', 'meaning'], rows, 5);
  else terminal.print('nothing is written');
  const more = writes.length - rows.length;
  if (more > 0) terminal.print(`... and ${more} more writes (--json has all)`);
  const paid = Object.entries(counts).filter(([, value]) => value !== 0);
  terminal.print(
    `sender pays: ${paid.map(([key, value]) => `${key} ${value}`).join(', ') || 'nothing'}`,
  );
  const { delivered, pending, coalesced, nmis, rejected } = machine.counters();
  terminal.print(
    `reached: ${delivered + pending + coalesced} IRR bits${nmis ? `, ${nmis} NMIs` : ''}${rejected ? `, ${rejected} rejected` : ''}`,
  );
}
