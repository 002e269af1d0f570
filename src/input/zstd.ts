// zstd frames: their bounds, windows and checksums. fzstd unpacks the blocks; it checks none of these.
// Source: RFC 8878 section 3.1.1.
import type { Chunks, Pull } from './pull.js';
import { Xxh64 } from './xxh64.js';

/** What is wrong with packed data, in words. */
export class Damaged extends Error {
  override name = 'Damaged';
}

/** Whole data that only the format's own program unpacks. */
export class Unsupported extends Damaged {}

const MAGIC = 0xfd2fb528;
const BLOCK_MAX = 1 << 17;
/** The window that zstd(1) takes without --long. */
const WINDOW_MAX = 2 ** 27;
const CUT = 'it ends early';

interface Frame {
  /** Magic number and header. */
  bytes: Buffer;
  checksum: boolean;
  /** Size of the content where the header says so. */
  size: bigint | undefined;
}

async function exactly(bytes: Pull, count: number): Promise<Buffer> {
  const got = await bytes.take(count);
  if (got.length < count) throw new Damaged(CUT);
  return got;
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Of 1, 2, 4 or 8 bytes; that of 2 counts from 256. */
function contentSize(field: Buffer): bigint | undefined {
  if (field.length === 0) return undefined;
  const value = [...field].reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return field.length === 2 ? value + 256n : value;
}

async function frameHeader(bytes: Pull, magic: Buffer): Promise<Frame> {
  const first = await exactly(bytes, 1);
  const descriptor = first[0]!;
  const single = (descriptor & 0x20) !== 0;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const idBytes = [0, 1, 2, 4][descriptor & 3]!;
  if (descriptor & 0x08) throw new Damaged('a reserved bit is set');
  const window = await exactly(bytes, single ? 0 : 1);
  const id = await exactly(bytes, idBytes);
  const field = await exactly(bytes, sizeBytes);
  const size = contentSize(field);
  if (id.some((byte) => byte !== 0)) throw new Unsupported('it needs a dictionary');
  if ((single ? Number(size) : windowOf(window[0]!)) > WINDOW_MAX) {
    throw new Unsupported('it needs a window of more than 128 MiB');
  }
  return {
    bytes: Buffer.concat([magic, first, window, id, field]),
    checksum: (descriptor & 4) !== 0,
    size,
  };
}

/** Header and data of one block, and whether it is the last. */
async function block(bytes: Pull): Promise<{ data: Buffer; last: boolean }> {
  const header = await exactly(bytes, 3);
  const word = header.readUIntLE(0, 3);
  const [last, type, size] = [(word & 1) === 1, (word >> 1) & 3, word >> 3];
  if (type === 3 || size > BLOCK_MAX) throw new Damaged('a block header is none');
  const data = await exactly(bytes, type === 1 ? 1 : size);
  return { data: Buffer.concat([header, data]), last };
}

async function* frame(bytes: Pull, magic: Buffer): Chunks {
  const { Decompress } = await import('fzstd');
  const { bytes: header, checksum, size } = await frameHeader(bytes, magic);
  const out: Uint8Array[] = [];
  const unpacker = new Decompress((data) => out.push(data));
  const hash = new Xxh64();
  let length = 0n;
  unpacker.push(new Uint8Array(header));
  for (let ended = false; !ended; ) {
    const { data, last } = await block(bytes);
    ended = last;
    const sum = last && checksum ? await exactly(bytes, 4) : Buffer.alloc(0);
    try {
      unpacker.push(new Uint8Array(Buffer.concat([data, sum])), last);
    } catch {
      throw new Damaged('a block does not unpack');
    }
    for (const piece of out.splice(0)) {
      length += BigInt(piece.length);
      if (checksum) hash.update(piece);
      if (piece.length > 0) yield Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    }
    if (sum.length > 0 && Number(hash.digest() & 0xffffffffn) !== sum.readUInt32LE()) {
      throw new Damaged('its checksum is another');
    }
  }
  if (size !== undefined && size !== length) throw new Damaged('its length is another');
}

async function skip(bytes: Pull): Promise<void> {
  for (let left = (await exactly(bytes, 4)).readUInt32LE(); left > 0; ) {
    left -= (await exactly(bytes, Math.min(left, 1 << 16))).length;
  }
}

/** All frames, one after another. @throws Damaged */
export async function* unzstd(bytes: Pull): Chunks {
  for (;;) {
    const magic = await bytes.take(4);
    if (magic.length === 0) return;
    const number = magic.length === 4 ? magic.readUInt32LE() : 0;
    if (number >>> 4 === 0x184d2a5) await skip(bytes);
    else if (number === MAGIC) yield* frame(bytes, magic);
    else throw new Damaged('something else follows it');
  }
}
