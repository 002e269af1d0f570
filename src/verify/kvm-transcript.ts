// Transcripts of Linux's in-kernel APIC, operation by operation: `op -> result` (tools/kvm-recorder).

import type { Model } from '../core/models.js';
import type { LocalApic } from '../machine/lapic.js';
import { Machine } from '../machine/machine.js';
import { describe, type Ledger, type Verifier, words } from './recording.js';

// Every pattern is linear: each repetition ends at a character that it cannot hold itself, and numbers have an end.
const HEX = '[0-9a-f]{1,16}';
const INT = '-?\\d{1,10}';
const SET = '( [0-7]:[0-9a-f]{8}){0,8}';
const SHAPES: Record<string, RegExp> = {
  N: new RegExp(`^N ${HEX} -> x2api=${INT} ok$`),
  x: new RegExp(`^x ${HEX} -> ${INT} base=${HEX}$`),
  b: new RegExp(`^b ${HEX} ${HEX} -> ${INT} base=${HEX}$`),
  w: new RegExp(`^w ${HEX} ${HEX} ${HEX} -> (ok|GP)$`),
  r: new RegExp(`^r ${HEX} ${HEX} -> (${HEX}|GP)$`),
  e: new RegExp(`^e ${HEX} -> (ok|GP)$`),
  W: new RegExp(`^W ${HEX} ${HEX} ${HEX} -> ok$`),
  R: new RegExp(`^R ${HEX} ${HEX} -> ${HEX}$`),
  m: new RegExp(`^m ${HEX} ${HEX} -> ${INT}$`),
  M: new RegExp(`^M ${HEX} ${HEX} ${HEX} -> ${INT}$`),
  a: new RegExp(`^a ${HEX} -> (none|${HEX}( \\(isr forced ${INT}\\))?)$`),
  d: new RegExp(`^d ${HEX} ->( [a-z0-9]{1,8} ${HEX}){9} isr${SET} tmr${SET} irr${SET}$`),
};
const ALLOWED = 'a line `op -> result` of the recorder (N x b w r e W R m M a d), whole';
/** An MMIO access that no local APIC answered, and the line that ends it. */
const LEFT_APIC = new RegExp(`^[RW] ${HEX} ${HEX}( ${HEX})? ->mmio-exit ${HEX}$`);
const RECORDER_ERROR = /^ err -3$/;
const CPUS_MAX = 1024;
const PAGE_FIELDS: [string, number][] = [
  ['id', 0x02],
  ['tpr', 0x08],
  ['ppr', 0x0a],
  ['ldr', 0x0d],
  ['dfr', 0x0e],
  ['svr', 0x0f],
  ['esr', 0x28],
  ['icr', 0x30],
  ['icr2', 0x31],
];
const number = (text: string): number => Number.parseInt(text, 16);
const wide = (text: string): bigint => BigInt(`0x${text}`);

export class KvmTranscript implements Verifier {
  readonly #ledger: Ledger;
  readonly #model: Model;
  #machine: Machine | undefined;
  /**
   * CPUs whose page shows a PPR that KVM has not computed anew: the recorder set the ISR bit itself
   * ("isr forced") when nothing was in service, which leaves PPR = TPR until the next update.
   */
  readonly #stalePpr = new Set<number>();

  constructor(ledger: Ledger, model: Model) {
    this.#ledger = ledger;
    this.#model = model;
  }

  add(text: string): void {
    if (text === '') return;
    if (text.startsWith('#')) return this.#ledger.skip('# comments');
    if (LEFT_APIC.test(text)) return this.#leaves(text);
    if (RECORDER_ERROR.test(text))
      return this.#ledger.skip('results of accesses that left the APIC');
    if (!SHAPES[text[0]!]?.test(text)) throw this.#ledger.damaged(ALLOWED);
    const [operation, result] = text.split(' -> ') as [string, string];
    const fields = operation.split(' ');
    if (fields[0] === 'N') return this.#create(number(fields[1]!));
    if (!this.#machine) throw this.#ledger.damaged('a line N with the number of CPUs first');
    this.#apply(fields, result, this.#machine);
  }

  #create(cpus: number): void {
    if (this.#machine || cpus < 1 || cpus > CPUS_MAX) {
      throw this.#ledger.damaged(`one line N with 1-${CPUS_MAX.toString(16)} CPUs`);
    }
    this.#machine = Machine.create({ cpus, model: this.#model, start: 'reset', gp: 'return' });
  }

