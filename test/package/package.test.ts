import { execFileSync, spawnSync } from 'node:child_process';
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

  it('carries jsonc-parser with its licence', () => {
    const theirs = join(root, 'node_modules/jsonc-parser');
    const bundled = readFileSync(
      join(empty, 'node_modules/ipistorm/dist/src/timed/jsonc.js'),
      'utf8',
    );
    const { version } = JSON.parse(readFileSync(join(theirs, 'package.json'), 'utf8'));
    expect(bundled).toContain(`jsonc-parser ${version}`);
    const licence = readFileSync(join(theirs, 'LICENSE.md'), 'utf8').replace(/\r/g, '').trim();
    expect(bundled).toContain(licence);
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

const USE = `import { type CreateOptions, Machine, type MachineConfig, type SnapshotCheck, UsageError } from 'ipistorm';
import { checkCosts, checkScenario, type CostSet, costSet, RecordedLoad, type Scenario, TimedRun, type Workload } from 'ipistorm/timed';
const options: CreateOptions = { cpus: 2, model: 'kvm' };
const machine: Machine = Machine.create(options);
const config: MachineConfig = machine.config;
const ids: readonly number[] = config.apicIds;
const check: SnapshotCheck = Machine.checkSnapshot(machine.snapshot());
const work: Workload = { cpus: 'all', do: 'send_IPI', targets: 'random', think_ns: 500 };
const scenario: Scenario = checkScenario({ name: 'a', summary: 'b', duration_ns: 1e6, workloads: [work] });
const base: CostSet = costSet('amd-epyc-x2apic');
const costs: CostSet = checkCosts({ ...base, costs: { ...base.costs, fence: { v: 55, kind: 'guess', src: 'x' } } });
const p99: number = new TimedRun(scenario, costs).run().latencies.delivery.summary().p99_ns;
export const all = [ids, check.error instanceof UsageError, p99, new RecordedLoad([])];
// @ts-expect-error misspelt
Machine.create({ modle: 'kvm' });
// @ts-expect-error misspelt
const wrong: Workload = { cpus: 'all', do: 'send_IPY' };
// @ts-expect-error frozen
config.cpus = 3;
export { wrong };
`;

describe('the types', () => {
  it.each([
    ['nodenext', { module: 'nodenext' }],
    ['a bundler', { module: 'esnext', moduleResolution: 'bundler' }],
  ])('compile without the DOM, Node or skipLibCheck, resolved as for %s', (_, how) => {
    const compilerOptions = {
      ...how,
      target: 'es2022',
      lib: ['es2022'],
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
    };
    writeFileSync(join(empty, 'use.mts'), USE);
    writeFileSync(
      join(empty, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['use.mts'] }),
    );
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const run = spawnSync(process.execPath, [tsc, '-p', empty], { encoding: 'utf8' });
    expect(run.stdout).toBe('');
    expect(run.status).toBe(0);
  });

  it('name nothing of valibot, whose types need the DOM, nor of jsonc-parser, which is not there', () => {
    const dist = join(empty, 'node_modules/ipistorm/dist/src');
    const types = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.d.ts'),
    );
    expect(types.length).toBeGreaterThan(30);
    for (const name of types)
      expect(readFileSync(join(dist, name), 'utf8')).not.toMatch(/valibot|jsonc-parser/);
  });
});

describe('the library entry', () => {
  it.each([
    ['index.js', /^\.\.?\//],
    ['timed-index.js', /^(\.\.?\/|valibot$)/],
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
