// The house stands: every file in its room, imports only downward, no circles. docs/architecture.md has the plan.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkFloors, type Files, readPlan } from './floors.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const plan = readPlan(readFileSync(join(root, 'docs/architecture.md'), 'utf8'));

function filesOf(tree: string): [string, string][] {
  return readdirSync(join(root, tree), { recursive: true, encoding: 'utf8' })
    .map((path) => `${tree}/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .map((path) => [path, readFileSync(join(root, path), 'utf8')]);
}

const files: Files = new Map([...filesOf('assembly'), ...filesOf('src')]);

const known = checkFloors(files, plan);

/** What the check says of the files with these more, and did not say without them. */
function news(more: Readonly<Record<string, string>>): string[] {
  const found = checkFloors(new Map([...files, ...Object.entries(more)]), plan);
  return found.filter((failure) => !known.includes(failure));
}

describe('floors', () => {
  it('every import of core and host goes down, and none goes in a circle', () => {
    expect(known).toEqual([]);
  });

  it('says which file goes up, which go in a circle, and which is in no room', () => {
    const found = news({
      'src/core/climbs.ts': "\nimport type { Machine } from '../machine/machine.js';",
      'src/trace/hen.ts': "export { egg } from './egg.js';",
      'src/trace/egg.ts': "export const egg = 0;\nexport type Hen = typeof import('./hen.js');",
      'src/stray.ts': 'export {};',
    });
    expect(found).toEqual([
      'src/core/climbs.ts:2: src/core imports src/machine/machine.ts of src/machine, a higher floor; move what is shared down, or return it and let the caller go on',
      'src/stray.ts:1: is in no room of the plan',
      'src/trace/egg.ts:2: a circle, src/trace/egg.ts -> src/trace/hen.ts -> src/trace/egg.ts, of src/trace and src/trace; move what is shared down, or return it and let the caller go on',
    ]);
  });

  it.each([
    ["import { Machine } from '../machine/machine.js';", 'src/timed', 'on the same floor'],
    ["const later = import('../report/json.js');", 'src/trace', 'a higher floor'],
    ["export * from '../cli/main.js';", 'src/verify', 'a higher floor'],
    ["let x: import('../trace/fields.js').IpiSend;", 'src/timed', 'a higher floor'],
    ["import { NONE } from '../../assembly/memory/codes';", 'src/trace', 'has no way there'],
    ["import { usage } from '../../src/core/errors';", 'assembly/timed', 'has no way there'],
  ])('finds %s in %s', (text, room, why) => {
    const found = news({ [`${room}/new.ts`]: text });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(why);
  });

  it.each([
    ["import { usage } from '../core/errors.js';", 'src/cli'],
    ["import { Survey } from './survey.js';", 'src/trace'],
    ["import { NONE } from '../../assembly/memory/codes.js';", 'src/core'],
  ])('lets pass %s in %s', (text, room) => {
    expect(news({ [`${room}/new.ts`]: text })).toEqual([]);
  });
});

describe('the plan', () => {
  const small = readPlan(
    '```\nfloors core: top > mid side > low\nallow: mid -> low (one, two)\n```',
  );
  const rooms = {
    'assembly/top/a.ts': "import { m } from '../mid/a';",
    'assembly/mid/a.ts': "import { one } from '../low/a';\nexport const m = one;",
    'assembly/side/a.ts': '@unmanaged class Row { @inline static size(): u32 { return <u32>8; } }',
    'assembly/low/a.ts': 'export const one = 1, two = 2, three = 3;',
  };
  const check = (more: Record<string, string>) =>
    checkFloors(new Map(Object.entries({ ...rooms, ...more })), small);

  it('grants only the names it lists', () => {
    expect(check({})).toEqual([]);
    expect(check({ 'assembly/mid/b.ts': "import { two, three } from '../low/a';" })).toEqual([
      'assembly/mid/b.ts:1: assembly/mid imports assembly/low/a.ts of assembly/low: three beyond one, two; move what is shared down, or return it and let the caller go on',
    ]);
    expect(check({ 'assembly/mid/b.ts': "import * as low from '../low/a';" })).toHaveLength(1);
  });

  it('names no room that stands empty', () => {
    const { 'assembly/side/a.ts': _, ...without } = rooms;
    expect(checkFloors(new Map(Object.entries(without)), small)).toEqual([
      'docs/architecture.md: room assembly/side has no files',
    ]);
  });

  it('is refused with a tree or a room that there is none of', () => {
    expect(() => readPlan('# Floors')).toThrow('no block');
    expect(() => readPlan('```\nfloors roof: a > b\n```')).toThrow('got roof');
    expect(() => readPlan('```\nfloors core: a > b\nallow: a -> c\n```')).toThrow('got c');
  });
});
