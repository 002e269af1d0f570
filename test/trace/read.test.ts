import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openTrace } from '../../src/trace/read.js';

describe('reading', () => {
  it('streams multi-member gzip, and cuts a line without end instead of keeping it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ipistorm-trace-'));
    const file = join(folder, 'two.gz');
    writeFileSync(file, Buffer.concat([gzipSync('a\nb'), gzipSync(`b\n${'z'.repeat(5e6)}\nlast`)]));
    const lines: string[] = [];
    for await (const batch of openTrace(file).lines) lines.push(...batch);
    rmSync(folder, { recursive: true });
    expect(lines.map((line) => line.slice(0, 4))).toEqual(['a', 'bb', 'zzzz', 'last']);
    expect(lines[2]!.length).toBeLessThan(3e6);
  });
});
