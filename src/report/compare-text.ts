// Send paths side by side, and what follows from them.
import type { SenderCosts } from '../core/counters.js';
import { compareHost, type Measured } from '../machine/measure.js';
import { Sheet } from './sheet.js';

const trim = (n: number) => (Number.isInteger(n) ? `${n}` : n.toFixed(2));

/** What one call costs its sender, by column. */
const PAID = {
  'ICR writes': 'icrWrites',
  fences: 'fences',
  'irq saves': 'irqSaves',
  'mask copies': 'maskCopies',
  'mask words': 'maskWords',
  polls: 'idlePolls',
  hypercalls: 'hypercalls',
} as const satisfies Record<string, keyof SenderCosts>;

export function comparisonSheet(measured: readonly Measured[], cpus: number): Sheet {
  const sheet = new Sheet();
  sheet.title(`Send paths on ${cpus} CPUs, per call`);
  const rows = measured.map(({ era, driver, path, targets, perCall, hostNs }) => [
    ...[era, driver, path, `${targets}`],
    ...Object.values(PAID).map((key) => trim(perCall[key])),
    hostNs.median.toFixed(1),
    `${hostNs.p25.toFixed(1)}-${hostNs.p75.toFixed(1)}`,
  ]);
  const columns = ['era', 'driver', 'path', 'targets', ...Object.keys(PAID), 'host ns', 'p25-p75'];
  sheet.table(columns, rows, 3);
  sheet.line(
    'host ns: simulating the call and every interrupt it causes; not hardware time',
    'aside',
  );
  for (const sentence of conclusions(measured)) sheet.line(`- ${sentence}`);
  return sheet;
}

/** One sentence for the single case and one for the crossover, for each era and driver. */
export function conclusions(measured: readonly Measured[]): string[] {
  const keys = [...new Set(measured.map((m) => `${m.era} ${m.driver}`))];
  return keys.flatMap((key) => {
    const own = measured.filter((m) => `${m.era} ${m.driver}` === key);
    return [singleSentence(key, own), crossoverSentence(key, own)];
  });
}

/** What `a` pays more than `b` for one call, such as "irq saves 1, mask words 8". */
function extra(a: Measured, b: Measured): string {
  // Polls go with ICR writes.
  return Object.entries(PAID)
    .filter(([, key]) => key !== 'idlePolls' && a.perCall[key] > b.perCall[key])
    .map(([label, key]) => `${label} ${trim(a.perCall[key] - b.perCall[key])}`)
    .join(', ');
}

function singleSentence(key: string, own: readonly Measured[]): string {
  const single = own.find((m) => m.path === 'single')!;
  const mask = own.find((m) => m.path === 'mask' && m.targets === 1)!;
  const saves = extra(mask, single);
  const pays = extra(single, mask);
  const counts =
    [saves && `single saves ${saves}`, pays && `single pays ${pays} instead`]
      .filter((part) => part !== '')
      .join('; ') || 'both paths cost the sender the same';
  const verdict = compareHost(single, mask);
  const ratio = mask.hostNs.median / single.hostNs.median;
  const host =
    verdict === 0
      ? 'no difference measured'
      : `mask of one takes ${ratio.toFixed(2)}x the host time`;
  return `${key}, one target: ${counts}; ${host}.`;
}

function crossoverSentence(key: string, own: readonly Measured[]): string {
  const sizes = own.filter((m) => m.path === 'singles').map((m) => m.targets);
  const at = (path: string, k: number) => own.find((m) => m.path === path && m.targets === k)!;
  const fewer = sizes.find(
    (k) =>
      at('mask', k).perCall.icrWrites + at('mask', k).perCall.hypercalls <
      at('singles', k).perCall.icrWrites + at('singles', k).perCall.hypercalls,
  );
  const faster = sizes.find((k) => compareHost(at('mask', k), at('singles', k)) === -1);
  const writes =
    fewer === undefined
      ? 'a mask never needs fewer commands than singles'
      : `a mask needs fewer commands than singles from ${fewer} targets on`;
  const host =
    faster === undefined
      ? 'no mask size measured faster on the host'
      : `measured faster on the host from ${faster} on`;
  return sizes.length === 0
    ? `${key}: no sizes between one and all.`
    : `${key}: ${writes}, ${host}.`;
}
