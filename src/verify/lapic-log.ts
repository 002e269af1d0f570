// Logs of every local-APIC access and event of a QEMU boot: inputs drive the machine; register reads,
// acknowledged vectors, EOIs, IRR bits, deliveries and dumps are compared.

import type { Model } from '../core/models.js';
import type { Effect } from '../machine/hardware/messages.js';
import { type LocalApic, LVT_ENTRIES } from '../machine/lapic.js';
import { Machine } from '../machine/machine.js';
import { describe, type Ledger, type Verifier, words } from './recording.js';

/** `kind cpu fields`, hexadecimal but for CPU numbers and single digits. */
const SHAPES: Record<string, RegExp> = {
  Z: /^Z \d{1,10} id [0-9a-f]{1,16} base [0-9a-f]{1,16}$/,
  I: /^I \d{1,10} [01]$/,
  B: /^B \d{1,10} [0-9a-f]{1,16} [0-9a-f]{1,16}( GP)?$/,
  C: /^C \d{1,10} [0-9a-f]{1,16}( GP)?$/,
  W: /^W \d{1,10} [0-9a-f]{1,16} [0-9a-f]{1,16}( GP)?$/,
  R: /^R \d{1,10} [0-9a-f]{1,16} [0-9a-f]{1,16}( GP)?$/,
  M: /^M -?\d{1,10} [0-9a-f]{1,16} [01] [0-7] [0-9a-f]{1,16} [01]$/,
  L: /^L \d{1,10} [0-5] [0-9a-f]{1,16}$/,
  l: /^l \d{1,10} 3 [0-9a-f]{1,16}$/,
  P: /^P \d{1,10} [0-9a-f]{1,16} [01]$/,
  S: /^S \d{1,10} [0-9a-f]{1,16} [01] [01]$/,
  X: /^X \d{1,10} (INIT|NMI|SMI|SIPI [0-9a-f]{1,16})$/,
  A: /^A \d{1,10} ([0-9a-f]{1,2}|none|ext|spurious [0-9a-f]{1,16})$/,
  V: /^V \d{1,10} -?[0-9a-f]{1,16}$/,
  E: /^E \d{1,10} (-|[0-9a-f]{1,16}) [01]$/,
  D: /^D \d{1,10} tpr [0-9a-f]{1,16} ppr [0-9a-f]{1,16} svr [0-9a-f]{1,16} isr( [0-7]:[0-9a-f]{8}){0,8} irr( [0-7]:[0-9a-f]{8}){0,8} tmr( [0-7]:[0-9a-f]{8}){0,8}$/,
  '#': /^#/,
};
const ALLOWED = 'a line of a local-APIC log (Z I B C W R M L l P S X A V E D #), whole';
const TIMER_COUNT = 0x39;
const CPUS_MAX = 4096;
const number = (text: string): number => Number.parseInt(text, 16);

const hex = (value: number): string => value.toString(16);

/** What a checked effect line says, in the words of shownEffect(); numbers are hex, as in the file. */
function lineEffect(fields: string[]): string {
  const [kind, , a = '', b = '', c = ''] = fields;
  if (kind === 'S')
    return `IRR ${hex(number(a))} ${b === '1' ? 'level' : 'edge'}${c === '1' ? ' merged' : ''}`;
  if (kind === 'X') return a === 'SIPI' ? `SIPI ${hex(number(b))}` : a;
  return a === '-' ? 'EOI of nothing' : `EOI ${hex(number(a))} ${b === '1' ? 'level' : 'edge'}`;
}

function shownEffect({ kind, vector, level, was }: Effect): string {
  const trigger = level ? 'level' : 'edge';
  if (kind === 'set') return `IRR ${hex(vector)} ${trigger}${was ? ' merged' : ''}`;
  if (kind === 'eoi') return vector < 0 ? 'EOI of nothing' : `EOI ${hex(vector)} ${trigger}`;
  return kind === 'sipi' ? `SIPI ${hex(vector)}` : kind.toUpperCase();
}

