// ipistorm verify: the simulator judged by recordings of real systems.
import { checkOneOf } from '../core/check.js';
import { UsageError } from '../core/errors.js';
import { MODEL_NAMES, type Model } from '../core/models.js';
import { ReadError } from '../input/path.js';
import { count } from '../report/units.js';
import type { Ledger, Mismatch, MismatchGroup } from '../verify/recording.js';
import { type Verified, verifyFile } from '../verify/verify.js';
import { parseNumber } from './numbers.js';
import type { CommandSpec, Parsed } from './options.js';
import { breathe, type Interrupt, type Terminal, watchInterrupt } from './terminal.js';

export const VERIFY: CommandSpec = {
  summary:
    "Judges the simulator by recordings of real systems: replays their inputs and compares every checked field.\nReads local-APIC logs of QEMU boots and transcripts of Linux's in-kernel APIC (tools/kvm-recorder),\nplain or packed with gzip, zstd or xz; - is standard input.",
  positional: 'FILE...',
  options: {
    model: {
      value: 'NAME',
      help: `${MODEL_NAMES.join(' | ')} (default: that of the recording's kind)`,
    },
    show: { value: 'N', help: 'mismatches to print of each file, 0-1000 (default 5)' },
    json: { help: 'machine-readable output' },
  },
  examples: [
    'npx ipistorm verify boot.log.gz',
    'npx ipistorm verify *.gz --json',
    'zcat boot.log.gz | npx ipistorm verify -',
    'npx ipistorm verify kvm-x2-4cpu.txt.gz --model sdm --show 20',
  ],
};

function parseModel(text: string | undefined): Model | undefined {
  return text === undefined ? undefined : checkOneOf('--model', text, MODEL_NAMES);
}

function isGood({ ledger }: Verified): boolean {
  const { checks, mismatches } = ledger.total;
  return checks > 0 && mismatches === 0;
}

export async function runVerify(args: Parsed, terminal: Terminal): Promise<number> {
  const model = parseModel(args.text('model'));
  const show = parseNumber('--show', args.text('show') ?? '5', 0, 1000);
  const interrupt = watchInterrupt();
  const done: Outcome[] = [];
  const stopped = afterSignal(interrupt);
  for (const path of args.positionals) {
    const outcome = await outcomeOf(path, model, terminal, interrupt, stopped);
    if (!outcome) break;
    done.push(outcome);
    if (!args.flag('json')) printOutcome(outcome, show, terminal);
    await breathe();
    if (interrupt.hit) break;
  }
  terminal.clearProgress();
  if (args.flag('json')) await terminal.json(resultJson(done, show, !interrupt.hit));
  else if (done.length > 1) printTotal(done, terminal);
  if (interrupt.hit) terminal.note('interrupted: the rest was not verified');
  return interrupt.hit ? 130 : exitCode(done);
}

/** A file that was verified, or why it could not be. */
type Outcome = (Verified & { whole: boolean }) | { file: string; error: UsageError | ReadError };

function isVerified(outcome: Outcome): outcome is Verified & { whole: boolean } {
  return 'ledger' in outcome;
}

function exitCode(done: readonly Outcome[]): number {
  if (done.some((outcome) => !isVerified(outcome) && outcome.error instanceof ReadError)) return 3;
  if (!done.every(isVerified)) return 2;
  return done.every(isGood) ? 0 : 1;
}

/** How long a file that sends nothing is waited for after a signal. */
const GRACE_MS = 300;

/**
 * A damaged file does not keep the others from being verified. None when a signal came before
 * anything could be said of it.
 */
async function outcomeOf(
  file: string,
  model: Model | undefined,
  terminal: Terminal,
  interrupt: Interrupt,
  stopped: Promise<undefined>,
): Promise<Outcome | undefined> {
  try {
    const verified = verify(file, model, terminal, () => !interrupt.hit);
    const done = await Promise.race([verified, stopped]);
    return done && { ...done, whole: !interrupt.hit };
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof ReadError)) throw error;
    return interrupt.hit ? undefined : { file, error };
  }
}

function afterSignal({ signal }: Interrupt): Promise<undefined> {
  return new Promise((resolve) => {
    const soon = () => setTimeout(() => resolve(undefined), GRACE_MS);
    if (signal.aborted) soon();
    else signal.addEventListener('abort', soon, { once: true });
  });
}

function printOutcome(outcome: Outcome, show: number, terminal: Terminal): void {
  if (isVerified(outcome)) printFile(outcome, show, terminal);
  else terminal.note(`ipistorm: ${outcome.error.message}`);
}

