// Files for the tests of inputs: a folder that goes away, and every line of a source.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type InputOptions, type LineSource, openLines } from '../../src/input/lines.js';

export const scratch = mkdtempSync(join(tmpdir(), 'ipistorm-input-'));
afterAll(() => rmSync(scratch, { recursive: true }));

export function file(name: string, content: string | Uint8Array): string {
  const path = join(scratch, name);
  writeFileSync(path, content);
  return path;
}

export interface Read {
  lines: string[];
  source: LineSource;
  error: Error | undefined;
}

/** Everything that is readable, and the error after it. */
export async function readAll(
  path: string,
  options: InputOptions = { unpack: true },
): Promise<Read> {
  const lines: string[] = [];
  const source = openLines(path, options);
  try {
    for await (const batch of source.lines) for (const line of batch) lines.push(line);
  } catch (error) {
    return { lines, source, error: error as Error };
  }
  return { lines, source, error: undefined };
}

/** What a path is refused with. */
export async function refusalOf(path: string, options?: InputOptions): Promise<Error> {
  try {
    const { error } = await readAll(path, options);
    if (error) return error;
  } catch (error) {
    return error as Error;
  }
  throw new Error(`${path} was read`);
}
