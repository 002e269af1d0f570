// node test/equal/record.mjs [PACKAGE_FOLDER]: writes the figures of a built package as baseline.json.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { figures } from './figures.mjs';

const folder = resolve(process.argv[2] ?? '.');
const { exports } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
const load = (entry) => import(pathToFileURL(resolve(folder, exports[entry].default)).href);
const baseline = Object.fromEntries(
  figures(await load('.'), await load('./timed'), { wide: true }),
);
writeFileSync(new URL('baseline.json', import.meta.url), `${JSON.stringify(baseline, null, 1)}\n`);
