// Packed files, unpacked while they are read: gzip, zstd, xz; damage, and a bound on what they unfold to.
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Compression } from './kinds.js';
import { asArgument, fdOf, quoted, refusal } from './path.js';
import { type Chunks, Pull } from './pull.js';
import { Damaged, Unsupported, unzstd } from './zstd.js';

/** Real text packs to a hundredth at most; what unfolds to more than that is a trap, or has nothing to say. */
const RATIO_MAX = 400;
const FREE_BYTES = 2 ** 30;

async function* gunzip(chunks: Chunks): Chunks {
  const unpacker = createGunzip({ chunkSize: 1 << 17 });
  pipeline(Readable.from(chunks, { objectMode: false }), unpacker, () => {});
  try {
    yield* unpacker as unknown as Chunks;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!code.startsWith('Z_')) throw error;
    throw new Damaged(code === 'Z_BUF_ERROR' ? 'it ends early' : (error as Error).message);
  }
}

/** Error codes of xz-embedded (enum xz_ret). */
const XZ_ERRORS: Readonly<Record<string, Damaged>> = {
  '2': new Unsupported('its checksum is not CRC32 or CRC64'),
  '3': new Unsupported('it needs more memory'),
  '4': new Unsupported('it needs a dictionary of more than 64 MiB'),
  '5': new Damaged('something else follows it'),
  '6': new Unsupported('it has a filter, or a checksum, that is not known here'),
  '7': new Damaged('a block does not unpack, or its checksum is another'),
  '8': new Damaged('it ends early'),
};

async function* unxz(chunks: Chunks): Chunks {
  const { default: xz } = await import('xz-decompress');
  const packed = Readable.toWeb(Readable.from(chunks, { objectMode: false }));
  const unpacked = new xz.XzReadableStream(packed as never) as unknown as AsyncIterable<Uint8Array>;
  try {
    for await (const piece of unpacked) yield Buffer.from(piece);
  } catch (error) {
    const code = /error code (\d+)/.exec((error as Error).message)?.[1];
    if (code === undefined) throw error;
    throw XZ_ERRORS[code] ?? new Damaged('it does not unpack');
  }
}

function unpacker(compression: Compression, chunks: Chunks): Chunks {
  if (compression === 'gzip') return gunzip(chunks);
  return compression === 'zstd' ? unzstd(new Pull(chunks)) : unxz(chunks);
}

/** Such as `zstd -dc FILE | npx ipistorm ... -`. */
export function unpackCommand(path: string, program: string): string {
  const file = fdOf(path) === undefined ? ` ${quoted(asArgument(path))}` : '';
  return `${program} -dc${file}`;
}

/**
 * @param packedBytes how much of the file was read
 * @throws UsageError after what was readable, when the data are damaged or unfold without measure
 */
export async function* unpacked(
  path: string,
  compression: Compression,
  chunks: Chunks,
  packedBytes: () => number,
): Chunks {
  let length = 0;
  try {
    for await (const chunk of unpacker(compression, chunks)) {
      length += chunk.length;
      if (length > FREE_BYTES && length > RATIO_MAX * packedBytes()) {
        throw refusal(
          path,
          `${compression} data that unfold to more than 1 GiB and ${RATIO_MAX} times their size`,
          `if that is right: ${unpackCommand(path, compression)} | npx ipistorm ... -`,
        );
      }
      yield chunk;
    }
  } catch (error) {
    throw error instanceof Damaged ? damaged(path, compression, length, error) : error;
  }
}

function damaged(path: string, compression: Compression, length: number, error: Damaged): Error {
  const command = unpackCommand(path, compression);
  if (error instanceof Unsupported) {
    const got = `${compression} data that cannot be unpacked here (${error.message})`;
    return refusal(path, got, `unpack it: ${command} | npx ipistorm ... -`);
  }
  const got = `damaged ${compression} data (${error.message}, after ${length} bytes of text)`;
  return refusal(path, got, `copy it again, or keep what can be read: ${command} > FILE.txt`);
}
