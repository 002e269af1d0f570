// One lost IPI: who waits for whom, and the chain of events that led there.
import { costSet, scenario, TimedRun, Why } from 'ipistorm/timed';

const lost = scenario('dropped-icr');
const costs = costSet('intel-xeon-x2apic-cluster');
const { stuck, latencies } = new TimedRun(lost, costs).run();
console.log('calls took', latencies.call.summary().p50_ns, 'ns (p50) until the IPI was lost');
for (const { cpu, target } of stuck) console.log(`CPU ${cpu} waits for CPU ${target} for ever`);
const { steps, cause } = new Why(lost, costs, {}, stuck[0], true).run();
for (const { ns, cpu, text } of steps) console.log(`${ns} ns  CPU ${cpu}  ${text}`);
console.log(cause);
