// A higher class interrupts a handler; EOI clears the highest vector in service.
import { Machine } from 'ipistorm';

const lapic = Machine.create({ cpus: 1 }).lapic(0);
lapic.accept(0x31);
console.log('taken', lapic.acknowledge().toString(16));
lapic.accept(0x35); // same class: waits
lapic.accept(0x41); // higher class: nests
console.log('taken', lapic.acknowledge().toString(16), 'PPR', lapic.ppr.toString(16));
console.log('EOI clears', lapic.eoi().toString(16), 'then', lapic.eoi().toString(16));
console.log('taken', lapic.acknowledge().toString(16));
lapic.eoi();
console.log('stray', lapic.eoi(), lapic.counters.strayEois);
