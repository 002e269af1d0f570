// What the documents show of the command line is what it prints, and names only what there is.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DRIVERS, ERAS } from '../../src/core/config.js';
import { MODEL_FLAGS } from '../../src/core/models.js';
import { COST_SETS, SCENARIO_NAMES } from '../../src/timed/library.js';
import { blocks, difference, documents } from '../../tools/docs.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (name: string) => readFileSync(`${root}${name}`, 'utf8');
const help = (...args: string[]) =>
  spawnSync(process.execPath, [`${root}dist/src/cli/main.js`, ...args, '--help'], {
    encoding: 'utf8',
  }).stdout;

const main = help();
const commands = [...main.matchAll(/^ipistorm (\w+)/gm)].map(([, name]) => name!);
const texts = new Map(commands.map((name) => [name, help(name)]));
const options = new Map(
  [...texts].map(([name, text]) => [
    name,
    new Set(['--help', ...[...text.matchAll(/^ {2}(--[\w-]+)/gm)].map(([, option]) => option!)]),
  ]),
);

/** Code in a document: fenced blocks and `spans`, with the line each begins in. */
function* codeOf(text: string): Generator<[line: number, code: string]> {
  for (const match of text.matchAll(/```[\s\S]*?```|`[^`]+`/g)) {
    const line = text.slice(0, match.index).split('\n').length;
    if (match[0].startsWith('```')) {
      for (const [i, code] of match[0].split('\n').entries()) yield [line + i, code];
    } else yield [line, match[0].slice(1, -1).replace(/\s+/g, ' ')];
  }
}

/** What is wrong with the calls of ipistorm in a line of code. */
function* wrongCalls(code: string): Generator<string> {
  for (const [, call] of code.matchAll(/(?:^|[\s"(])ipistorm ((?!COMMAND)[a-z][^|;"]*)/g)) {
    const name = /^\w+/.exec(call!)![0];
    if (!options.has(name)) yield `ipistorm ${name}: no such command`;
    for (const [option] of call!.matchAll(/--[a-z][\w-]*/g)) {
      if (options.has(name) && !options.get(name)!.has(option)) {
        yield `ipistorm ${name} ${option}: no such option`;
      }
    }
  }
}

describe('the commands in the documents', () => {
  it.each(
    documents()
      .flatMap((file) => blocks(file))
      .filter(({ slow }) => !slow)
      .map((block) => [`${block.file}:${block.begin + 1} ${block.shown[0]}`, block] as const),
  )('%s prints what is shown', (_, block) => {
    expect(difference(block)).toBeUndefined();
  });

  it('name commands and options that exist', () => {
    expect(commands.length).toBeGreaterThan(8);
    const wrong = documents()
      .filter((file) => file !== 'CHANGELOG.md')
      .flatMap((file) =>
        [...codeOf(read(file))].flatMap(([line, code]) =>
          [...wrongCalls(code)].map((what) => `${file}:${line}: ${what}`),
        ),
      );
    expect(wrong).toEqual([]);
  });

  it('so do the examples of --help', () => {
    const wrong = [main, ...texts.values()].flatMap((text) =>
      text.split('\n').flatMap((line) => [...wrongCalls(line)]),
    );
    expect(wrong).toEqual([]);
  });

  it('so do hints of the CLI', () => {
    const folder = `${root}src/cli/`;
    const lines = readdirSync(folder).flatMap((file) => read(`src/cli/${file}`).split('\n'));
    const hints = lines.filter((line) => line.includes('npx ipistorm'));
    expect(hints.length).toBeGreaterThan(30);
    expect(hints.flatMap((line) => [...wrongCalls(line)])).toEqual([]);
  });

  it('options by themselves are those of some command', () => {
    const all = new Set([...options.values()].flatMap((names) => [...names]));
    const alone = documents().flatMap((file) =>
      [...codeOf(read(file))].flatMap(([line, code]) => {
        const option = /^--[a-z][\w-]*/.exec(code)?.[0];
        return option && !all.has(option) ? [`${file}:${line}: ${option}`] : [];
      }),
    );
    expect(alone).toEqual([]);
  });

  it('the README lists every command', () => {
    const table = read('README.md').split('## Commands')[1]!.split('\n## ')[0]!;
    const listed = [...table.matchAll(/^\| `npx ipistorm (\w+)/gm)].map(([, name]) => name);
    expect(listed.toSorted()).toEqual(commands.toSorted());
  });
});

describe('the numbers in the documents', () => {
  const presets = texts.get('storm')!.match(/Presets:[\s\S]*?\n\n/)![0];
  const folder = `${root}conformance/cases/`;
  const cases = readdirSync(folder).flatMap((file) => {
    const { cases: list } = JSON.parse(readFileSync(folder + file, 'utf8'));
    return list;
  });
  it.each([
    ['README.md', /the (\d+) scenarios/, SCENARIO_NAMES.length],
    ['README.md', /the (\d+) cost sets/, COST_SETS.length],
    ['README.md', /one of (\d+) presets/, presets.match(/^ {2}\w/gm)!.length],
    ['README.md', /(\d+) flags/, MODEL_FLAGS.length],
    ['README.md', /table of (\d+) cases/, cases.length],
    ['conformance/README.md', /^(\d+) cases/m, cases.length],
  ])('%s: %s', (file, pattern, count) => {
    expect(Number(pattern.exec(read(file))![1])).toBe(count);
  });

  it('README.md: eras, drivers, and the size of the core to 5 %', () => {
    expect(read('README.md')).toContain('three eras and any of seven drivers');
    expect([Object.keys(ERAS).length, Object.keys(DRIVERS).length]).toEqual([3, 7]);
    const [, kB] = /is (\d+) kB of WebAssembly/.exec(read('README.md'))!;
    const bytes = statSync(`${root}build/release.wasm`).size;
    expect(Math.abs(Number(kB) * 1000 - bytes) / bytes).toBeLessThan(0.05);
  });

  it('Node: README.md, CONTRIBUTING.md and package.json name the same version', () => {
    const { engines } = JSON.parse(read('package.json'));
    const floor = engines.node.replace('>=', '');
    for (const file of ['README.md', 'CONTRIBUTING.md'])
      expect(read(file), file).toContain(`Node ${floor} or later`);
  });
});
