// What the first bytes of a file say: a compression, or a binary format and the command that makes text of it.
import { quoted } from './path.js';

/** Bytes that tell every kind; a tar file's magic is at 257. */
export const HEAD_BYTES = 512;

export type Compression = 'gzip' | 'zstd' | 'xz';

/** A format that is not text. */
export interface BinaryKind {
  /** Such as "a trace.dat of trace-cmd, version 7". */
  what: string;
  /** Program and arguments that write its text to standard output; none where there is none. */
  argv?: (file: string) => string[];
  /** What to do, where one command does not do it. */
  next?: string;
}

const MAGIC: readonly (readonly [hex: string, Compression])[] = [
  ['1f8b', 'gzip'],
  ['28b52ffd', 'zstd'],
  ['fd377a585a00', 'xz'],
];

export function compressionOf(head: Buffer): Compression | undefined {
  const hex = head.toString('hex', 0, 8);
  const found = MAGIC.find(([magic]) => hex.startsWith(magic))?.[1];
  // A zstd file may begin with a frame that readers skip.
  return found ?? (/^5[0-9a-f]2a4d18/.test(hex) ? 'zstd' : undefined);
}

const unpack =
  (...program: string[]) =>
  (file: string) => [...program, file];
const no = 'that is no recording of interrupts';
const RECORD = `${no}; trace-cmd record -e ipi makes one`;

/** Magic bytes at the beginning, in hexadecimal, as a pattern. */
const BINARY: readonly (readonly [hex: string, BinaryKind])[] = [
  [
    '425a683[1-9](?:314159265359|177245385090)',
    { what: 'bzip2 data', argv: unpack('bzip2', '-dc') },
  ],
  ['04224d18', { what: 'lz4 data', argv: unpack('lz4', '-dc') }],
  ['504b0304', { what: 'a zip archive', argv: unpack('unzip', '-p') }],
  ['377abcaf271c', { what: 'a 7z archive', argv: unpack('7z', 'x', '-so') }],
  ['526172211a07', { what: 'a rar archive', argv: unpack('unrar', 'p', '-inul') }],
  ['4c5a495001', { what: 'lzip data', argv: unpack('lzip', '-dc') }],
  ['5d0000', { what: 'lzma data', argv: unpack('xz', '--format=lzma', '-dc') }],
  ['894c5a4f', { what: 'lzop data', argv: unpack('lzop', '-dc') }],
  ['1f9d', { what: 'data of compress (.Z)', argv: unpack('gzip', '-dc') }],
  ['c11ffcc1', ctf('a packet of a CTF trace')],
  ['c1fc1fc1', ctf('a packet of a CTF trace')],
  ['75d11d57', ctf('the metadata of a CTF trace')],
  ['571dd175', ctf('the metadata of a CTF trace')],
  ['4c504b5348485248', { what: 'a systemd journal', argv: journal }],
  ['a1b2c3d4', { what: 'a pcap capture of network packets', next: RECORD }],
  ['d4c3b2a1', { what: 'a pcap capture of network packets', next: RECORD }],
  ['a1b23c4d', { what: 'a pcap capture of network packets', next: RECORD }],
  ['4d3cb2a1', { what: 'a pcap capture of network packets', next: RECORD }],
  ['0a0d0d0a', { what: 'a pcapng capture of network packets', next: RECORD }],
  ['4b44554d50202020', crashDump('a compressed kernel dump of kdump')],
  ['4449534b44554d50', crashDump('a kernel dump of diskdump')],
  ['6d616b6564756d7066696c65', crashDump('a flattened kernel dump of makedumpfile')],
  ['53514c69746520666f726d6174203300', { what: 'an SQLite database', next: no }],
  ['89504e470d0a1a0a', { what: 'a PNG picture', next: `${no}; paste the text` }],
  ['ffd8ff', { what: 'a JPEG picture', next: `${no}; paste the text` }],
  ['47494638', { what: 'a GIF picture', next: `${no}; paste the text` }],
  ['255044462d', { what: 'a PDF document', next: `${no}; paste the text` }],
];

const PATTERNS = BINARY.map(([hex, kind]) => [new RegExp(`^${hex}`), kind] as const);

