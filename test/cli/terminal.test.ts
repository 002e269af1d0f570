// What a terminal is shown: lines that fit, and no control characters where they would be seen.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Terminal } from '../../src/cli/terminal.js';

afterEach(() => vi.unstubAllEnvs());

function shown(columns: number, work: (terminal: Terminal) => void): string {
  let text = '';
  const write = (piece: string) => (text += piece);
  const stream = { isTTY: true, columns, write } as unknown as NodeJS.WriteStream;
  work(new Terminal(stream, stream));
  return text;
}

describe('the progress line', () => {
  const progress = (columns: number) =>
    shown(columns, (terminal) => terminal.progress(0.5, `a long text \x1b[31m${'x'.repeat(200)}`));

  it.each([1, 10, 40, 80, 200])('fits into %i columns', (columns) => {
    vi.stubEnv('TERM', 'xterm');
    const [, ...rest] = progress(columns).split('\r\x1b[K');
    expect(rest).toHaveLength(1);
    expect(rest[0]!.length).toBeLessThan(columns);
    expect(rest[0]).not.toContain('\x1b');
  });

  it('of a terminal that says it has 0 columns', () => {
    vi.stubEnv('TERM', 'xterm');
    expect(progress(0)).toContain('50 %  a long text');
  });

  it('is not shown on a dumb terminal, nor is colour', () => {
    vi.stubEnv('TERM', 'dumb');
    expect(progress(80)).toBe('');
    expect(shown(80, (terminal) => terminal.title('title'))).toBe('title\n');
  });
});

it('NO_COLOR turns colour off, an empty one does not', () => {
  vi.stubEnv('TERM', 'xterm');
  vi.stubEnv('NO_COLOR', '1');
  expect(shown(80, (terminal) => terminal.title('title'))).toBe('title\n');
  vi.stubEnv('NO_COLOR', '');
  expect(shown(80, (terminal) => terminal.title('title'))).toContain('\x1b[1m');
});
