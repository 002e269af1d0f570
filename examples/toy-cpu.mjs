// ipistorm as the interrupt controller of a toy CPU: a keyboard on the I/O APIC, a periodic timer,
// and an IPI, each handled between two instructions.
import { Machine } from 'ipistorm';

const VECTORS = { 49: 'keyboard', 64: 'timer', 253: 'reschedule' };
const machine = Machine.create({ cpus: 2, mode: 'xapic-flat' });
const apic = machine.lapic(0);
const cpu = machine.cpu(0);

machine.ioapic(0).setEntry(1, 0x0100000000008831n); // pin 1: level, logical, CPU 0, vector 0x31
apic.writeMMIO(0x3e0, 0xb); // timer: divide by 1
apic.writeMMIO(0x320, 0x20040); // periodic, vector 0x40
apic.writeMMIO(0x380, 250); // every 250 ns

for (let instruction = 0; instruction < 100; instruction++) {
  machine.advance(10); // one instruction takes 10 ns
  if (instruction === 30) machine.ioapic(0).setIRQ(1, true);
  if (instruction === 60) machine.lapic(1).writeMMIO(0x310, 0); // ICR2: CPU 0
  if (instruction === 60) machine.lapic(1).writeMMIO(0x300, 0x40fd); // ICR: fixed, vector 0xfd
  const taken = cpu.take();
  if (!taken) continue;
  console.log(
    `${machine.now} ns: ${taken.kind} 0x${taken.vector.toString(16)}`,
    VECTORS[taken.vector],
  );
  if (taken.vector === 0x31) machine.ioapic(0).setIRQ(1, false); // the handler reads the key
  cpu.eoi();
  cpu.iret();
}
