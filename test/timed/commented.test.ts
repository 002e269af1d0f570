// Commented JSON: what jsonc-parser takes, less what is twice, open or too much; errors name the place.
import fc from 'fast-check';
import { type ParseError, parse } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';
import { parseCommented } from '../../src/timed/commented.js';

describe('taken', () => {
  it.each([
    [
      '{ "a": "// no", /* b */ "c": [1, 2,], // d\n "e": "\\"/*", }',
      { a: '// no', c: [1, 2], e: '"/*' },
    ],
    ['\ufeff[]', []],
    [' /* a */ // b\r\n null // c', null],
    ['/**/{/***/}/* // */', {}],
    ['[-0.5e+3, 0, 1E2, "\\u00e4\\ud83d\\ude00"]', [-500, 0, 100, 'ä😀']],
    ['// a\r{"a": 1}\r', { a: 1 }],
    ['{"a":[{},[],{"b":[]}]}', { a: [{}, [], { b: [] }] }],
    [`[1, // ${'why '.repeat(20_000)}\n]`, [1]],
    [`[1 /*${'*'.repeat(100_000)}*/]`, [1]],
  ])('%.40s', (text, value) => {
    expect(parseCommented(text)).toEqual(value);
  });
});

describe('refused, with line and column', () => {
  it.each([
    ['', /line 1, column 1: got the end of the text, allowed a value/],
    [
      '{\n "a": 1,\n "b": [1, 2\n',
      /line 4, column 1: .*a comma, or \], which ends the \[ of line 3, column 7/,
    ],
    [
      '{ "a": 1 } /* open',
      /line 1, column 12: got "\/\* open", allowed a comment that ends: there is no \*\//,
    ],
    [
      '{"a": 1,\n "b": 2,\n "a": 3}',
      /line 3, column 2: got the field "a" again, allowed each field once \(it is in line 1, column 2/,
    ],
    ['{"a": 1, "\\u0061": 2}', /the field "a" again/],
    ['{"__proto__": {}}', /got a field "__proto__", allowed fields of the schema/],
    ['{"a": {"constructor": 1}}', /column 8: got a field "constructor"/],
    ['{"a": NaN}', /column 7: got "NaN\}", allowed a value/],
    ['[-Infinity]', /column 2: got "-Infinity\]"/],
    ['[1e-400]', /column 2: got "1e-400\]", allowed 0 or a number above 5e-324/],
    ['[1e999]', /column 2: got "1e999\]", allowed a number below 1\.8e308/],
    ['[01]', /a number as JSON writes it/],
    ['[1.]', /a number as JSON writes it/],
    ['[0x10]', /a number as JSON writes it/],
    ['[+1]', /allowed a value/],
    ["{'a': 1}", /the name of a field, in double quotes/],
    ['{a: 1}', /the name of a field, in double quotes/],
    ['{"a" 1}', /a colon after the name/],
    ['{"a": 1 "b": 2}', /column 9: .*a comma, or \}, which ends the \{ of line 1, column 1/],
    ['{"a": 1', /column 8: got the end of the text, allowed a comma, or \}, which ends the \{/],
    ['{"a":', /column 6: got the end of the text, allowed a value/],
    ['{', /column 2: got the end of the text, allowed the name of a field/],
    ['{,}', /column 2: .*the name of a field/],
    ['{"a": 1}\r\n\r}', /line 3, column 1: got "\}", allowed nothing after the value$/],
    ['/* a\n\n */ x', /line 3, column 5: got "x", allowed a value.*; its line: " \*\/ x"/],
    ['{"a": 1,, }', /column 9: .*the name of a field/],
    ['[,]', /allowed a value/],
    ['[1}', /a comma, or \]/],
    ['{} {}', /column 4: .*nothing after the value/],
    ['"a\nb"', /text that ends with a double quote on its line/],
    ['"a\tb"', /column 3: got "\\tb\\"", allowed text without control characters/],
    ['"\\x"', /escapes that JSON has/],
    ['truth', /allowed a value/],
    [`${'['.repeat(1e6)}`, /column 65: .*at most 64 levels/],
    [`${'{"a":'.repeat(1e6)}`, /at most 64 levels/],
    ['x'.repeat(17 * 2 ** 20), /got 17825792 characters, allowed 16777216/],
  ])('%.40s', (text, message) => {
    expect(() => parseCommented(text)).toThrow(message);
    expect(() => parseCommented(text, 'FILE.jsonc')).toThrow(/^FILE\.jsonc/);
  });

  it('the error is one line, however long the text is', () => {
    try {
      parseCommented(`{"a": ${'\x1b[31m'.repeat(1000)}`);
    } catch (error) {
      expect((error as Error).name).toBe('UsageError');
      expect((error as Error).message).toMatch(/^[\x20-\x7e]{0,600}$/);
    }
  });
});

// The bundled module and what is built of its events, against the package's own parse() and JSON.parse().
describe('agrees with other parsers', () => {
  const accepted = (text: string): { value: unknown } | undefined => {
    const errors: ParseError[] = [];
    const value = parse(text, errors, { allowTrailingComma: true });
    return errors.length === 0 ? { value } : undefined;
  };
  const own = (text: string): { value: unknown } | undefined => {
    try {
      return { value: parseCommented(text) };
    } catch (error) {
      expect((error as Error).name).toBe('UsageError');
      return undefined;
    }
  };

  it('on every JSON', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        const value = JSON.parse(text);
        expect(own(text)?.value ?? null).toEqual(value ?? null);
      }),
      { seed: 1, numRuns: 500, examples: [['{"a":{"b":[1,{}]}}']] },
    );
  });

  it('on any sequence of its tokens', () => {
    const token = fc.constantFrom(
      ...['{', '}', '[', ']', ',', ':', '"a"', '"b"', '"\\n"', '1', '-2.5', '1e3', 'true', 'null'],
      ...[' ', '\n', '\r\n', '// c\n', '/* d */', '/* e', '/', 'x', '"', '\\', '0', '.'],
    );
    let both = 0;
    fc.assert(
      fc.property(fc.array(token, { maxLength: 9 }), (tokens) => {
        const text = tokens.join('');
        const theirs = accepted(text);
        const ours = own(text);
        if (ours) both++;
        // They let fields come twice.
        const twice = /"a".*"a"|"b".*"b"|"\\n".*"\\n"/s.test(text);
        if (!twice) expect(ours).toEqual(theirs);
      }),
      { seed: 2, numRuns: 30_000 },
    );
    expect(both).toBeGreaterThan(300);
  });

  it('in linear time', () => {
    const fields = Array.from({ length: 100_000 }, (_, i) => `"k${i}": ${i}, /* c */`).join('\n');
    const start = Date.now();
    expect(Object.keys(parseCommented(`{${fields}}`) as object)).toHaveLength(100_000);
    expect(Date.now() - start).toBeLessThan(5000);
  });
});
