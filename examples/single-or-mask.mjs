// What one reschedule IPI costs the sender before and after the 2015 single-target patch.
import { Machine } from 'ipistorm';

for (const era of ['linux-4.0', 'linux-4.0+send_IPI', 'linux-6.12']) {
  const machine = Machine.create({
    topology: { sockets: 2, cores: 24, threads: 2 },
    driver: 'x2apic_cluster',
    era,
  });
  machine.linux.smpSendReschedule(0, 3);
  const { icrWrites, irqSaves, maskCopies, maskWords } = machine.senderCosts();
  console.log(era, { icrWrites, irqSaves, maskCopies, maskWords });
}
