// A storm on a hot target: how many IPIs are merged into a set IRR bit?
import { Machine } from 'ipistorm';

const machine = Machine.create({ cpus: 64, driver: 'x2apic_cluster' });
const { counters, eventHash } = machine.storm({ pattern: 'hot', depth: 64, sends: 1_000_000 });
console.log(`${counters.coalesced} of ${counters.attempted} IPIs merged; event hash ${eventHash}`);
