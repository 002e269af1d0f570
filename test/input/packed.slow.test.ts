// A file that unfolds to more than there could be to say.
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { file, readAll } from './files.js';

const has = (tool: string) => spawnSync(tool, ['--version']).status === 0;

it.each(['zstd', 'xz'].filter(has))('%s: stopped after a gigabyte', async (tool) => {
  const script = `head -c 1500000000 /dev/zero | ${tool} -q -1 -c`;
  const { stdout } = spawnSync('sh', ['-c', script], { maxBuffer: 1e8 });
  const { error, lines } = await readAll(file('bomb', stdout));
  expect(error?.message).toMatch(/unfold to more than 1 GiB and 400 times their size/);
  expect(lines).toEqual([]);
});
