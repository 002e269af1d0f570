import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const empty = mkdtempSync(join(tmpdir(), 'ipistorm-pack-'));
const sh = (file: string, ...args: string[]) =>
  execFileSync(file, args, { cwd: empty, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** Small, and with no dependencies of their own. */
const DEPENDENCIES = ['fzstd', 'valibot', 'xz-decompress'];

beforeAll(() => {
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', empty], {
    cwd: root,
    stdio: 'ignore',
  });
  const tarball = readdirSync(empty).find((name) => name.endsWith('.tgz'))!;
  writeFileSync(join(empty, 'package.json'), '{"private":true,"type":"module"}');
  // The dependencies by path: what npm ci leaves in its cache does not resolve offline.
  const paths = DEPENDENCIES.map((name) => join(root, 'node_modules', name));
  sh('npm', 'install', '--offline', '--no-audit', '--no-fund', `./${tarball}`, ...paths);
});
afterAll(() => rmSync(empty, { recursive: true }));

describe('the packed package in an empty folder', () => {
  it('works as a library', () => {
    writeFileSync(
      join(empty, 'use.mjs'),
      "import { Machine } from 'ipistorm';\nconsole.log(Machine.create({ cpus: 4 }).storm({ sends: 100 }).counters.attempted);\n",
    );
    expect(sh('node', 'use.mjs').trim()).toBe('100');
  });

  it('works as a CLI, and brings the trace of the showcase', () => {
    expect(
      sh('npx', '--offline', 'ipistorm', 'icr', '--op', 'self', '--cpus', '0', '--json'),
    ).toContain('"low": 252');
    expect(readdirSync(join(empty, 'node_modules/ipistorm/data/traces'))).toContain(
      'ftrace-x2apic-cluster-20cpu.txt.gz',
    );
  });

  it('has three small dependencies without any of their own, and its wasm compiles', () => {
    const manifest = JSON.parse(
      readFileSync(join(empty, 'node_modules/ipistorm/package.json'), 'utf8'),
    );
    expect(Object.keys(manifest.dependencies)).toEqual(DEPENDENCIES);
    for (const name of DEPENDENCIES) {
      const theirs = readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8');
      expect(Object.keys(JSON.parse(theirs).dependencies ?? {}), name).toEqual([]);
    }
    writeFileSync(
      join(empty, 'wasm.mjs'),
      "import { readFileSync } from 'node:fs';\nimport { Machine } from 'ipistorm';\nconst file = new URL(import.meta.resolve('ipistorm/core.wasm'));\nconst module = new WebAssembly.Module(readFileSync(file));\nconsole.log(Machine.create({ cpus: 2, module }).config.cpus);\n",
    );
    expect(sh('node', 'wasm.mjs').trim()).toBe('2');
  });

  it('runs every example', () => {
    for (const name of readdirSync(join(root, 'examples')).filter((n) => n.endsWith('.mjs'))) {
      const text = readFileSync(join(root, 'examples', name), 'utf8');
      expect(text.split('\n').length, name).toBeLessThanOrEqual(31);
      writeFileSync(join(empty, name), text);
      expect(sh('node', name).length, name).toBeGreaterThan(0);
    }
  });
});

describe('the library entry', () => {
  it.each([
    ['index.js', /^\.\.?\//],
    ['timed-index.js', /^(\.\.?\/|valibot$|jsonc-parser$)/],
  ])('%s reaches no node: module', (entry, allowed) => {
    const seen = new Set<string>();
    const visit = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const [, spec] of readFileSync(file, 'utf8').matchAll(
        /^(?:import|export)[^;]*?from '([^']+)';|\bimport\(/gm,
      )) {
        expect(spec, file).toMatch(allowed);
        if (spec!.startsWith('.')) visit(join(file, '..', spec!));
      }
    };
    visit(join(root, 'dist/src', entry));
    expect(seen.size).toBeGreaterThan(8);
  });
});