const CHECK_OF: Record<string, string> = { S: 'IRR bit set', X: 'INIT, SIPI, NMI, SMI', E: 'EOI' };

export class LapicLog implements Verifier {
  readonly #ledger: Ledger;
  readonly #model: Model;
  #machine: Machine | undefined;
  /** Lines of the prologue: the CPUs, before the machine can be made. */
  #prologue: string[][] = [];
  #ids: number[] = [];
  #started = false;
  #effects: Effect[] = [];

  constructor(ledger: Ledger, model: Model) {
    this.#ledger = ledger;
    this.#model = model;
  }

  add(text: string): void {
    if (!this.#started && !text.startsWith('Z '))
      return this.#ledger.skip('lines before the first Z');
    this.#started = true;
    const kind = text[0] ?? '';
    if (!SHAPES[kind]?.test(text)) throw this.#ledger.damaged(ALLOWED);
    if (kind === '#') return this.#ledger.skip('# comments');
    if (kind === 'V') return this.#ledger.skip('V: vector after the 8259');
    const fields = text.split(' ');
    if (!this.#machine) {
      if (this.#isPrologue(fields)) return;
      this.#machine = this.#create();
    }
    this.#dispatch(fields);
  }

  /** Reset lines of CPUs that are not known yet. */
  #isPrologue(fields: string[]): boolean {
    const cpu = Number(fields[1]);
    if (fields[0] === 'Z' && this.#ids[cpu] === undefined) {
      if (cpu >= CPUS_MAX) throw this.#ledger.damaged(`CPU numbers below ${CPUS_MAX}`);
      this.#ids[cpu] = number(fields[3]!);
      return true;
    }
    if (fields[0] === 'I') this.#prologue.push(fields);
    return fields[0] === 'I';
  }

  #create(): Machine {
    const missing = Array.from(this.#ids).indexOf(undefined as never);
    if (missing >= 0) throw this.#ledger.damaged(`a Z line for CPU ${missing} before this`);
    const options = {
      apicIds: this.#ids,
      model: this.#model,
      start: 'reset',
      gp: 'return',
    } as const;
    const machine = Machine.create(options);
    machine.traceEffects(true);
    for (const fields of this.#prologue) machine.lapic(this.#cpu(fields)).initReset();
    this.#prologue = [];
    return machine;
  }

  #cpu(fields: string[]): number {
    const cpu = Number(fields[1]);
    if (cpu < this.#ids.length) return cpu;
    throw this.#ledger.damaged(`CPUs 0-${this.#ids.length - 1}, those with a Z line`);
  }

  #dispatch(fields: string[]): void {
    const kind = fields[0]!;
    const cpu = kind === 'M' ? 0 : this.#cpu(fields);
    const lapic = this.#machine!.lapic(cpu);
    if (kind in CHECK_OF) return this.#compareEffect(fields, lapic);
    this.#surplus();
    if (kind === 'D') this.#compareDump(fields, lapic);
    else if (kind === 'R') this.#compareRead(fields, lapic);
    else if (kind === 'A') this.#acknowledge(fields, lapic);
    else this.#input(fields, lapic);
    this.#effects = this.#machine!.takeEffects();
  }

  #compareEffect(fields: string[], lapic: LocalApic): void {
    const effect = this.#effects.shift();
    const at = (cpu: number, what: string) => `CPU ${cpu} ${what}`;
    const got = effect ? at(effect.cpu, shownEffect(effect)) : 'nothing';
    const expected = at(lapic.cpu, lineEffect(fields));
    this.#ledger.check(CHECK_OF[fields[0]!]!, expected, got, () => describe(lapic));
  }