function verify(
  path: string,
  model: Model | undefined,
  terminal: Terminal,
  goOn: () => boolean,
): Promise<Verified> {
  const progress = (share: number, bytes: number) => {
    terminal.progress(share, share > 0 ? path : `${path}  ${(bytes / 2 ** 20).toFixed(0)} MiB`);
    return goOn();
  };
  return verifyFile(path, model, progress, (text) => terminal.note(text));
}

function printFile(
  { file, kind, model, lines, ledger, whole }: Verified & { whole: boolean },
  show: number,
  terminal: Terminal,
): void {
  const { checks, mismatches } = ledger.total;
  const part = whole ? '' : ' until it was interrupted';
  terminal.title(`${file}: ${kind}, model ${model}, ${count(lines)} lines${part}`);
  const rows = [...ledger.checks].map(([name, entry]) => [
    name,
    count(entry.checks),
    count(entry.mismatches),
  ]);
  terminal.table(
    ['check', 'checks', 'mismatches'],
    [...rows, ['all', count(checks), count(mismatches)]],
  );
  for (const [reason, times] of ledger.skipped)
    terminal.print(`not checked: ${count(times)} ${reason}`);
  printGroups(ledger, terminal);
  const examples = examplesOf(ledger).slice(0, show);
  for (const mismatch of examples) printMismatch(file, mismatch, terminal);
  const more = mismatches - examples.length;
  if (mismatches > 0 && more > 0)
    terminal.print(`... and ${count(more)} more (--show ${Math.min(mismatches, 1000)})`);
  if (checks === 0) terminal.print(terminal.style('red', 'nothing was checked'));
  else if (mismatches === 0)
    terminal.print(terminal.style('green', 'agrees in every checked field'));
  terminal.print();
}

const GROUPS_SHOWN = 20;

function groupsOf({ groups }: Ledger): MismatchGroup[] {
  return [...groups.values()].toSorted((a, b) => b.count - a.count);
}

function printGroups(ledger: Ledger, terminal: Terminal): void {
  const groups = groupsOf(ledger);
  if (groups.length === 0) return;
  const rows = groups
    .slice(0, GROUPS_SHOWN)
    .map(({ count: n, what, first }) => [what, count(n), `${first.line}`]);
  terminal.table(['kind of mismatch', 'count', 'first line'], rows);
  const more = groups.length - rows.length;
  if (more > 0) terminal.print(`... and ${count(more)} more kinds (--json has all)`);
}

/** The first mismatch of each kind, then the others; both as the file has them. */
function examplesOf(ledger: Ledger): Mismatch[] {
  const firsts = [...ledger.groups.values()].map(({ first }) => first);
  const known = new Set(firsts);
  return [...firsts, ...ledger.mismatches.filter((mismatch) => !known.has(mismatch))];
}

function printMismatch(file: string, m: Mismatch, terminal: Terminal): void {
  terminal.print(terminal.style('red', `${file} line ${m.line}: ${m.check}`));
  terminal.print(`  line      ${m.text}`);
  terminal.print(`  expected  ${m.expected}`);
  terminal.print(`  got       ${m.got}`);
  terminal.print(`  state     ${m.state}`);
}

function printTotal(done: readonly Outcome[], terminal: Terminal): void {
  const good = done.filter(isVerified);
  const sum = (pick: 'checks' | 'mismatches') =>
    count(good.reduce((n, v) => n + v.ledger.total[pick], 0));
  const bad = done.length - good.length;
  const damaged = bad > 0 ? `, ${bad} not readable as recordings` : '';
  terminal.print(
    `${good.length} recordings, ${sum('checks')} checks, ${sum('mismatches')} mismatches${damaged}`,
  );
}

function resultJson(done: readonly Outcome[], show: number, whole: boolean): object {
  return {
    ok: whole && exitCode(done) === 0,
    files: done.map((outcome) => fileJson(outcome, show)),
  };
}

function fileJson(outcome: Outcome, show: number): object {
  if (!isVerified(outcome)) return { file: outcome.file, ok: false, error: outcome.error.message };
  const { file, kind, model, lines, ledger } = outcome;
  return {
    file,
    kind,
    model,
    lines,
    ok: isGood(outcome),
    ...ledger.total,
    by_check: Object.fromEntries(ledger.checks),
    skipped: Object.fromEntries(ledger.skipped),
    mismatch_kinds: groupsOf(ledger).map(({ what, count, first }) => ({
      what,
      count,
      first_line: first.line,
      expected: first.expected,
      got: first.got,
    })),
    first_mismatches: examplesOf(ledger).slice(0, show),
  };
}
