#!/usr/bin/env node
// Owns the signals and the standard streams of the process; commands.ts has the commands.
// Signals come first: everything else is imported later, while they are listened to.
import { breathe, leave, ownSignals, terminalGone, watchInterrupt } from './signals.js';

const release = ownSignals();
const interrupt = watchInterrupt();
const { guardStandard, settled } = await import('./standard.js');
guardStandard(() => interrupt.code);
const commands = await import('./commands.js').catch((error: Error) => {
  const reason = error.message.split('\n')[0];
  const next = 'raise ulimit -n, or install it again';
  process.stderr.write(
    `ipistorm: package: got ${reason}, allowed one that can be loaded; ${next}\n`,
  );
});
await breathe();
const code = commands ? await commands.runCommand(process.argv.slice(2)) : 3;
process.exitCode = interrupt.hit ? interrupt.code : code;
// A reader that takes its time: signals are listened to until it has everything.
await settled();
if (interrupt.hit || terminalGone()) leave(interrupt.code || code);
release();