  /** What the machine did and the file does not have. */
  #surplus(): void {
    for (const effect of this.#effects) {
      const letter = effect.kind === 'set' ? 'S' : effect.kind === 'eoi' ? 'E' : 'X';
      const got = `CPU ${effect.cpu} ${shownEffect(effect)}`;
      this.#ledger.check(CHECK_OF[letter]!, 'nothing', got, () =>
        describe(this.#machine!.lapic(effect.cpu)),
      );
    }
    this.#effects = [];
  }

  #compareDump(fields: string[], lapic: LocalApic): void {
    const { tpr, ppr } = lapic;
    const head = [
      'tpr',
      tpr.toString(16),
      'ppr',
      ppr.toString(16),
      'svr',
      lapic.peek(0x0f).toString(16),
    ];
    const sets = [
      'isr',
      ...words(lapic.isr),
      'irr',
      ...words(lapic.irr),
      'tmr',
      ...words(lapic.tmr),
    ];
    const expected = fields.slice(2).map((f, i) => (i < 6 ? bare(f) : f));
    this.#ledger.check('state dump', expected.join(' '), [...head, ...sets].join(' '), () =>
      describe(lapic),
    );
  }

  #compareRead(fields: string[], lapic: LocalApic): void {
    const reg = number(fields[2]!);
    const got = isX2apic(lapic) ? lapic.readMSR(0x800 + reg) : BigInt(lapic.readMMIO(reg << 4));
    if (reg === TIMER_COUNT)
      return this.#ledger.skip('reads of register 39, which depends on time');
    const expected = fields[4] === 'GP' ? 'GP' : bare(fields[3]!);
    this.#ledger.check('register read', expected, got?.toString(16) ?? 'GP', () => describe(lapic));
  }

  #acknowledge(fields: string[], lapic: LocalApic): void {
    if (fields[2] === 'ext') return this.#ledger.skip('A ext: the 8259 took the acknowledge');
    const { kind, vector } = lapic.inta();
    const taken = kind === 'spurious' ? `spurious ${hex(vector)}` : hex(vector);
    const got = kind === 'none' ? kind : taken;
    const wanted = fields[2] === 'none' ? 'none' : hex(number(fields.at(-1)!));
    const expected = fields[2] === 'spurious' ? `spurious ${wanted}` : wanted;
    this.#ledger.check('acknowledged vector', expected, got, () => describe(lapic));
  }

  #input(fields: string[], lapic: LocalApic): void {
    const [kind, , a = '', b = '', c = '', d = '', e = ''] = fields;
    const machine = this.#machine!;
    if (kind === 'W') this.#write(fields, lapic);
    else if (kind === 'B') this.#refusal(fields, lapic, lapic.writeMSR(0x1b, BigInt(`0x${a}`)));
    else if (kind === 'C') this.#refusal(fields, lapic, lapic.writeCR8(number(a)));
    else if (kind === 'I') lapic.initReset();
    else if (kind === 'P') lapic.takeSIPI();
    else if (kind === 'L') lapic.localEvent(LVT_ENTRIES[Number(a)]!);
    else if (kind === 'l') lapic.localEvent('lint0', false);
    else if (kind === 'Z') lapic.powerOn();
    else if (kind === 'M') {
      machine.message({
        dest: number(a),
        logical: b === '1',
        delivery: Number(c),
        vector: number(d),
        level: e === '1',
      });
    }
  }

  #write(fields: string[], lapic: LocalApic): void {
    const reg = number(fields[2]!);
    const value = BigInt(`0x${fields[3]}`);
    if (isX2apic(lapic)) return this.#refusal(fields, lapic, lapic.writeMSR(0x800 + reg, value));
    lapic.writeMMIO(reg << 4, Number(value & 0xffffffffn));
  }

  /** Writes are inputs; whether one was refused is checked. */
  #refusal(fields: string[], lapic: LocalApic, done: boolean): void {
    const expected = fields.at(-1) === 'GP' ? 'GP' : 'ok';
    this.#ledger.check('write accepted', expected, done ? 'ok' : 'GP', () => describe(lapic));
  }

  finish(): void {
    if (!this.#started) throw this.#ledger.damaged('a log with Z lines, which name the CPUs');
    if (this.#machine) this.#surplus();
  }
}

function isX2apic(lapic: LocalApic): boolean {
  return (lapic.apicBase & 0x400n) !== 0n;
}

/** Hexadecimal without leading zeros. */
function bare(text: string): string {
  return text.replace(/^0+(?=.)/, '');
}
