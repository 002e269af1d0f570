// ipistorm without arguments: the whole point in a quarter of a minute.
import { fileURLToPath } from 'node:url';
import { candidatesFor, measure } from '../compare.js';
import type { Era } from '../config.js';
import { Machine } from '../machine.js';
import { printComparison } from './compare.js';
import { printReplay, replayFile } from './replay.js';
import { printStorm, timedStorm } from './storm.js';
import type { Terminal } from './terminal.js';

const TRACE = fileURLToPath(
  new URL('../../../assets/ftrace-x2apic-cluster-20cpu.txt.gz', import.meta.url),
);

export async function runShowcase(terminal: Terminal): Promise<number> {
  const topology = { sockets: 2, cores: 24, threads: 2 };
  terminal.title('1. Single against mask: 2 sockets x 24 cores x 2 threads, x2APIC clusters');
  const eras: Era[] = ['linux-4.0', 'linux-4.0+send_IPI', 'linux-6.12'];
  const measured = measure(
    eras.flatMap((era) => candidatesFor(era, 'x2apic_cluster', { topology }, 96, [2, 16])),
    {
      now: () => Number(process.hrtime.bigint()),
      onRound: (done, all) => {
        terminal.progress(done / all, 'alternating the paths');
        return false;
      },
    },
  );
  printComparison(measured, 96, terminal);

  terminal.print();
  terminal.title('2. A storm of 50 million IPIs');
  const storm = await timedStorm(
    Machine.create({ topology, driver: 'x2apic_cluster' }),
    { pattern: 'random', sends: 50e6, vectors: Array.from({ length: 240 }, (_, i) => i + 16) },
    terminal,
  );
  printStorm([storm], terminal);
  if (storm.interrupted) return 130;

  terminal.print();
  terminal.title('3. A real trace (Linux 6.12, 20 CPUs) through every driver');
  printReplay(TRACE, await replayFile(TRACE, undefined, terminal), 4, terminal);

  terminal.print();
  terminal.print('Next');
  for (const line of [
    'ipistorm icr --driver x2apic_cluster --topology 2x24x2 --op mask --cpus 1-31    what one send writes',
    'ipistorm compare --cpus 1024                                                    where a mask pays',
    'ipistorm storm --preset hot-target                                              interrupts that merge',
    'ipistorm replay your-trace.txt                                                  your own machine',
    'ipistorm models --differences                                                   where real hardware differs',
    'ipistorm --help                                                                 everything else',
  ]) {
    terminal.print(`  ${line}`);
  }
  return 0;
}
