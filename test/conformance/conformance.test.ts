// The conformance table: well-formed, what its generators say, and passed by core and reference.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MODEL_NAMES, type Model } from '../../src/core/models.js';
import { CoreHardware } from '../hardware/core.js';
import type { Hardware, HardwareConfig, Operation } from '../hardware/operations.js';
import { ReferenceHardware } from '../reference/hardware.js';

type Result = string | number;
interface Expected {
  results?: Result[];
  state?: object;
}
interface Case {
  id: string;
  title: string;
  source: string;
  config: Omit<HardwareConfig, 'model'>;
  given: Operation[];
  when: Operation[];
  then: Required<Expected>;
  models?: Partial<Record<Model, Expected>>;
  only?: Model[];
  except?: Model[];
}

const folder = new URL('../../conformance/cases/', import.meta.url);
const files = readdirSync(folder).sort();
const text = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
const cases = files.flatMap((name) => (JSON.parse(text(name)) as { cases: Case[] }).cases);

/** Fields of `expected` that `got` does not have: "path: got x, expected y". */
function mismatches(got: unknown, expected: unknown, path = ''): string[] {
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected)) {
    const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
    return a === b ? [] : [`${path}: got ${a}, expected ${b}`];
  }
  return Object.entries(expected).flatMap(([key, value]) =>
    mismatches(
      (got as Record<string, unknown> | undefined)?.[key],
      value,
      path ? `${path}.${key}` : key,
    ),
  );
}

/** A model's own expectation goes over the common one, field by field. */
function merged(base: object, over: object | undefined): object {
  const out: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over ?? {})) {
    const nested = typeof value === 'object' && value !== null && !Array.isArray(value);
    out[key] = nested ? merged((out[key] as object) ?? {}, value as object) : value;
  }
  return out;
}

function modelsOf({ only, except }: Case): Model[] {
  // The table has no column for kvm-split, which differs from kvm in six flags.
  const models = MODEL_NAMES.filter((model) => model !== 'kvm-split');
  return models.filter((model) => (only?.includes(model) ?? true) && !except?.includes(model));
}

function failures(test: Case, make: (config: HardwareConfig) => Hardware): string[] {
  return modelsOf(test).flatMap((model) => {
    const own = test.models?.[model];
    const hardware = make({ ...test.config, model });
    for (const operation of test.given) hardware.apply(operation);
    const results = test.when.map((operation) => hardware.apply(operation));
    const expected = own?.results ?? test.then.results;
    const wrong = [
      ...mismatches({ results }, { results: expected }),
      ...mismatches(hardware.state(), merged(test.then.state, own?.state)),
    ];
    return wrong.map((what) => `${test.id} [${model}] ${what}`);
  });
}

describe('the conformance table', () => {
  it('has several hundred cases with distinct ids and titles, each with a source', () => {
    expect(cases.length).toBeGreaterThan(350);
    expect(new Set(cases.map((c) => c.id)).size).toBe(cases.length);
    expect(new Set(cases.map((c) => c.title)).size).toBe(cases.length);
    for (const c of cases)
      expect(c.source, c.id).toMatch(/^(SDM|AMD|Linux|QEMU|KVM|82093AA|8259A|ICH)/);
  });

  it('is shaped as its schema says', () => {
    const schema = JSON.parse(readFileSync(new URL('../schema.json', folder), 'utf8'));
    const { properties, required } = schema.$defs.case;
    const operations = new Set<string>(schema.$defs.operation.properties.op.enum);
    for (const c of cases) {
      for (const name of required) expect(c, c.id).toHaveProperty(name);
      for (const name of Object.keys(c)) expect(Object.keys(properties), c.id).toContain(name);
      for (const { op } of [...c.given, ...c.when])
        expect(operations.has(op), `${c.id}: ${op}`).toBe(true);
      expect(c.then.results.length, c.id).toBe(c.when.length);
      for (const model of [
        ...Object.keys(c.models ?? {}),
        ...(c.only ?? []),
        ...(c.except ?? []),
      ]) {
        expect(MODEL_NAMES, c.id).toContain(model);
      }
    }
  });

  it('is what its generators write', async () => {
    const { tableFiles } = (await import(
      new URL('../../tools/conformance/write.mjs', import.meta.url).href
    )) as { tableFiles(): Map<string, string> };
    const written = tableFiles();
    expect([...written.keys()].sort()).toEqual(files);
    for (const [name, content] of written) expect(text(name) === content, name).toBe(true);
  });

  it.each(files)('%s: the core passes on every model', (name) => {
    const topic = JSON.parse(text(name)) as { cases: Case[] };
    expect(topic.cases.flatMap((c) => failures(c, (config) => new CoreHardware(config)))).toEqual(
      [],
    );
  });

  it.each(files)('%s: the reference model passes on every model', (name) => {
    const topic = JSON.parse(text(name)) as { cases: Case[] };
    expect(
      topic.cases.flatMap((c) => failures(c, (config) => new ReferenceHardware(config))),
    ).toEqual([]);
  });
});
