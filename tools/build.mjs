// Builds everything: layout fingerprint -> core.wasm -> embedded base64 -> dist/; data and jsonc-parser as modules.
// `--core` stops before tsc (enough for the tests, which run the sources).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
process.chdir(root);
mkdirSync('build', { recursive: true });

/** Write only when the content differs, so that watchers and caches stay quiet. */
function writeIfChanged(file, text) {
  let old = '';
  try {
    old = readFileSync(file, 'utf8');
  } catch {}
  if (old !== text) writeFileSync(file, text);
}

/** Files below a folder, sorted, without their ending: [name, text]. */
function texts(folder, ending) {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith(ending))
    .map((file) => [file.slice(0, -ending.length).replaceAll('\\', '/'), `${folder}/${file}`])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, path]) => [name, readFileSync(path, 'utf8').replace(/\r/g, '')]);
}

const banner = '// Written by tools/build.mjs; do not edit.\n';
const sources = ['memory/layout.ts', 'memory/codes.ts', 'timed/layout.ts', 'timed/codes.ts'];
const map = sources
  .map((f) => `assembly/${f}`)
  .map((f) => readFileSync(f, 'utf8'))
  .join('');
const fingerprint =
  createHash('sha256').update(map.replace(/\r/g, '')).digest().readUInt32LE() >>> 1;
writeIfChanged(
  'assembly/memory/fingerprint.ts',
  `${banner}export const LAYOUT_FINGERPRINT = ${fingerprint};\n`,
);

for (const target of process.argv.includes('--debug') ? ['release', 'debug'] : ['release']) {
  const { error, stderr } = await asc.main(['--config', 'asconfig.json', '--target', target]);
  if (error) {
    process.stderr.write(`${stderr.toString()}${error.message}\n`);
    process.exit(1);
  }
}
const shipped = {
  COSTS: Object.fromEntries(texts('data/costs', '.json')),
  SCENARIOS: Object.fromEntries(texts('data/scenarios', '.jsonc')),
};
writeIfChanged(
  'src/timed/shipped.ts',
  `${banner}${Object.entries(shipped)
    .map(
      ([name, value]) =>
        `export const ${name}: Readonly<Record<string, string>> = ${JSON.stringify(value, null, 2)};\n`,
    )
    .join('')}`,
);

/** jsonc-parser's reader as one module: its own imports name no files that a browser finds. */
async function jsoncParser() {
  const bundle = await rolldown({
    input: 'tools/jsonc.mjs',
    treeshake: { moduleSideEffects: false },
  });
  const { output } = await bundle.generate({ format: 'esm' });
  await bundle.close();
  const { version } = require('jsonc-parser/package.json');
  const licence = readFileSync(require.resolve('jsonc-parser/LICENSE.md'), 'utf8')
    .replace(/\r/g, '')
    .trim();
  return `${banner}// @ts-nocheck\n/*!\njsonc-parser ${version}\n\n${licence}\n*/\n${output[0].code}`;
}
writeIfChanged('src/timed/jsonc.ts', await jsoncParser());

const wasm = readFileSync('build/release.wasm').toString('base64');
writeIfChanged('src/core/embedded.ts', `${banner}export const WASM_BASE64 =\n  '${wasm}';\n`);

if (!process.argv.includes('--core')) {
  const tsc = require.resolve('typescript/package.json').replace('package.json', 'bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.json'], { stdio: 'inherit' });
  chmodSync('dist/src/cli/main.js', 0o755);
}
