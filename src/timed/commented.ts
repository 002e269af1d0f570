// JSON with comments and trailing commas, as scenarios and cost sets are written, read by jsonc-parser. That goes on after
// errors; here the first one ends it, with line and column. Refused, though jsonc-parser lets them pass: fields given twice
// or inherited, numbers that a double does not hold, and any depth.
import type { JSONVisitor } from 'jsonc-parser';
import { UsageError, usage } from '../core/errors.js';
import { printParseErrorCode, visit } from './jsonc.js';

const LENGTH_MAX = 16 * 2 ** 20;
/** Files of ours are six levels deep. */
const DEPTH_MAX = 64;
const EXCERPT = 60;

const ESCAPES = 'escapes that JSON has: \\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0000';
const NUMBER = 'a number as JSON writes it';
/** Errors of a token, by their names in jsonc-parser. All others: something else was expected. */
const TOKEN_ERRORS: Readonly<Record<string, string>> = {
  UnexpectedEndOfComment: 'a comment that ends: there is no */',
  UnexpectedEndOfString: 'text that ends with a double quote on its line',
  UnexpectedEndOfNumber: NUMBER,
  InvalidUnicode: ESCAPES,
  InvalidEscapeCharacter: ESCAPES,
};

const EXPECTED = {
  value: 'a value: text in double quotes, a number, true, false, null, { or [',
  name: 'the name of a field, in double quotes',
  colon: 'a colon after the name of a field',
};

interface Place {
  offset: number;
  /** Both from 0, as jsonc-parser counts. */
  line: number;
  column: number;
}

interface Open {
  value: unknown[] | Record<string, unknown>;
  close: '}' | ']';
  at: Place;
  /** Where each field begins, and the one whose value comes. */
  fields: Map<string, Place>;
  field: string;
}

const shownPlace = ({ line, column }: Place) => `line ${line + 1}, column ${column + 1}`;

class Builder {
  readonly #text: string;
  readonly #what: string;
  readonly #open: Open[] = [];
  /** What comes next; rest: a comma or an end. */
  #next: keyof typeof EXPECTED | 'rest' = 'value';
  #root: unknown;

  readonly #visitor: JSONVisitor = {
    onObjectBegin: (offset, _, line, column) => this.#begin({}, '}', { offset, line, column }),
    onArrayBegin: (offset, _, line, column) => this.#begin([], ']', { offset, line, column }),
    onObjectProperty: (name, offset, _, line, column) => this.#name(name, { offset, line, column }),
    onLiteralValue: (value, offset, length, line, column) => {
      if (typeof value === 'number') this.#checkNumber(value, length, { offset, line, column });
      this.#put(value);
      this.#next = 'rest';
    },
    onSeparator: (character) => {
      this.#next = character === ',' && this.#open.at(-1)?.close === '}' ? 'name' : 'value';
    },
    onObjectEnd: (_, length) => this.#end(length),
    onArrayEnd: (_, length) => this.#end(length),
    onError: (code, offset, _, line, column) => {
      throw this.#unexpected(printParseErrorCode(code), { offset, line, column });
    },
  };

  constructor(text: string, what: string) {
    this.#text = text;
    this.#what = what;
  }

  parse(): unknown {
    visit(this.#text, this.#visitor, { allowTrailingComma: true });
    return this.#root;
  }

  /** An error at a place: what stands there, or `got`. */
  #error(at: Place, allowed: string, got?: string): UsageError {
    const ended = at.offset >= this.#text.length;
    const found = got ?? (ended ? 'the end of the text' : JSON.stringify(this.#shown(at.offset)));
    const told = at.column === 0 && got === undefined;
    const start = at.offset - at.column;
    const line = told ? '' : `; its line: ${JSON.stringify(this.#shown(start))}`;
    return new UsageError(
      `${this.#what} ${shownPlace(at)}: got ${found}, allowed ${allowed}${line}`,
    );
  }

  /** The rest of a line, in short. */
  #shown(from: number): string {
    return this.#text.slice(from, from + EXCERPT).split(/[\r\n]/)[0]!;
  }

  #unexpected(error: string, at: Place): UsageError {
    if (error === 'InvalidCharacter') {
      const skipped = this.#text.slice(at.offset).search(/[\x00-\x1f]/);
      const there = { ...at, offset: at.offset + skipped, column: at.column + skipped };
      return this.#error(there, 'text without control characters; \\u0009 is a tab');
    }
    return this.#error(at, TOKEN_ERRORS[error] ?? this.#expected());
  }

  #expected(): string {
    if (this.#next !== 'rest') return EXPECTED[this.#next];
    const top = this.#open.at(-1);
    if (!top) return 'nothing after the value';
    const opened = `the ${top.close === '}' ? '{' : '['} of ${shownPlace(top.at)}`;
    return `a comma, or ${top.close}, which ends ${opened}`;
  }

  #checkNumber(value: number, length: number, at: Place): void {
    // To jsonc-parser 01 is two numbers.
    if (/[\w.+]/.test(this.#text.charAt(at.offset + length))) throw this.#error(at, NUMBER);
    if (!Number.isFinite(value)) throw this.#error(at, 'a number below 1.8e308');
    const digits = this.#text.slice(at.offset, at.offset + length).split(/e/i)[0]!;
    if (value === 0 && /[1-9]/.test(digits)) throw this.#error(at, '0 or a number above 5e-324');
  }

  #put(value: unknown): void {
    const top = this.#open.at(-1);
    if (!top) this.#root = value;
    else if (Array.isArray(top.value)) top.value.push(value);
    else top.value[top.field] = value;
  }

  #begin(value: Open['value'], close: Open['close'], at: Place): void {
    // jsonc-parser calls itself for each level.
    if (this.#open.length === DEPTH_MAX) throw this.#error(at, `at most ${DEPTH_MAX} levels`);
    this.#put(value);
    this.#open.push({ value, close, at, fields: new Map(), field: '' });
    this.#next = close === '}' ? 'name' : 'value';
  }

  #name(name: string, at: Place): void {
    const top = this.#open.at(-1)!;
    const before = top.fields.get(name);
    if (before) {
      const allowed = `each field once (it is in ${shownPlace(before)} already)`;
      throw this.#error(at, allowed, `the field ${JSON.stringify(name)} again`);
    }
    if (name in Object.prototype)
      throw this.#error(at, 'fields of the schema', `a field ${JSON.stringify(name)}`);
    top.fields.set(name, at);
    top.field = name;
    this.#next = 'colon';
  }

  /** @param length of what ends it; 0: the text ended first, and that error comes next */
  #end(length: number): void {
    if (length === 0) return;
    this.#open.pop();
    this.#next = 'rest';
  }
}

/**
 * JSON with // and block comments and trailing commas.
 * @param what named in errors, such as a file
 * @throws UsageError with line and column
 */
export function parseCommented(text: string, what = 'JSON'): unknown {
  if (typeof what !== 'string') throw usage('what', what, 'a name for its errors');
  if (typeof text !== 'string') throw usage('text', text, 'a string of JSON with comments');
  const plain = text.startsWith('\ufeff') ? text.slice(1) : text;
  if (plain.length > LENGTH_MAX) {
    throw new UsageError(`${what}: got ${plain.length} characters, allowed ${LENGTH_MAX}`);
  }
  return new Builder(plain, what).parse();
}
