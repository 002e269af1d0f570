// Builds small traces and reads them, for the tests of this folder.

import { type ReadOptions, TraceReader } from '../../src/trace/reader.js';
import { Replay } from '../../src/trace/replay.js';
import type { Trace } from '../../src/trace/trace.js';

export function read(text: string, options: Partial<ReadOptions> = {}): Trace {
  const reader = new TraceReader({ name: 'a.txt', ...options });
  for (const line of text.split('\n')) reader.add(line);
  return reader.end();
}

/** What the first driver of the oldest era did, and the replay itself. */
export function replayed(text: string, options: Partial<ReadOptions> = {}) {
  const trace = read(text, options);
  const replay = new Replay(trace, {});
  for (const _ of replay.run()) void _;
  return { trace, replay, ...replay.results()[0]! };
}

export const GENERIC = 'generic_smp_call_function_single_interrupt';
export const single = (cpu: number, callback = `${GENERIC}+0x0/0x20`) =>
  `ipi_send_cpu: cpu=${cpu} callsite=generic_exec_single+0x33/0x130 callback=${callback}`;

/** Lines of tracefs: [cpu, microseconds, event]. */
export function ftrace(
  cpus: number,
  events: readonly (readonly [number, number, string])[],
): string {
  const lines = events.map(
    ([cpu, us, event]) =>
      `          task-${100 + cpu}     [${String(cpu).padStart(3, '0')}] d..1.    12.${String(us).padStart(6, '0')}: ${event}`,
  );
  const head = `# tracer: nop\n#\n# entries-in-buffer/entries-written: ${events.length}/${events.length}   #P:${cpus}\n#`;
  return [head, ...lines, ''].join('\n');
}
