// Checks of what comes back to the library from its caller: results, their waits and events.
import { checkNumber, checkRecord } from '../core/check.js';
import { checkInteger, usage } from '../core/errors.js';
import type { SlowWait, TimedEvent, TimedResult } from './engine.js';
import { Histogram } from './histogram.js';

const PARTS = [
  'counts',
  'counters',
  'sender',
  'latencies',
  'perCpu',
  'matrix',
  'slowest',
  'stuck',
  'messages',
] as const;

/** What TimedRun.result() returned, whole. */
export function checkResult(result: TimedResult): TimedResult {
  const allowed = 'what run() or result() of a TimedRun returned';
  checkRecord('result', result, allowed);
  for (const part of PARTS) {
    const value = result[part];
    if (typeof value !== 'object' || value === null)
      throw usage(`result.${part}`, value, allowed, 'pass it as it is');
  }
  checkNumber('result.elapsedNs', result.elapsedNs, 0, 1e16);
  for (const part of ['counts', 'counters', 'sender'] as const) {
    for (const [name, value] of Object.entries(result[part]))
      checkNumber(`result.${part}.${name}`, value, -(2 ** 53), 2 ** 53);
  }
  for (const [name, histogram] of Object.entries(result.latencies)) {
    if (!(histogram instanceof Histogram))
      throw usage(`result.latencies.${name}`, histogram, 'a Histogram', 'pass it as it is');
  }
  for (const part of ['slowest', 'stuck'] as const) {
    if (!Array.isArray(result[part])) throw usage(`result.${part}`, result[part], allowed);
    result[part].forEach((wait, i) => {
      checkWait(`result.${part}[${i}]`, wait);
    });
  }
  checkEvents('result.messages', result.messages);
  return result;
}

/** One of a result's `slowest` or `stuck`. */
export function checkWait(what: string, wait: SlowWait): SlowWait {
  checkRecord(what, wait, "one of a result's slowest or stuck");
  for (const name of ['wait_ns', 'begin_ns'] as const)
    checkNumber(`${what}.${name}`, wait[name], 0, 1e16);
  for (const name of ['cpu', 'target'] as const)
    checkInteger(`${what}.${name}`, wait[name], 0, 2 ** 32 - 1);
  return wait;
}

/** Log entries of a run. */
export function checkEvents(what: string, events: readonly TimedEvent[]): readonly TimedEvent[] {
  if (!Array.isArray(events)) throw usage(what, events, 'an array of log entries of a run');
  for (let i = 0; i < events.length; i++) {
    const event = checkRecord(`${what}[${i}]`, events[i], 'a log entry of a run');
    for (const name of ['ps', 'cpu', 'kind', 'a', 'b', 'c'] as const)
      checkNumber(`${what}[${i}].${name}`, event[name], 0, 2 ** 64);
  }
  return events;
}
