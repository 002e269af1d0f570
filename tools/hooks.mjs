// npm run hooks [-- --remove]: a pre-commit check of lint, types and the fast tests of what changed.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MARK = "# Written by ipistorm's tools/hooks.mjs";
const HOOK = `#!/bin/sh
${MARK}; "npm run hooks -- --remove" takes it away.
set -e
npm run --silent lint
npm run --silent check
npx vitest run --project fast --changed --passWithNoTests
`;

function fail(text) {
  console.error(text);
  process.exit(1);
}

const [option, ...rest] = process.argv.slice(2);
if ((option !== undefined && option !== '--remove') || rest.length > 0)
  fail(`hooks: got "${process.argv.slice(2).join(' ')}", allowed nothing or --remove`);

// Knows core.hooksPath and worktrees.
const folder = execFileSync('git', ['rev-parse', '--git-path', 'hooks'], { encoding: 'utf8' });
const file = join(folder.trimEnd(), 'pre-commit');
const present = existsSync(file);
if (present && !readFileSync(file, 'utf8').includes(MARK))
  fail(`${file}: got a hook of somebody else, allowed none or our own; nothing was changed`);

if (option === '--remove') {
  rmSync(file, { force: true });
  console.log(present ? `${file}: removed` : `${file}: there was none`);
} else {
  mkdirSync(folder.trimEnd(), { recursive: true });
  writeFileSync(file, HOOK, { mode: 0o755 });
  console.log(`${file}: lint, types and the fast tests of what changed run before each commit`);
}
