// Writes schema/*.json from the schemas that check files at run time. Needs a build.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toJsonSchema } from '@valibot/to-json-schema';
import { CostSetSchema } from '../dist/src/timed/costs.js';
import { ScenarioSchema } from '../dist/src/timed/scenario.js';

const folder = fileURLToPath(new URL('../schema', import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries({ costs: CostSetSchema, scenario: ScenarioSchema })) {
  const json = toJsonSchema(schema, { typeMode: 'input', errorMode: 'throw' });
  writeFileSync(`${folder}/${name}.schema.json`, `${JSON.stringify(json, null, 2)}\n`);
}
