// Recordings that nobody recorded: cut, shuffled, stretched, full of junk. Each is verified or refused by file and line.
import { describe, expect, it } from 'vitest';
import { generator } from '../reference/random.js';
import { text, verifyText } from './recordings.js';

const TRANSCRIPT = text('kvm-x2odd-4cpu-s3.txt.gz').slice(0, 30_000);
const LOG = text('linux61-xapic-flat-4cpu.log.gz');
const BOOT = LOG.slice(LOG.indexOf('\nZ ') + 1).slice(0, 30_000);

type Random = ReturnType<typeof generator>;

const NUMBERS = [
  '0',
  '-1',
  'ffffffff',
  '8'.repeat(16),
  'f'.repeat(16),
  '9'.repeat(400),
  '',
  ' ',
  '.',
];
const LINES = [
  '',
  ' '.repeat(2000),
  '\0'.repeat(50),
  '#',
  'Z',
  'd 0 ->',
  `d 0 -> id 0 tpr 0${' isr tmr'.repeat(300)}`,
];

const DAMAGE: Record<string, (lines: string[], random: Random) => void> = {
  cut: (lines, random) => lines.splice(random.below(lines.length)),
  swap: (lines, random) => {
    const [a, b] = [random.below(lines.length), random.below(lines.length)];
    [lines[a], lines[b]] = [lines[b]!, lines[a]!];
  },
  double: (lines, random) => {
    const at = random.below(lines.length);
    lines.splice(random.below(lines.length), 0, ...lines.slice(at, at + 20));
  },
  drop: (lines, random) => lines.splice(random.below(lines.length), 1 + random.below(5)),
  number: (lines, random) => {
    const at = random.below(lines.length);
    const fields = lines[at]!.split(' ');
    fields[random.below(fields.length)] = NUMBERS[random.below(NUMBERS.length)]!;
    lines[at] = fields.join(' ');
  },
  digits: (lines, random) => {
    const at = random.below(lines.length);
    lines[at] = lines[at]!.replace(/[0-9a-f]{1,8}$/, () => random.below(2 ** 31).toString(16));
  },
  line: (lines, random) => {
    lines.splice(random.below(lines.length), 0, LINES[random.below(LINES.length)]!);
  },
  junk: (lines, random) => {
    const bytes = Array.from({ length: 200 }, () => random.below(256));
    lines.splice(random.below(lines.length), 0, String.fromCharCode(...bytes));
  },
};

async function refused(content: string): Promise<Error | undefined> {
  try {
    await verifyText(content);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

describe.each([
  ['transcript', TRANSCRIPT],
  ['log', BOOT],
])('a damaged %s', (_kind, content) => {
  it.each(Object.keys(DAMAGE))('%s', async (kind) => {
    for (let seed = 1; seed <= 25; seed++) {
      const random = generator(seed);
      const lines = content.split('\n');
      for (let n = random.below(4); n >= 0; n--) DAMAGE[kind]!(lines, random);
      const error = await refused(lines.join('\n'));
      if (!error) continue;
      expect(error.name, `${kind} ${seed}: ${error.stack}`).toBe('UsageError');
      expect(error.message).toMatch(/changed\.txt( line \d+)?: got /);
      expect(error.message.length).toBeLessThan(1000);
    }
  });
});

describe('lines that are long', () => {
  it.each([
    ['blanks', ' '.repeat(1 << 20)],
    ['a dump without its end', `d 0 -> id 0 tpr 0${' isr tmr'.repeat(1 << 17)}`],
    ['digits', `r 0 ${'8'.repeat(1 << 20)} -> 0`],
    ['signs', `m 0 0 -> ${'-'.repeat(1 << 20)}`],
    ['sets', `D 0 tpr 0 ppr 0 svr 0 isr${' 0:00000000'.repeat(1 << 16)}`],
  ])('%s take linear time', async (_what, line) => {
    const start = Date.now();
    const transcript = await refused(`N 1 -> x2api=0 ok\n${line}\n`);
    expect(transcript?.message).toMatch(/line 2: got/);
    const log = await refused(`Z 0 id 0 base fee00900\n${line}\n`);
    expect(log?.message).toMatch(/line 2: got/);
    expect(Date.now() - start).toBeLessThan(2000);
  });
});

it('what a machine refuses names the line', async () => {
  const same = 'Z 0 id 5 base fee00900\nZ 1 id 5 base fee00800\nW 0 8 0\n';
  expect((await refused(same))?.message).toMatch(/line 3: .*allowed what a machine takes/);
});

it('a file without a kind is not kept in memory', async () => {
  const content = 'no recording\n'.repeat(100_000);
  expect((await refused(content))?.message).toMatch(/got "no recording", allowed a local-APIC log/);
});
