// Bytes to text: byte order marks, UTF-8 and UTF-16, line ends of every kind, lines without end.
import { StringDecoder } from 'node:string_decoder';
import type { Chunks } from './pull.js';

/** A line is cut after this: one character more than a reader takes. */
export const LINE_MAX = (1 << 20) + 1;

export type Encoding = 'utf8' | 'utf16le' | 'utf16be';

/** What the text is in, and how many bytes its byte order mark has. */
export function encodingOf(head: Buffer): { encoding: Encoding | 'utf32'; mark: number } {
  const hex = head.toString('hex', 0, 4);
  if (hex.startsWith('efbbbf')) return { encoding: 'utf8', mark: 3 };
  if (hex === 'fffe0000' || hex === '0000feff') return { encoding: 'utf32', mark: 4 };
  if (hex.startsWith('fffe')) return { encoding: 'utf16le', mark: 2 };
  if (hex.startsWith('feff')) return { encoding: 'utf16be', mark: 2 };
  return { encoding: unmarked(head), mark: 0 };
}

/** ASCII text in UTF-16: every other byte is 0, and no other. */
function unmarked(head: Buffer): Encoding {
  const even = head.subarray(0, head.length & ~1);
  if (even.length < 8) return 'utf8';
  const zeros = [0, 0];
  for (const [i, byte] of even.entries()) if (byte === 0) zeros[i & 1]!++;
  const half = even.length / 2;
  if (zeros[0] === 0 && zeros[1]! > 0.9 * half) return 'utf16le';
  return zeros[1] === 0 && zeros[0]! > 0.9 * half ? 'utf16be' : 'utf8';
}

export interface Decoder {
  write(chunk: Buffer): string;
  end(): string;
}

/** Node has no decoder for the big-endian one: bytes change places first. */
class BigEndian implements Decoder {
  readonly #decoder = new StringDecoder('utf16le');
  #odd: Buffer = Buffer.alloc(0);

  write(chunk: Buffer): string {
    const all = Buffer.concat([this.#odd, chunk]);
    const even = all.length & ~1;
    this.#odd = all.subarray(even);
    return this.#decoder.write(Buffer.from(all.subarray(0, even)).swap16());
  }

  end(): string {
    return this.#decoder.end();
  }
}

export function decoderOf(encoding: Encoding): Decoder {
  return encoding === 'utf16be' ? new BigEndian() : new StringDecoder(encoding);
}

/** Text to batches of lines, without line ends; lines that never end are cut, and counted. */
export class Splitter {
  #rest = '';
  /** The last character was a CR; an LF right after it belongs to it. */
  #afterCr = false;
  cut = 0;

  add(chunk: string): string[] {
    let text = chunk;
    if (this.#afterCr && text !== '') {
      if (text.startsWith('\n')) text = text.slice(1);
      this.#afterCr = false;
    }
    if (text.includes('\r')) {
      this.#afterCr = text.endsWith('\r');
      text = text.replace(/\r\n?/g, '\n');
    }
    const lines = text.split('\n');
    const last = lines.pop()!;
    if (lines.length === 0) {
      this.#keep(last);
      return lines;
    }
    this.#keep(lines[0]!);
    lines[0] = this.#taken();
    // A chunk is shorter than LINE_MAX, but for those that a decoder made longer.
    for (let i = 1; i < lines.length; i++) {
      if (lines[i]!.length >= LINE_MAX) lines[i] = lines[i]!.slice(0, LINE_MAX);
    }
    this.#keep(last);
    return lines;
  }

  /** The last line, when it has no line end. */
  end(): string[] {
    return this.#rest === '' ? [] : [this.#taken()];
  }

  #keep(text: string): void {
    if (this.#rest.length >= LINE_MAX) return;
    this.#rest += text.slice(0, LINE_MAX - this.#rest.length);
  }

  #taken(): string {
    const line = this.#rest;
    this.#rest = '';
    if (line.length >= LINE_MAX) this.cut++;
    return line;
  }
}

export async function* linesOf(
  chunks: Chunks,
  decoder: Decoder,
  splitter: Splitter,
): AsyncIterable<string[]> {
  for await (const chunk of chunks) {
    const lines = splitter.add(decoder.write(chunk));
    if (lines.length > 0) yield lines;
  }
  const lines = [...splitter.add(decoder.end()), ...splitter.end()];
  if (lines.length > 0) yield lines;
}
