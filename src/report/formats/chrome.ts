// Chrome's trace event JSON: a thread per CPU, flow arrows from send to handler.
import type { Mark } from './marks.js';

const PHASES = { begin: 'B', end: 'E', instant: 'i' } as const;
const us = (ps: number) => Math.round(ps) / 1e6;

/** Yields text; all of it together is one JSON document. */
export function* chromeTrace(marks: Iterable<Mark>, cpus: number): Generator<string> {
  yield '{"displayTimeUnit":"ns","traceEvents":[\n';
  yield JSON.stringify({ ph: 'M', pid: 1, name: 'process_name', args: { name: 'ipistorm' } });
  for (let cpu = 0; cpu < cpus; cpu++) {
    const args = { name: `CPU ${cpu}` };
    yield `,\n${JSON.stringify({ ph: 'M', pid: 1, tid: cpu, name: 'thread_name', args })}`;
    const order = { sort_index: cpu };
    yield `,\n${JSON.stringify({ ph: 'M', pid: 1, tid: cpu, name: 'thread_sort_index', args: order })}`;
  }
  for (const { ps, cpu, phase, name, category, args, flows } of marks) {
    const where = { pid: 1, tid: cpu, ts: us(ps) };
    const instant = phase === 'instant' ? { s: 't' } : {};
    const event = { ph: PHASES[phase], name, cat: category, ...where, ...instant, args };
    yield `,\n${JSON.stringify(event)}`;
    for (const id of flows) {
      const end = phase === 'begin' ? { ph: 'f', bp: 'e' } : { ph: 's' };
      yield `,\n${JSON.stringify({ ...end, id, name: 'IPI', cat: 'ipi', ...where })}`;
    }
  }
  yield '\n]}\n';
}
