// What every kind of recording has in common: a stream of lines that drives a machine, checks that
// are counted by kind, and mismatches with the state around them.
import { UsageError } from '../core/errors.js';
import type { Model } from '../core/models.js';
import type { LocalApic } from '../machine/lapic.js';

export type Kind = 'lapic-log' | 'kvm-transcript';

/** Model that a kind of recording was made of. */
export const NATURAL_MODEL: Record<Kind, Model> = { 'lapic-log': 'qemu', 'kvm-transcript': 'kvm' };

export interface Mismatch {
  line: number;
  text: string;
  check: string;
  expected: string;
  got: string;
  /** Registers of the local APIC concerned. */
  state: string;
}

/** Mismatches of one kind: the same check, of the same thing, gone wrong in the same way. */
export interface MismatchGroup {
  what: string;
  count: number;
  first: Mismatch;
}

/** How many differing values, and kinds of them, are kept; all are counted. */
const KEPT = 1000;
const SHOWN = 160;

/** An error that names the line of the file. */
export class DamagedLine extends UsageError {}

/** The books of one file. */
export class Ledger {
  readonly checks = new Map<string, { checks: number; mismatches: number }>();
  readonly skipped = new Map<string, number>();
  readonly mismatches: Mismatch[] = [];
  /** By kind; what comes after KEPT kinds is one of its own. */
  readonly groups = new Map<string, MismatchGroup>();
  readonly file: string;
  line = 0;
  text = '';

  constructor(file: string) {
    this.file = file;
  }

  /** Counts one comparison. */
  check(name: string, expected: string, got: string, state: () => string): void {
    const entry = this.checks.get(name) ?? { checks: 0, mismatches: 0 };
    this.checks.set(name, entry);
    entry.checks++;
    if (expected === got) return;
    entry.mismatches++;
    const kind = kindOfMismatch(name, this.text, expected, got);
    const what = this.groups.has(kind) || this.groups.size < KEPT ? kind : 'of other kinds';
    const group = this.groups.get(what);
    if (group) group.count++;
    if (group && this.mismatches.length >= KEPT) return;
    const { line, text } = this;
    const first = {
      line,
      text: text.slice(0, SHOWN),
      check: name,
      expected,
      got,
      state: state(),
    };
    if (!group) this.groups.set(what, { what, count: 1, first });
    if (this.mismatches.length < KEPT) this.mismatches.push(first);
  }

  skip(reason: string): void {
    this.skipped.set(reason, (this.skipped.get(reason) ?? 0) + 1);
  }

  get total(): { checks: number; mismatches: number } {
    const sum = { checks: 0, mismatches: 0 };
    for (const entry of this.checks.values()) {
      sum.checks += entry.checks;
      sum.mismatches += entry.mismatches;
    }
    return sum;
  }

  /** An error that names file and line. */
  damaged(allowed: string): DamagedLine {
    const shown = JSON.stringify(this.text.slice(0, 80));
    return new DamagedLine(
      `${this.file} line ${this.line}: got ${shown}, allowed ${allowed}; record it again or cut the damaged part off`,
    );
  }
}

/** Names of a page or dump: `tpr 0 isr 3:00020000` is tpr and isr. A hex number is no name. */
const NAME = /^[a-z]*[g-z][a-z0-9]*$/;

function fieldsOf(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  let name = '';
  for (const word of text.split(' ')) {
    if (NAME.test(word)) {
      name = word;
      fields.set(name, '');
    } else fields.set(name, `${fields.get(name) ?? ''} ${word}`);
  }
  return fields;
}

/** A value without its number: `spurious f0` is "spurious value", `ok` itself. */
function shapeOf(value: string): string {
  return value.replace(/(?<![\w-])-?(\d+|[0-9a-f]{1,16})(?!\w)/g, 'value');
}

/** "register read, register 3: value instead of another", "state dump: ppr, isr". */
function kindOfMismatch(check: string, line: string, expected: string, got: string): string {
  if (line.length > 0 && /^[dD] /.test(line)) {
    const [wanted, had] = [fieldsOf(expected), fieldsOf(got)];
    const other = [...wanted.keys()].filter((name) => wanted.get(name) !== had.get(name));
    return `${check}: ${other.join(', ') || 'another form'}`;
  }
  const register = /^[rRwW] \d+ ([0-9a-f]+)/.exec(line)?.[1];
  const subject = register === undefined ? check : `${check}, register ${register}`;
  const [shape, wanted] = [shapeOf(got), shapeOf(expected)];
  return `${subject}: ${shape} instead of ${shape === wanted ? 'another' : wanted}`;
}

/** A recording being verified, line by line. */
export interface Verifier {
  add(text: string): void;
  /** After the last line. */
  finish(): void;
}

const hex = (value: number): string => value.toString(16);

/** `3:00020000 7:10000000`: the words of a set of vectors that are not 0, as recordings print them. */
export function words(vectors: readonly number[]): string[] {
  const set = new Uint32Array(8);
  for (const vector of vectors) set[vector >> 5]! |= 1 << (vector & 31);
  return [...set].flatMap((word, i) => (word ? [`${i}:${hex(word).padStart(8, '0')}`] : []));
}

/** State of a local APIC for a reader of mismatches. */
export function describe(lapic: LocalApic): string {
  const list = (vectors: readonly number[]) => vectors.map(hex).join(',') || '-';
  const { tpr, ppr, isr, irr, tmr } = lapic;
  return `CPU ${lapic.cpu}: TPR ${hex(tpr)} PPR ${hex(ppr)} SVR ${hex(lapic.peek(0x0f))} ISR ${list(isr)} IRR ${list(irr)} TMR ${list(tmr)}`;
}