function ctf(what: string): BinaryKind {
  return { what, argv: (file) => ['babeltrace2', folderOf(file)] };
}

/** A CTF trace is a folder of such files. */
function folderOf(file: string): string {
  const at = file.lastIndexOf('/');
  return at < 0 ? '.' : file.slice(0, at) || '/';
}

function journal(file: string): string[] {
  return ['journalctl', '--file', file, '-k', '-o', 'short-monotonic'];
}

function crashDump(what: string): BinaryKind {
  return {
    what,
    next: 'in crash(8), with the vmlinux of that kernel: extend trace.so, then trace show > FILE.txt',
  };
}

/** `head`: the first HEAD_BYTES, or all there is. */
export function binaryKind(head: Buffer): BinaryKind | undefined {
  const hex = head.toString('hex', 0, 32);
  return (
    PATTERNS.find(([magic]) => magic.test(hex))?.[1] ??
    traceDat(head) ??
    perfData(head) ??
    elf(head) ??
    tar(head) ??
    perfetto(head)
  );
}

function traceDat(head: Buffer): BinaryKind | undefined {
  if (head.toString('latin1', 0, 10) !== '\x17\x08\x44tracing') return undefined;
  const version = /^\d+/.exec(head.toString('latin1', 10, 16))?.[0];
  const newer = version === '7' ? ' (3.0 or later)' : '';
  return {
    what: `a trace.dat of trace-cmd${version ? `, version ${version}` : ''}${newer}, which is binary`,
    argv: (file) => ['trace-cmd', 'report', '-i', file],
  };
}

/** The columns that a replay needs, and the header that says how many CPUs there were. */
const PERF_SCRIPT = ['script', '--header', '-F', 'comm,tid,cpu,time,event,trace'];

function perfData(head: Buffer): BinaryKind | undefined {
  const magic = head.toString('latin1', 0, 8);
  if (!['PERFILE2', '2ELIFREP', 'PERFFILE'].includes(magic)) return undefined;
  const size = head.length >= 16 ? head.readUInt32LE(8) : 0;
  const piped = magic === 'PERFILE2' && size === 16;
  return {
    what: `a perf.data of perf record${piped ? ', written to a pipe' : ''}, which is binary`,
    argv: (file) => ['perf', ...PERF_SCRIPT, '-i', file],
  };
}

const ET_CORE = 4;

function elf(head: Buffer): BinaryKind | undefined {
  if (head.toString('latin1', 0, 4) !== '\x7fELF' || head.length < 18) return undefined;
  const type = head[5] === 2 ? head.readUInt16BE(16) : head.readUInt16LE(16);
  if (type === ET_CORE) return crashDump('an ELF core, such as a vmcore of a crashed kernel');
  return { what: 'an ELF program or object', next: no };
}

function tar(head: Buffer): BinaryKind | undefined {
  if (head.toString('latin1', 257, 262) !== 'ustar') return undefined;
  return { what: 'a tar archive', argv: (file) => ['tar', '-xOf', file] };
}

/** Trace packets: field 1, length-delimited, one after another; their bytes are not those of text. */
function perfetto(head: Buffer): BinaryKind | undefined {
  let at = 0;
  let packets = 0;
  while (at < head.length && head[at] === 0x0a) {
    const [length, after] = varint(head, at + 1);
    // Of a length that the head cuts, nothing is known.
    if (length === undefined && at + 5 < head.length) return undefined;
    if (length === undefined) {
      at = head.length;
      break;
    }
    const tag = head[after];
    if (length > 0 && tag !== undefined && (tag >> 3 === 0 || (tag & 7) > 5)) return undefined;
    packets++;
    at = after + length;
  }
  if (packets === 0 || at < head.length || !head.some((byte) => byte < 9)) return undefined;
  return {
    what: 'a Perfetto trace, which is binary',
    argv: (file) => ['traceconv', 'systrace', file],
  };
}

function varint(bytes: Buffer, start: number): [value: number | undefined, after: number] {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) return [undefined, start];
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return [value, start + i + 1];
  }
  return [undefined, start];
}

/** A command as one types it. */
export function commandLine(argv: readonly string[]): string {
  return argv.map(quoted).join(' ');
}
