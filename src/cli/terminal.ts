// Colour, tables and the progress line. No control character reaches anything but a terminal.
import { styleText } from 'node:util';
import type { Block, Sheet, Tone } from '../report/sheet.js';
import { breathe, watchInterrupt } from './signals.js';

const COLOURS = { aside: 'dim', note: 'yellow', alarm: 'red' } as const satisfies Record<
  Tone,
  string
>;

/** Control characters, and those that turn the direction of text: files and names may hold any. */
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
/** The same, but for what styleText() writes. */
const CONTROL_OR_STYLE = new RegExp(`\\x1b\\[\\d+m|${CONTROL.source}`, 'g');

const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Names and lines of files as a terminal may see them; JSON stays the same JSON. */
function printable(text: string): string {
  return text.replace(CONTROL, escaped);
}

export class Terminal {
  readonly #out: NodeJS.WriteStream;
  readonly #err: NodeJS.WriteStream;
  #progress = false;
  #last = 0;

  constructor(out: NodeJS.WriteStream = process.stdout, err: NodeJS.WriteStream = process.stderr) {
    this.#out = out;
    this.#err = err;
  }

  print(text = ''): void {
    this.clearProgress();
    const shown = this.#coloured
      ? text.replace(CONTROL_OR_STYLE, (found) => (found.length > 1 ? found : escaped(found)))
      : printable(text);
    this.#out.write(`${shown}\n`);
  }

  /** A JSON document; it says so when a signal ended the work early. */
  async json(document: object, indent = 2): Promise<void> {
    const interrupt = watchInterrupt();
    const text = () =>
      JSON.stringify(interrupt.hit ? { ...document, interrupted: true } : document, null, indent);
    const [shown, before] = [text(), interrupt.hit];
    // Large documents take their time: signals that came meanwhile are heard before it is printed.
    await breathe();
    this.print(interrupt.hit === before ? shown : text());
  }

  note(text: string): void {
    this.clearProgress();
    this.#err.write(`${printable(text)}\n`);
  }

  get #coloured(): boolean {
    return this.#out.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
  }

  style(format: 'bold' | 'dim' | 'green' | 'yellow' | 'cyan' | 'red', text: string): string {
    if (!this.#coloured) return text;
    return styleText(format, printable(text), { validateStream: false } as never);
  }

  title(text: string): void {
    this.print(this.style('bold', text));
  }

  /** A report, block by block. */
  show(sheet: Sheet): void {
    for (const block of sheet.blocks) this.#block(block);
  }

  #block(block: Block): void {
    if (block.kind === 'title') this.title(block.text);
    else if (block.kind === 'table') this.table(block.header, block.rows, block.left);
    else
      this.print(block.tone ? this.style(COLOURS[block.tone], block.text) : printable(block.text));
  }

  /** A bar on standard error, at most ten times a second; nothing when that is no terminal, or a dumb one. */
  progress(share: number, text: string): void {
    const now = Date.now();
    if (!this.#err.isTTY || process.env.TERM === 'dumb') return;
    if (now - this.#last < 100 && share < 1) return;
    this.#last = now;
    this.#progress = true;
    const width = 24;
    const full = Math.round(Math.min(1, share) * width);
    const bar = `${'#'.repeat(full)}${'.'.repeat(width - full)}`;
    const line = `[${bar}] ${(share * 100).toFixed(0).padStart(3)} %  ${printable(text)}`;
    // A line that wraps could not be cleared. Some terminals say that they have 0 columns.
    this.#err.write(`\r\x1b[K${line.slice(0, (this.#err.columns || 80) - 1)}`);
  }

  clearProgress(): void {
    if (this.#progress) this.#err.write('\r\x1b[K');
    this.#progress = false;
  }

  /** Columns padded to their widest cell; `left` columns are left-aligned, the others right. */
  table(header: readonly string[], rows: readonly (readonly string[])[], left = 1): void {
    const widths = header.map((h, c) =>
      Math.max(h.length, ...rows.map((r) => (r[c] ?? '').length)),
    );
    const line = (cells: readonly string[]) =>
      cells
        .map((cell, c) => (c < left ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!)))
        .join('  ')
        .trimEnd();
    this.print(this.style('dim', line(header)));
    for (const row of rows) this.print(printable(line(row)));
  }
}

export { breathe, type Interrupt, watchInterrupt } from './signals.js';
