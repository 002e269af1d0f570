// Prints one list of events as each tool does: what a reader must find is known beforehand.
// Forms: Linux kernel/trace/trace_output.c, trace_functions_graph.c; trace-cmd tracecmd/trace-read.c;
// tools/perf/builtin-script.c; wprof JSON_SCHEMA.md.
import fc from 'fast-check';
import { GENERIC } from './text.js';

export interface Sent {
  cpu: number;
  /** Microseconds from the start, ascending. */
  us: number;
  /** More than one: a mask. None: a handler entry of the CPU. */
  targets: readonly number[];
  reschedule: boolean;
  comm: string;
  pid: number;
}

export interface Printed {
  name: string;
  print(events: readonly Sent[], cpus: number): string;
  /** Whether the size of the machine is in it. */
  header: boolean;
  clock: 'ns' | 'counter' | 'none';
}

const pad = (value: number | string, width: number) => String(value).padStart(width);
const zeros = (value: number, width: number) => String(value).padStart(width, '0');
const seconds = (us: number, digits = 6) =>
  `${Math.floor(us / 1e6) + 70}.${zeros(us % 1e6, 6)}${'0'.repeat(digits - 6)}`;

export function hexMask(cpus: readonly number[], size: number): string {
  const words = Math.max(2, 2 * Math.ceil(size / 64));
  const bits = cpus.reduce((mask, cpu) => mask | (1n << BigInt(cpu)), 0n);
  return bits
    .toString(16)
    .padStart(words * 8, '0')
    .match(/.{8}/g)!
    .join(',');
}

export function listMask(cpus: readonly number[]): string {
  const sorted = [...cpus].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; i++) {
    const from = sorted[i]!;
    while (sorted[i + 1] === sorted[i]! + 1) i++;
    parts.push(from === sorted[i] ? `${from}` : `${from}-${sorted[i]}`);
  }
  return parts.join(',');
}

function bytesMask(cpus: readonly number[], size: number): string {
  const bytes = new Array<number>(8 * Math.ceil(size / 64)).fill(0);
  for (const cpu of cpus) bytes[cpu >> 3]! |= 1 << (cpu & 7);
  return `ARRAY[${bytes.map((b) => b.toString(16).padStart(2, '0')).join(', ')}]`;
}

interface Style {
  mask: (cpus: readonly number[], size: number) => string;
  /** After a symbol's offset. */
  size: string;
  /** Width to which "event:" is padded. */
  width: number;
}

const KERNEL: Style = { mask: hexMask, size: '/0x40', width: 0 };
const LISTS: Style = { mask: listMask, size: '/0x40', width: 0 };
const TRACE_CMD: Style = { mask: listMask, size: '', width: 22 };
const PERF: Style = { mask: listMask, size: '', width: 0 };

function event({ targets, reschedule }: Sent, cpus: number, style: Style): string {
  const padded = (name: string) => `${name}:`.padEnd(style.width - 1);
  if (targets.length === 0) return `${padded('reschedule_entry')} vector=253`;
  const callback = reschedule ? '0x0' : `${GENERIC}+0x0${style.size}`;
  const rest = `callsite=smp_call+0x33${style.size} [kvm] callback=${callback}`;
  if (targets.length === 1) return `${padded('ipi_send_cpu')} cpu=${targets[0]} ${rest}`;
  return `${padded('ipi_send_cpumask')} cpumask=${style.mask(targets, cpus)} ${rest}`;
}

function raw(sent: Sent, cpus: number): string {
  const text = event(sent, cpus, { ...TRACE_CMD, mask: bytesMask });
  return text
    .replace(
      /callsite=.*callback=gen\S*/,
      'callsite=0xffffffff811a2b3c callback=0xffffffff81150000',
    )
    .replace(/callsite=smp\S* \[kvm\]/, 'callsite=0xffffffff811a2b3c');
}

const HEADER = (events: number, cpus: number) =>
  `# tracer: nop\n#\n# entries-in-buffer/entries-written: ${events}/${events}   #P:${cpus}\n#\n#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n#              | |         |   |||||     |         |\n`;

type Line = (sent: Sent, i: number, cpus: number) => string;

const lines = (line: Line) => (events: readonly Sent[], cpus: number) =>
  events.map((sent, i) => `${line(sent, i, cpus)}\n`).join('');
const tracefs = (line: Line) => (events: readonly Sent[], cpus: number) =>
  HEADER(events.length, cpus) + lines(line)(events, cpus);
const task = ({ comm, pid }: Sent) => `${pad(comm, 16)}-${String(pid).padEnd(7)}`;
const cpuOf = ({ cpu }: Sent) => `[${zeros(cpu, 3)}]`;
const kernelLine =
  (flags: string, style = KERNEL): Line =>
  (sent, _, cpus) =>
    `${task(sent)} ${cpuOf(sent)} ${flags} ${pad(seconds(sent.us), 12)}: ${event(sent, cpus, style)}`;
