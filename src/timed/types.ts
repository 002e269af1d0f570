// Scenarios and cost sets as plain types: what checkScenario() and checkCosts() return. The schemas say the
// same; a test compares them. Times are in simulated nanoseconds.
import type { Driver, Era, Mode, Topology } from '../core/config.js';
import type { Model } from '../core/models.js';
import type { DO, FAULTS, FUNCS, TARGETS } from './names.js';

/** One operation of a workload. */
export interface Operation {
  /** The kernel function, or irqs_off, or nothing. */
  do: keyof typeof DO;
  /** How each operation chooses its targets; by default as its function usually does. */
  targets?: keyof typeof TARGETS | undefined;
  /** The target of `fixed`. */
  target?: number | undefined;
  /** The CPUs to choose from, such as 0-31 or 4-; default all. */
  among?: string | undefined;
  /** Targets of a set. */
  size?: number | undefined;
  /** What a call runs. */
  func?: (typeof FUNCS)[number] | undefined;
  /** 0-1: how likely each target meets on_each_cpu_cond()'s condition. */
  cond?: number | undefined;
  /** The caller waits for the function. */
  wait?: boolean | undefined;
  /** Vector of a bare send, 16-255; default 0xf2. */
  vector?: number | undefined;
  /** Mutex held around the operation. */
  lock?: number | undefined;
  /** Spinlock that the called function takes. */
  func_lock?: number | undefined;
  /** Length of irqs_off. */
  for_ns?: number | undefined;
}

/** What some CPUs do. */
export interface Workload extends Operation {
  /** Who does it, as the kernel lists CPUs: 0-3,8 or 0-31:1/2 or 4- or all. */
  cpus: string;
  /** Further operations, chosen by weight; the first has `weight`. */
  mix?: (Operation & { weight: number })[] | undefined;
  weight?: number | undefined;
  /** Operations of each CPU; 0 (default): until the end. */
  loops?: number | undefined;
  /** Closed loop: user work before each operation. */
  think_ns?: number | undefined;
  /** Open loop: time between intended starts. */
  period_ns?: number | undefined;
  /** How period_ns or think_ns varies. */
  spread?: 'periodic' | 'exponential' | undefined;
  /** Operations at each intended start. */
  burst?: number | undefined;
  start_ns?: number | undefined;
  /** Each CPU starts this much after the one before. */
  stagger_ns?: number | undefined;
  /** What the CPU does while it has nothing to do. */
  idle?: 'halt' | 'poll' | 'busy' | undefined;
}

/** What goes wrong. */
export interface Fault {
  fault: keyof typeof FAULTS;
  /** Sender. */
  from?: number | undefined;
  /** Target, or the CPU whose EOI or IF it is. */
  to?: number | undefined;
  /** 2: NMIs. */
  vector?: number | undefined;
  /** Which matching message of a target, from 1. */
  nth?: number | undefined;
  /** How many from the nth on. */
  count?: number | undefined;
  /** 0-1, instead of nth: how likely each is struck. */
  chance?: number | undefined;
  /** Of delay and duplicate; the longest that reorder holds one back. */
  delay_ns?: number | undefined;
  /** Not before; start of irqs-off and dead. */
  at_ns?: number | undefined;
  /** Length of irqs-off. */
  for_ns?: number | undefined;
}

/** A machine, what its CPUs do, and what goes wrong. */
export interface Scenario {
  $schema?: string | undefined;
  name: string;
  summary: string;
  machine?:
    | {
        cpus?: number | undefined;
        topology?: Topology | undefined;
        /** Cores that share a last-level cache; default a socket. */
        ccd_cores?: number | undefined;
        mode?: Mode | undefined;
        driver?: Driver | undefined;
        era?: Era | undefined;
        no_ipi_broadcast?: boolean | undefined;
      }
    | undefined;
  /** Name of a cost set. */
  costs?: string | undefined;
  /** How long; ends earlier when every workload is done. */
  duration_ns: number;
  /** Of the duration, the end in which nothing new begins. */
  drain_ns?: number | undefined;
  workloads: Workload[];
  faults?: Fault[] | undefined;
  csd?:
    | {
        /** smp.csd_lock_timeout, 0: off; default 5000. */
        timeout_ms?: number | undefined;
        /** smp.panic_on_ipistall, 0: never. */
        panic_ms?: number | undefined;
      }
    | undefined;
}

/** Where a number is from. */
export type Kind = 'measured' | 'derived' | 'guess';

/** One cost. */
export interface CostEntry {
  /** A constant, or how it is distributed. */
  v:
    | number
    | { uniform: [low: number, high: number] }
    | { modes: [value: number, share: number][] }
    | { lognormal: { median: number; sigma: number } };
  /** Default ns; cyc: clocks of clock_ghz. */
  u?: 'ns' | 'cyc' | undefined;
  kind: Kind;
  src: string;
}

/** How long things take on a machine, each number with its kind and source. */
export interface CostSet {
  $schema?: string | undefined;
  name: string;
  summary: string;
  clock_ghz: { v: number; kind: Kind; src: string };
  /** The machine that the numbers are of, unless the scenario names another. */
  machine: {
    driver?: Driver | undefined;
    vendor?: 'intel' | 'amd' | undefined;
    model?: Model | undefined;
  };
  /** By name; `npx ipistorm costs NAME` prints them, data/schemas/costs.schema.json says when each is paid. */
  costs: { [name: string]: CostEntry | undefined };
}
