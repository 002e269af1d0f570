// Runs the commands that the documents show and writes their output below them; `--check` only
// compares. A block of ```console (or plain ```) whose `$` lines all begin with `npx ipistorm` or
// `node ` is run, by sh, from the top folder; lines that begin with "wall clock:" are left out.
// `<!-- slow -->` above a block: it takes more than a second, and its test is among the slow ones.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const CLI = 'npx() { shift; node dist/src/cli/main.js "$@"; }';
const SKIPPED = new Set(['node_modules', 'dist', 'build', '.git', 'coverage']);
const COMMAND = /^\$ (?:npx ipistorm\b|node )/;

/** Markdown files, with their path from the top folder. */
export function documents(folder = '') {
  return readdirSync(root + folder, { withFileTypes: true })
    .filter(({ name }) => !SKIPPED.has(name))
    .flatMap((entry) => {
      const path = folder + entry.name;
      if (entry.isDirectory()) return documents(`${path}/`);
      return entry.name.endsWith('.md') ? [path] : [];
    })
    .sort();
}

/** The blocks of `file` that can be run: where they are (from line 0), and what they show. */
export function blocks(file, text = readFileSync(root + file, 'utf8')) {
  const lines = text.split('\n');
  const found = [];
  for (let i = 0; i < lines.length; i++) {
    const fence = /^```(\w*)$/.exec(lines[i]);
    if (!fence) continue;
    const begin = i + 1;
    for (i = begin; i < lines.length && lines[i] !== '```'; ) i++;
    const shown = lines.slice(begin, i);
    const commands = shown.filter((line) => line.startsWith('$ '));
    if (fence[1] !== '' && fence[1] !== 'console') continue;
    if (commands.length === 0 || !commands.every((line) => COMMAND.test(line))) continue;
    found.push({ file, begin, shown, slow: lines[begin - 2] === '<!-- slow -->' });
  }
  return found;
}

/** What one command prints, line by line; its exit code when that isn't 0. */
function run(command) {
  if (/[^>&]>[^&]/.test(command)) throw new Error(`${command}: writes a file; show it without $`);
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `${CLI}\n${command}`], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    maxBuffer: 1 << 28,
  });
  const lines = (stdout + stderr).split('\n').filter((line) => !line.startsWith('wall clock:'));
  while (lines.at(-1) === '') lines.pop();
  return status === 0 ? lines : [...lines, `exit code ${status}`];
}

/** What the block would show today. */
export function today({ shown }) {
  return shown
    .filter((line) => line.startsWith('$ '))
    .flatMap((line) => [line, ...run(line.slice(2))]);
}

/** The first line that differs, in words; undefined when none does. */
export function difference(block, now = today(block)) {
  const { file, begin, shown } = block;
  const length = Math.max(shown.length, now.length);
  const at = Array.from({ length }, (_, i) => i).find((i) => shown[i] !== now[i]);
  if (at === undefined) return undefined;
  const say = (line) => (line === undefined ? 'the end of the block' : `"${line}"`);
  return `${file}:${begin + at + 1}: shows ${say(shown[at])}, prints ${say(now[at])}; npm run docs`;
}

function refresh(file) {
  let text = readFileSync(root + file, 'utf8');
  const changed = [];
  for (const block of blocks(file, text).reverse()) {
    const now = today(block);
    const differs = difference(block, now);
    if (differs === undefined) continue;
    changed.unshift(differs);
    const lines = text.split('\n');
    lines.splice(block.begin, block.shown.length, ...now);
    text = lines.join('\n');
  }
  return { text, changed };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv.includes('--check');
  let count = 0;
  for (const file of documents()) {
    const { text, changed } = refresh(file);
    for (const line of changed) console.log(line);
    count += changed.length;
    if (!check && changed.length > 0) writeFileSync(root + file, text);
  }
  console.log(`${count} blocks ${check ? 'differ' : 'written'}`);
  if (check && count > 0) process.exitCode = 1;
}
