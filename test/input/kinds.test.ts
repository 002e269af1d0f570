// Binary formats are known by their first bytes; the error names what it is and the one command that makes text of it.
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { convert, convertible } from '../../src/input/convert.js';
import { binaryKind } from '../../src/input/kinds.js';
import { readWhole } from '../../src/input/whole.js';
import { file, refusalOf, scratch } from './files.js';

const bytes = (hex: string, size = 600) =>
  Buffer.concat([Buffer.from(hex.replaceAll(' ', ''), 'hex'), Buffer.alloc(size, 0x5a)]);
const ascii = (text: string, size = 600) =>
  bytes(Buffer.from(text, 'latin1').toString('hex'), size);

/** perf.data: magic, size of the header. */
const perf = (magic: string, size: number) => {
  const head = ascii(magic);
  head.writeBigUInt64LE(BigInt(size), 8);
  return head;
};
const elf = (type: number, big = false) => {
  const head = bytes(`7f454c4602${big ? '02' : '01'}01`);
  if (big) head.writeUInt16BE(type, 16);
  else head.writeUInt16LE(type, 16);
  return head;
};
const tar = () => {
  const head = Buffer.alloc(1024);
  head.write('trace.txt');
  head.write('ustar', 257);
  return head;
};
/** Two packets: a clock snapshot and a timestamp. */
const perfetto = () =>
  Buffer.concat(
    Array.from({ length: 100 }, (_, i) => Buffer.from([0x0a, 5, 0x40, 0x80, 0x01, 0x50, i & 0x7f])),
  );

const KINDS: [string, Buffer, RegExp, RegExp][] = [
  [
    'trace.dat 6',
    ascii('\x17\x08\x44tracing6\0'),
    /trace-cmd, version 6/,
    /: trace-cmd report -i FILE > FILE\.txt/,
  ],
  [
    'trace.dat 7',
    ascii('\x17\x08\x44tracing7\0'),
    /version 7 \(3\.0 or later\)/,
    /trace-cmd report -i FILE/,
  ],
  [
    'perf.data',
    perf('PERFILE2', 104),
    /a perf\.data of perf record, which/,
    /: perf script --header -F comm,tid,cpu,time,event,trace -i FILE > FILE\.txt/,
  ],
  ['perf.data of a pipe', perf('PERFILE2', 16), /written to a pipe/, /perf script .* -i FILE/],
  ['perf.data of the other endianness', perf('2ELIFREP', 104), /perf\.data/, /perf script/],
  ['Perfetto', perfetto(), /a Perfetto trace/, /traceconv systrace FILE > FILE\.txt/],
  ['CTF packet', bytes('c11ffcc1'), /a packet of a CTF trace/, /babeltrace2 \S+ > FILE\.txt/],
  ['CTF packet, big-endian', bytes('c1fc1fc1'), /CTF/, /babeltrace2/],
  ['CTF metadata', bytes('75d11d57'), /metadata of a CTF/, /babeltrace2/],
  ['journal', ascii('LPKSHHRH'), /systemd journal/, /journalctl --file FILE -k -o short-monotonic/],
  ['pcap', bytes('d4c3b2a1'), /pcap capture/, /no recording of interrupts/],
  ['pcapng', bytes('0a0d0d0a'), /pcapng/, /no recording of interrupts/],
  ['vmcore', elf(4), /an ELF core/, /crash\(8\).*extend trace\.so/],
  ['vmcore, big-endian', elf(4, true), /an ELF core/, /trace show/],
  ['ELF program', elf(2), /an ELF program/, /no recording/],
  ['kdump', ascii('KDUMP   '), /kdump/, /crash\(8\)/],
  ['flattened dump', ascii('makedumpfile'), /makedumpfile/, /crash\(8\)/],
  ['PNG', bytes('89504e470d0a1a0a'), /PNG/, /paste the text/],
  ['PDF', ascii('%PDF-1.7'), /PDF/, /paste the text/],
  ['bzip2', ascii('BZh91AY&SY'), /bzip2/, /bzip2 -dc FILE > /],
  ['lz4', bytes('04224d18'), /lz4/, /lz4 -dc FILE > /],
  ['zip', bytes('504b0304'), /zip archive/, /unzip -p FILE > /],
  ['7z', bytes('377abcaf271c'), /7z archive/, /7z x -so FILE > /],
  ['tar', tar(), /tar archive/, /tar -xOf FILE > /],
];

const TOOLS = [
  'trace-cmd',
  'perf script',
  'babeltrace2',
  'traceconv',
  'journalctl',
  'crash',
  'tar ',
];

