// Ctrl-C, SIGTERM and SIGHUP. main.ts listens before anything else is loaded; commands ask watchInterrupt().
import { isatty } from 'node:tty';

const CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof CODES;

export interface Interrupt {
  /** Somebody wants the command to end: print what is done so far. */
  readonly hit: boolean;
  /** What the process exits with then: 128 and its number; 0 before. */
  readonly code: number;
  /** Aborted by the signal, for reads and waits that would not look at `hit`. */
  readonly signal: AbortSignal;
  /** Nothing is left to do: the handlers are the process's, not the command's. */
  done(): void;
}

class State implements Interrupt {
  code = 0;
  readonly #abort = new AbortController();

  get hit(): boolean {
    return this.code !== 0;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The first signal is noted; a second one ends the process, with the code of the first. */
  take(name: StopSignal): void {
    if (this.code !== 0) leave(this.code);
    this.code = CODES[name];
    this.#abort.abort();
  }

  done(): void {}
}

let state = new State();

/** Listens from now on, and forgets earlier signals. Returns what ends the listening. */
export function ownSignals(): () => void {
  const own = new State();
  state = own;
  const listener = (name: NodeJS.Signals) => own.take(name as StopSignal);
  for (const name of Object.keys(CODES)) process.on(name, listener);
  return () => {
    for (const name of Object.keys(CODES)) process.off(name, listener);
  };
}

/** What the signals of this process say. */
export function watchInterrupt(): Interrupt {
  return state;
}

const TERMINALS = [0, 1, 2].filter((fd) => isatty(fd));

/** A terminal that was there when the command began was closed. */
export function terminalGone(): boolean {
  return !TERMINALS.every((fd) => isatty(fd));
}

/** Ends the process. Node aborts when it cannot reset a terminal at its end: then the signal ends it. */
export function leave(code: number): never {
  if (!terminalGone()) process.exit(code);
  process.emit('exit', code);
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
  process.exit(code);
}

/** Resolves after pending signals and timers have run. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