const traceCmd =
  (style: (sent: Sent, cpus: number) => string, time = (us: number) => seconds(us)): Line =>
  (sent, _, cpus) =>
    `${pad(sent.comm, 16)}-${String(sent.pid).padEnd(5)} ${cpuOf(sent)} d..1. ${pad(time(sent.us), 12)}: ${style(sent, cpus)}`;
const perfLine =
  (head: (sent: Sent) => string, time = (us: number) => `${pad(seconds(us), 12)}: `): Line =>
  (sent, _, cpus) => {
    const system = sent.targets.length === 0 ? 'irq_vectors' : 'ipi';
    return `${head(sent)} ${cpuOf(sent)} ${time(sent.us)}${pad('', sent.pid % 9)}${system}:${event(sent, cpus, PERF)}`;
  };
const perfTask = ({ comm, pid }: Sent) => `${pad(comm, 16)} ${pad(pid, 7)}`;
const cmdHeader = (print: Printed['print']) => (events: readonly Sent[], cpus: number) =>
  `cpus=${cpus}\n${print(events, cpus)}`;
const CHAIN =
  '\tffffffff81100000 send_call+0x10 ([kernel.kallsyms])\n\tffffffff811003d1 generic_exec_single+0x11 ([kernel.kallsyms])\n\n';
const STACK = ' => trace_event_raw_event_ipi_send_cpu\n => do_syscall_64\n';

function wprof(events: readonly Sent[]): string {
  const json = events.map(({ cpu, us, targets, reschedule, comm, pid }) => {
    const [ts, kind] = [us / 1e6, reschedule ? 'reschedule' : 'single'];
    if (targets.length === 0)
      return { ts: ts + 1e-9, t: 'ipi', start_ts: ts, cpu, kind: 'reschedule', task: { comm } };
    if (targets.length > 1) return { ts, t: 'ipi_send', cpu, kind: 'multi', task: { comm, pid } };
    return { ts, t: 'ipi_send', cpu, kind, target_cpu: targets[0], task: { comm, pid } };
  });
  const head = { version: '3.1', capture_ipis: true, stacks: [], stack_cnt: 0 };
  return [head, ...json].map((line) => JSON.stringify(line)).join('\n');
}

const of = (
  name: string,
  print: Printed['print'],
  header = true,
  clock: Printed['clock'] = 'ns',
): Printed => ({ name, print, header, clock });

