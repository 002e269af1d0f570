// Costs and a scenario of one's own: what does a slower fence do to a storm of single IPIs?
import { checkCosts, checkScenario, costSet, TimedRun } from 'ipistorm/timed';

const storm = checkScenario({
  name: 'storm',
  summary: 'everybody sends to everybody',
  machine: { cpus: 32 },
  duration_ns: 1e6,
  workloads: [{ cpus: 'all', do: 'send_IPI', targets: 'random', think_ns: 500 }],
});
const base = costSet('amd-epyc-x2apic-fence');
for (const fence of [0, 55, 200]) {
  const entry = { v: fence, kind: 'guess', src: 'what if' };
  const costs = checkCosts({ ...base, costs: { ...base.costs, fence: entry } });
  const { counters, elapsedNs, latencies } = new TimedRun(storm, costs, { seed: 7 }).run();
  const rate = (counters.delivered / elapsedNs) * 1e3;
  console.log(
    `fence ${fence} ns: ${rate.toFixed(1)} M IPIs/s, p99 ${latencies.delivery.summary().p99_ns} ns`,
  );
}
