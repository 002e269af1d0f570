// The steps of a ramp, and what was busy when it ended.
import type { RampStep } from './ramp.js';
import { Sheet } from './sheet.js';
import { si } from './units.js';

const COLUMNS = [
  'a CPU',
  'intended/s',
  'completed/s',
  'IPIs sent/s',
  'handled/s',
  'merged',
  'p50, ns',
  'p99, ns',
  'busiest',
  '',
];

/** @param whole false when the ramp was ended early */
export function rampSheet(
  name: string,
  costs: string,
  steps: readonly RampStep[],
  whole = true,
): Sheet {
  const sheet = new Sheet();
  sheet.title(`${name}, costs ${costs}`);
  sheet.table(
    COLUMNS,
    steps.map((step) => [
      si(step.rate_per_cpu),
      si(step.intended_per_s),
      si(step.completed_per_s),
      si(step.ipis_sent_per_s),
      si(step.ipis_handled_per_s),
      `${(100 * step.merged_share).toFixed(1)} %`,
      step.p50_ns.toFixed(0),
      step.p99_ns.toFixed(0),
      `${step.bottleneck.what === 'none' ? '' : step.bottleneck.what} ${(100 * step.bottleneck.busy).toFixed(0)} %`,
      step.saturated ? 'saturated' : '',
    ]),
  );
  const last = steps.at(-1);
  if (!last && !whole) sheet.line('ended before the first step was complete');
  else if (!last) sheet.line('no workload of this scenario sends anything');
  else if (!last.saturated) sheet.line('not saturated yet');
  else {
    const { what, text, busy } = last.bottleneck;
    const why =
      last.merged_share > 0.01 ? 'more than 1 % of the IPIs merge in IRR' : 'it falls behind';
    sheet.line(
      `saturated at ${si(last.intended_per_s)} operations a second (${si(last.ipis_sent_per_s)} IPIs): ${why}; bottleneck: ${text}${what === 'none' ? '' : ` ${(100 * busy).toFixed(0)} % of the time`}`,
      'note',
    );
  }
  return sheet;
}