export const DIALECTS: readonly Printed[] = [
  of('tracefs', tracefs(kernelLine('d..1.'))),
  of('tracefs, masks as lists', tracefs(kernelLine('d..1.', LISTS))),
  of('tracefs without irq-info', tracefs(kernelLine(''))),
  of(
    'tracefs with tgid',
    tracefs((s, i, n) =>
      kernelLine('....')(s, i, n).replace(/ \[(\d{3,})\] (?=\.)/, ' (-------) [$1] '),
    ),
  ),
  of(
    'tracefs, clock counter',
    tracefs((s, i, n) =>
      kernelLine('d.h1.')(s, i, n).replace(/ +\d+\.\d{6}: (?=ipi|res)/, `         ${i + 5}: `),
    ),
    true,
    'counter',
  ),
  of('trace_pipe', lines(kernelLine('d..2.')), false),
  of(
    'tracefs with stacks',
    tracefs(
      (s, i, n) =>
        `${kernelLine('d..1.')(s, i, n)}\n${task(s)} ${cpuOf(s)} d..1. ${seconds(s.us)}: <stack trace>\n${STACK.trimEnd()}`,
    ),
  ),
  of(
    'tracefs with functions',
    tracefs(
      (s, i, n) =>
        `${task(s)} ${cpuOf(s)} d..1. ${seconds(s.us)}: llist_add_batch <-__smp_call_single_queue\n${kernelLine('d..1.')(s, i, n)}`,
    ),
  ),
  of(
    'latency format',
    (events, cpus) =>
      `# tracer: nop\n#\n# nop latency trace v1.1.5 on 6.12\n# latency: 0 us, #${events.length}/${events.length}, CPU#0 | (M:desktop VP:0, KP:0, SP:0 HP:0 #P:${cpus})\n${lines((s, i, n) => `${pad(s.comm.slice(0, 8), 8)}-${String(s.pid).padEnd(7)} ${pad(s.cpu, 3)}d..1. ${pad(s.us, 4)}us${'!+ #'[i % 4]}: ${event(s, n, KERNEL)}`)(events, cpus)}`,
  ),
  of(
    'latency format, verbose',
    tracefs(
      (s, i, n) =>
        `${pad(s.comm, 16)} ${pad(s.pid, 7)} ${pad(s.cpu, 3)} 0 00000001 ${zeros(i, 8)} [${s.us.toString(16).padStart(8, '0')}] ${Math.floor(s.us / 1000)}.${zeros(s.us % 1000, 3)}ms (+0.012ms): ${event(s, n, KERNEL)}`,
    ),
  ),
  of(
    'function_graph',
    (events, cpus) =>
      `# tracer: function_graph\n#\n# CPU  DURATION                  FUNCTION CALLS\n${lines((s, _, n) => ` ${pad(s.cpu, 2)})               |  smp_call() {\n ${pad(s.cpu, 2)})   0.210 us    |    llist_add_batch();\n ${pad(s.cpu, 2)})               |    /* ${event(s, n, KERNEL)} */\n ${pad(s.cpu, 2)})   1.734 us    |  }`)(events, cpus)}`,
    false,
    'none',
  ),
  of(
    'function_graph with time and task',
    (events, cpus) =>
      `# tracer: function_graph\n#\n${lines((s, _, n) => ` ${pad(seconds(s.us), 12)} |  ${pad(s.cpu, 2)})  ${pad(`${s.comm.slice(0, 7)}-${s.pid}`, 14)} |               |    /* ${event(s, n, KERNEL)} */`)(events, cpus)}`,
    false,
  ),
  of('trace-cmd report', cmdHeader(lines(traceCmd((s, n) => event(s, n, TRACE_CMD))))),
  of('trace-cmd report -R', cmdHeader(lines(traceCmd(raw)))),
  of(
    'trace-cmd report -t',
    cmdHeader(
      lines(
        traceCmd(
          (s, n) => event(s, n, TRACE_CMD),
          (us) => seconds(us, 9),
        ),
      ),
    ),
  ),
  of(
    'trace-cmd report --ts-diff',
    cmdHeader(
      lines(
        (s, i, n) =>
          `${pad(s.comm, 16)}-${String(s.pid).padEnd(5)} ${cpuOf(s)} ${pad(seconds(s.us), 12)}: ${(i === 0 ? '' : `(+${i})`).padEnd(8)} ${event(s, n, TRACE_CMD)}`,
      ),
    ),
  ),
  of(
    'trace-cmd report -l',
    cmdHeader(
      lines(
        (s, _, n) =>
          `${pad(s.comm.slice(0, 8), 8)}-${String(s.pid).padEnd(5)} ${pad(s.cpu, 3)}d..1. ${pad(seconds(s.us), 12)}: ${event(s, n, TRACE_CMD)}`,
      ),
    ),
  ),
  of(
    'trace-cmd report of two buffers',
    cmdHeader(
      lines(
        (s, i, n) =>
          `${i % 2 ? '  mine: ' : '        '}${traceCmd((e, m) => event(e, m, TRACE_CMD))(s, i, n)}`,
      ),
    ),
  ),
  of('perf script', lines(perfLine(perfTask)), false),
  of('perf script --ns', lines(perfLine(perfTask, (us) => `${seconds(us, 9)}: `)), false),
  of(
    'perf script -F pid,tid,period',
    lines(
      perfLine(
        (s) => `${s.comm} ${s.pid}/${s.pid}`,
        (us) => `${seconds(us)}:          1 `,
      ),
    ),
    false,
  ),
  of('perf script -F cpu,time,event,trace', lines(perfLine(() => '')), false),
  of(
    'perf script -F comm,cpu,event,trace',
    lines(
      perfLine(
        ({ comm }) => comm,
        () => '',
      ),
    ),
    false,
    'none',
  ),
  of(
    'perf script -g',
    lines((s, i, n) => `${perfLine((e) => `${e.comm} ${pad(e.pid, 5)}`)(s, i, n)}\n${CHAIN}`),
    false,
  ),
  of(
    'perf script --header',
    (events, cpus) =>
      `# ========\n# nrcpus online : ${cpus}\n# nrcpus avail : ${cpus + 4}\n# ========\n#\n${lines(perfLine(perfTask))(events, cpus)}`,
  ),
  of('wprof -J', wprof, false),
  of(
    'bpftrace',
    lines(
      (s, _, n) =>
        `${70_000_000_000 + s.us * 1000} ${s.cpu} ${event(s, n, PERF).replace(/^(\w+):/, 'tracepoint:ipi:$1')}`,
    ),
    false,
  ),
];

export const CPUS = 70;
/** Any bytes but a line end, as the kernel allows 15 of them. */
const comm = fc.oneof(
  fc.constantFrom(
    'bash',
    '<idle>',
    'kworker/0:1H-kb',
    'a [1] b',
    'x:y: z',
    'foo [3] 7',
    'a-1 [002] b',
    '1.0: e: f',
    '',
    '-5 2d..1. 7:',
    '=> f',
  ),
  fc.string({ maxLength: 15, unit: 'binary-ascii' }).map((s) => s.replace(/[\n\r]/g, '?')),
);
const sent = fc.record({
  cpu: fc.nat(CPUS - 1),
  gap: fc.integer({ min: 1, max: 3000 }),
  targets: fc.uniqueArray(fc.nat(CPUS - 1), { maxLength: 6 }),
  reschedule: fc.boolean(),
  comm,
  pid: fc.nat(99999),
});
export const events = fc.array(sent, { minLength: 2, maxLength: 12 }).map((list) => {
  let us = 1000;
  const printed: Sent[] = list.map(({ gap, ...rest }) => {
    us += gap;
    const single = rest.targets.length === 1;
    return { ...rest, us, reschedule: single && rest.reschedule };
  });
  // One that is a send, whatever the others are.
  printed.push({ cpu: 0, us: us + 5, targets: [1], reschedule: false, comm: 'last', pid: 1 });
  return printed;
});
