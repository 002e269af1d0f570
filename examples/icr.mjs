// Bare ICR writes: x2APIC cluster 2, members 0 and 3 (APIC ids 32 and 35).
import { Machine } from 'ipistorm';

const machine = Machine.create({ cpus: 48 });
machine.writeICR(0, (2 << 16) | 0b1001, 0x800 | 0xfc);
console.log(machine.takeWoken());
