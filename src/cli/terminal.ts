// Colour, tables and the progress line. No control character reaches anything but a terminal.
import { styleText } from 'node:util';
import type { Block, Sheet, Tone } from '../report/sheet.js';
import { watchInterrupt } from './signals.js';

const COLOURS = { aside: 'dim', note: 'yellow', alarm: 'red' } as const satisfies Record<
  Tone,
  string
>;

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
    this.#out.write(`${text}\n`);
  }

  /** A JSON document; it says so when a signal ended the work early. */
  json(document: object, indent = 2): void {
    const whole = watchInterrupt().hit ? { ...document, interrupted: true } : document;
    this.print(JSON.stringify(whole, null, indent));
  }

  note(text: string): void {
    this.clearProgress();
    this.#err.write(`${text}\n`);
  }

  style(format: 'bold' | 'dim' | 'green' | 'yellow' | 'cyan' | 'red', text: string): string {
    const colour = this.#out.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
    return colour ? styleText(format, text, { validateStream: false } as never) : text;
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
    else this.print(block.tone ? this.style(COLOURS[block.tone], block.text) : block.text);
  }

  /** A bar on standard error, at most ten times a second; nothing when that is no terminal. */
  progress(share: number, text: string): void {
    const now = Date.now();
    if (!this.#err.isTTY || (now - this.#last < 100 && share < 1)) return;
    this.#last = now;
    this.#progress = true;
    const width = 24;
    const full = Math.round(Math.min(1, share) * width);
    const bar = `${'#'.repeat(full)}${'.'.repeat(width - full)}`;
    this.#err.write(`\r\x1b[K[${bar}] ${(share * 100).toFixed(0).padStart(3)} %  ${text}`);
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
    for (const row of rows) this.print(line(row));
  }
}

export { breathe, type Interrupt, watchInterrupt } from './signals.js';
