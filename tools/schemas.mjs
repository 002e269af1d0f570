// Writes data/schemas/*.json from the schemas that check files at run time; --check only compares. Needs a build.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toJsonSchema } from '@valibot/to-json-schema';
import { CostSetSchema } from '../dist/src/timed/costs.js';
import { ScenarioSchema } from '../dist/src/timed/scenario.js';

const folder = fileURLToPath(new URL('../data/schemas', import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries({ costs: CostSetSchema, scenario: ScenarioSchema })) {
  const file = `${folder}/${name}.schema.json`;
  const json = toJsonSchema(schema, { typeMode: 'input', errorMode: 'throw' });
  const text = `${JSON.stringify(json, null, 2)}\n`;
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8').replaceAll('\r', '') !== text) {
    throw new Error(`${file} is not what the code checks; run npm run schemas`);
  }
}
