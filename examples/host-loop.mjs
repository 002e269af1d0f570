// The loop of an emulator: CPUs run until they halt, news wakes them, and time passes while all sleep.
import { Machine } from 'ipistorm';

const machine = Machine.create({ cpus: 2, mode: 'xapic-flat' });
const running = new Set([0, 1]);
machine.onNews = (cpu) => running.add(cpu); // never called inside itself, and an error loses nothing
machine.lapic(0).writeMMIO(0x3e0, 0xb); // timer: divide by 1
machine.lapic(0).writeMMIO(0x320, 0x20040); // periodic, vector 0x40
machine.lapic(0).writeMMIO(0x380, 1000); // every 1000 ns

/** One handler of the guest: CPU 0's timer sends an IPI to CPU 1. Registers may be negative int32s. */
function handler(cpu, vector) {
  if (vector === 0x40) machine.lapic(cpu).writeMMIO(0x310, (1 - cpu) << 25);
  if (vector === 0x40) machine.lapic(cpu).writeMMIO(0x300, 0x48fd); // ICR: logical, fixed, 0xfd
}

while (machine.now < 3500n) {
  for (const n of running) {
    const cpu = machine.cpu(n);
    for (let taken = cpu.take(); taken; taken = cpu.take()) {
      console.log(`${machine.now} ns: CPU ${n} takes ${taken.kind} 0x${taken.vector.toString(16)}`);
      handler(n, taken.vector);
      cpu.eoi();
      cpu.iret();
    }
    cpu.halt(); // sti; hlt
    if (!cpu.canTake) running.delete(n); // sleeps until onNews
  }
  if (running.size === 0) machine.advance(machine.nextEventNs() - machine.now); // all sleep
}
