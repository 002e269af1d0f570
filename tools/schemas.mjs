// Writes data/schemas/*.json from the schemas that check files at run time; --check only compares. Needs a build.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toJsonSchema } from '@valibot/to-json-schema';
import { COST_PARTS, CostSetSchema } from '../dist/src/timed/costs.js';
import { ScenarioSchema } from '../dist/src/timed/scenario.js';

const folder = fileURLToPath(new URL('../data/schemas', import.meta.url));
const SCHEMAS = {
  'costs.schema.json': {
    title: 'ipistorm cost set',
    description: 'How long things take on a machine, each number with its kind and source.',
    schema: CostSetSchema,
    definitions: COST_PARTS,
  },
  'scenario.schema.json': {
    title: 'ipistorm scenario',
    description: 'A machine, what its CPUs do, and what goes wrong.',
    schema: ScenarioSchema,
    definitions: {},
  },
};

mkdirSync(folder, { recursive: true });
for (const [name, { title, description, schema, definitions }] of Object.entries(SCHEMAS)) {
  const file = `${folder}/${name}`;
  const { $schema, ...body } = toJsonSchema(schema, {
    // Earlier drafts ignore what stands beside a $ref, such as a description.
    target: 'draft-2020-12',
    typeMode: 'input',
    errorMode: 'throw',
    definitions,
  });
  const json = { $schema, $id: name, title, description, ...body };
  const text = `${JSON.stringify(json, null, 2)}\n`;
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8').replaceAll('\r', '') !== text) {
    throw new Error(`${file} is not what the code checks; run npm run schemas`);
  }
}