  #apply(fields: string[], result: string, machine: Machine): void {
    const [op, a = '', b = '', c = ''] = fields;
    const check = (name: string, expected: string, got: string, cpu: number) =>
      this.#ledger.check(name, expected, got, () => describe(machine.lapic(cpu)));
    if (op === 'm' || op === 'M') {
      const address = op === 'm' ? wide(a) : (wide(a) << 32n) | wide(b);
      const invalid = (address >> 32n) & 0xffn; // kvm_msi_route_invalid()
      const data = number(op === 'm' ? b : c);
      return check(
        'MSI: APICs that took it',
        result,
        `${invalid ? -1 : machine.signalMSI(address, data)}`,
        0,
      );
    }
    const cpu = number(a);
    if (cpu >= machine.config.cpus) {
      throw this.#ledger.damaged(`CPUs 0-${(machine.config.cpus - 1).toString(16)}`);
    }
    const lapic = machine.lapic(cpu);
    const isrBefore = lapic.isr.length;
    const [name, got] = this.#perform(op!, b, c, lapic);
    check(name, op === 'a' ? result.split(' ')[0]! : result, got, cpu);
    this.#followPpr(op!, b, result, isrBefore, cpu);
  }

  /** The page is closed: KVM hands the access to user space. */
  #leaves(text: string): void {
    const lapic = this.#machine?.lapic(number(text.split(' ')[1]!));
    if (!lapic) throw this.#ledger.damaged('a line N with the number of CPUs first');
    const open = (lapic.apicBase & 0xc00n) === 0x800n;
    this.#ledger.check('access to a closed page', 'closed', open ? 'open' : 'closed', () =>
      describe(lapic),
    );
    this.#stalePpr.delete(lapic.cpu);
  }

  #perform(op: string, b: string, c: string, lapic: LocalApic): [string, string] {
    const base = () => `base=${lapic.apicBase.toString(16)}`;
    switch (op) {
      case 'x':
        return ['IA32_APIC_BASE', `${+lapic.setApicBase(lapic.apicBase | 0xc00n)} ${base()}`];
      case 'b':
        return ['IA32_APIC_BASE', `${+lapic.setApicBase(wide(b))} ${base()}`];
      case 'w':
        return ['write accepted', lapic.writeMSR(0x800 + number(b), wide(c)) ? 'ok' : 'GP'];
      case 'e':
        return ['write accepted', lapic.writeMSR(0x80b, 0) ? 'ok' : 'GP'];
      case 'r':
        return ['register read', lapic.readMSR(0x800 + number(b))?.toString(16) ?? 'GP'];
      case 'W':
        lapic.writeMMIO(number(b) << 4, number(c));
        return ['write accepted', 'ok'];
      case 'R':
        return ['register read', lapic.readMMIO(number(b) << 4).toString(16)];
      case 'a': {
        const { kind, vector } = lapic.inta();
        return [
          'acknowledged vector',
          kind === 'vector' ? vector.toString(16).padStart(2, '0') : 'none',
        ];
      }
      default:
        return ['register page', this.#page(lapic)];
    }
  }

  #page(lapic: LocalApic): string {
    const page = new DataView(lapic.exportPage().buffer);
    const shown = PAGE_FIELDS.map(([name, reg]) => {
      const stale = name === 'ppr' && this.#stalePpr.has(lapic.cpu);
      return `${name} ${(stale ? lapic.tpr : page.getUint32(reg * 16, true)).toString(16)}`;
    });
    const sets = [
      ['isr', ...words(lapic.isr)],
      ['tmr', ...words(lapic.tmr)],
      ['irr', ...words(lapic.irr)],
    ];
    return [...shown, ...sets.flat()].join(' ');
  }

  #followPpr(op: string, register: string, result: string, isrBefore: number, cpu: number): void {
    if (op === 'a' && result.includes('isr forced') && isrBefore === 0) {
      this.#ledger.skip('isr forced: the recorder set the ISR bit itself');
      this.#stalePpr.add(cpu);
      return;
    }
    const reg = register === '' ? -1 : number(register);
    const written = op === 'e' || (op === 'w' && (reg === 0x08 || reg === 0x0b));
    const read = op === 'r' && reg === 0x0a;
    const ran = op === 'a' || op === 'W' || op === 'R'; // entering the guest looks for interrupts
    if (ran || written || read) this.#stalePpr.delete(cpu);
  }

  finish(): void {
    if (!this.#machine) throw this.#ledger.damaged('a transcript with a line N');
  }
}