describe.each(KINDS)('%s', (_name, head, what, command) => {
  it('is named, with its one command', async () => {
    const path = file('FILE', head);
    const { name, message } = await refusalOf(path);
    expect(name).toBe('UsageError');
    expect(message).toMatch(what);
    const short = message.replaceAll(path, 'FILE');
    expect(short).toMatch(command);
    const named = short.slice(short.indexOf('; '));
    expect(TOOLS.filter((tool) => named.includes(tool)).length).toBeLessThanOrEqual(1);
    expect(() => readWhole(path)).toThrow(what);
  });

  it('also inside gzip data', async () => {
    const { message } = await refusalOf(file('FILE.gz', gzipSync(head)));
    expect(message).toMatch(what);
    expect(message).toContain('inside gzip data');
  });
});

describe('text', () => {
  it.each([
    ['blank lines first', '\n\n\n# tracer: nop\n'],
    ['a line feed and a comment', `\n#\t${'x'.repeat(700)}`],
    ['text with escapes', '\n\x1b[31mred\x1b[0m\n'],
    ['capital B', 'BZh9 is no bzip2'],
    ['perf', 'perf 1 [000] 1.0: ipi:ipi_send_cpu: cpu=1'],
    ['nothing', ''],
  ])('%s is text', (_what, text) => {
    expect(binaryKind(Buffer.from(text))).toBeUndefined();
  });

  it('random bytes are refused or text, never an error', () => {
    let state = 1;
    for (let i = 0; i < 20_000; i++) {
      const head = Buffer.alloc(i % 40);
      for (let at = 0; at < head.length; at++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        head[at] = i % 2 && at === 0 ? 0x0a : state >>> 24;
      }
      binaryKind(head);
    }
  });
});

describe('converting', () => {
  const { PATH } = process.env;
  afterEach(() => {
    process.env.PATH = PATH;
  });

  /** A tool of that name first on PATH. */
  function tool(name: string, script: string): void {
    const folder = join(scratch, `bin-${name}`);
    mkdirSync(folder, { recursive: true });
    chmodSync(file(`bin-${name}/${name}`, `#!/bin/sh\n${script}\n`), 0o755);
    process.env.PATH = `${folder}:${PATH}`;
  }

  async function converted(path: string): Promise<{ lines: string[]; error?: Error }> {
    const source = convert(path, convertible(path)!);
    const lines: string[] = [];
    try {
      for await (const batch of source.lines) lines.push(...batch);
    } catch (error) {
      return { lines, error: error as Error };
    }
    return { lines };
  }

  const path = file("-it's $(here).dat", ascii('\x17\x08\x44tracing6\0'));

  it('streams what the tool prints; the name is one argument', async () => {
    tool('trace-cmd', 'echo "$#" "$1" "$2" "$3"; echo last');
    expect(await converted(path)).toEqual({ lines: [`3 report -i ${path}`, 'last'] });
  });

  it('its failure is told, after what it printed', async () => {
    tool('trace-cmd', 'echo one; echo "cannot read $3" >&2; exit 4');
    const { lines, error } = await converted(path);
    expect(lines).toEqual(['one']);
    expect(error?.name).toBe('UsageError');
    expect(error?.message).toMatch(/got exit code 4 from trace-cmd report .*; cannot read/);
  });

  it('says nothing: refused', async () => {
    tool('trace-cmd', ':');
    expect((await converted(path)).error?.message).toMatch(/got nothing from trace-cmd report/);
  });

  it('is not installed: exit 3, with the command', async () => {
    process.env.PATH = scratch;
    const { error } = await converted(path);
    expect(error?.name).toBe('ReadError');
    expect(error?.message).toMatch(
      /trace-cmd is not installed here; where it is: trace-cmd report/,
    );
  });

  it('prints what is binary again: refused with both commands', async () => {
    tool('bzip2', "printf '\\027\\010Dtracing6\\0'");
    const packed = file('t.bz2', ascii('BZh91AY&SY'));
    const { message } = (await converted(packed)).error!;
    expect(message).toMatch(
      /a trace\.dat .* inside bzip2 data.*bzip2 -dc \S+ > FILE\.bin && trace-cmd report -i FILE\.bin/,
    );
  });

  it('is offered by name where the caller can', async () => {
    const { message } = await refusalOf(path, { offer: 'add --convert' });
    expect(message).toMatch(/\.txt', or add --convert$/);
    const zstd = file('t.zst', bytes('28b52ffd'));
    expect((await refusalOf(zstd, { offer: 'add --convert' })).message).toMatch(
      /or add --convert$/,
    );
  });

  it('ends with its reader', async () => {
    tool('trace-cmd', 'while :; do echo line; done');
    for await (const batch of convert(path, convertible(path)!).lines) {
      expect(batch[0]).toBe('line');
      break;
    }
  });

  it('text, pipes and pictures are nothing to convert', () => {
    expect(convertible(file('text', 'hello'))).toBeUndefined();
    expect(convertible(file('png', bytes('89504e470d0a1a0a')))).toBeUndefined();
    expect(convertible('-')).toBeUndefined();
  });
});
