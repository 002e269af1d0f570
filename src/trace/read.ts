// Streams a trace's lines in bounded memory, plain or gzipped.
import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import { createGunzip } from 'node:zlib';

export interface LineSource {
  /** Batches of lines, without line ends. */
  lines: AsyncIterable<string[]>;
  /** Bytes of the file read so far. */
  bytesRead(): number;
  /** Bytes on disk. */
  bytesTotal: number;
}

/** A line is cut after this; the parser calls a cut line damaged. */
const LINE_MAX = (1 << 20) + 1;

function isGzip(path: string): boolean {
  const fd = openSync(path, 'r');
  try {
    const magic = Buffer.alloc(2);
    return readSync(fd, magic, 0, 2, 0) === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
  } finally {
    closeSync(fd);
  }
}

/** Opens a trace; gzip is known by its magic bytes. Damaged gzip: an Error after what was readable. */
export function openTrace(path: string): LineSource {
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  const gzip = isGzip(path);
  const bytes = gzip ? file.pipe(createGunzip()) : file;
  if (gzip) file.on('error', (error) => bytes.destroy(error));
  return {
    lines: split(bytes as AsyncIterable<Buffer>, path),
    bytesRead: () => file.bytesRead,
    bytesTotal: statSync(path).size,
  };
}

async function* split(chunks: AsyncIterable<Buffer>, path: string): AsyncIterable<string[]> {
  let rest = '';
  try {
    for await (const chunk of chunks) {
      // The formats are ASCII but for task names, which nothing here compares: latin1 never splits a character.
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = (lines.pop() ?? '').slice(0, LINE_MAX);
      if (lines.length > 0) yield lines;
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!code.startsWith('Z_')) throw error;
    throw new Error(
      `${path}: got damaged gzip data (${code}), allowed a whole .gz file; copy it again or unpack what can be saved with zcat`,
    );
  }
  if (rest !== '') yield [rest];
}
