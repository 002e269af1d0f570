// What the kernel would print about csd locks, in its words. Linux 6.12 kernel/smp.c
// csd_lock_wait_toolong(), with the numbers that csd_bug_count gives.
import { X } from '../core/memory.js';
import { checkEvents } from '../timed/check-result.js';
import type { TimedEvent } from '../timed/engine.js';
import { FUNCS } from '../timed/names.js';

const two = (n: number) => String(n).padStart(2, '0');
const symbol = (func: number) => `${FUNCS[func] ?? 'unknown'}+0x0/0x10`;

/**
 * Lines of the kernel log, oldest first, with their time stamps.
 * @param events a result's `messages`
 * @throws UsageError for what is no log of a run
 */
export function kernelMessages(events: readonly TimedEvent[]): string[] {
  checkEvents('events', events);
  const lines: string[] = [];
  const bugs = new Map<number, number>();
  let count = 0;
  for (const event of events) {
    const first = event.kind === X.LOG_CSD_STUCK && (event.a & 0xffff) === 1;
    if (first) bugs.set(event.cpu, ++count);
    const text = messageOf(event, bugs.get(event.cpu) ?? 0);
    if (!text) continue;
    const us = Math.floor(event.ps / 1e6);
    const stamp = `${String(Math.floor(us / 1e6)).padStart(5)}.${String(us % 1e6).padStart(6, '0')}`;
    lines.push(`[${stamp}] ${text}`);
  }
  return lines;
}

function messageOf({ kind, a, b, c, cpu }: TimedEvent, bug: number): string | undefined {
  if (kind === X.LOG_CSD_STUCK) {
    const again = (a & 0xffff) > 1 ? 'Continued' : 'Detected';
    const func = a >>> 16;
    const info = `${symbol(func)}(0x0)`;
    return `smp: csd: ${again} non-responsive CSD lock (#${bug}) on CPU#${cpu}, waiting ${Math.round(c / 1000)} ns for CPU#${two(b)} ${info}.`;
  }
  if (kind === X.LOG_CSD_STATE) {
    const prior = `handling prior ${symbol(a - 1)}(0x0) request`;
    const state = a === 0 ? 'unresponsive' : c === 1 ? 'handling this request' : prior;
    return `smp: \tcsd: CSD lock (#${bug}) ${state}.`;
  }
  if (kind === X.LOG_CSD_RESEND) {
    return `smp: csd: Re-sending CSD lock (#${bug}) IPI from CPU#${two(cpu)} to CPU#${two(b)}`;
  }
  if (kind === X.LOG_CSD_UNSTUCK) {
    return `smp: csd: CSD lock (#${bug}) got unstuck on CPU#${two(cpu)}, CPU#${two(b)} released the lock.`;
  }
  return kind === X.LOG_PANIC ? 'kernel BUG at kernel/smp.c: panic_on_ipistall' : undefined;
}
