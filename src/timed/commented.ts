// JSON with comments and trailing commas, as scenarios and cost sets are written: strict in all else, errors with line
// and column. By hand, because no parser that does this is a module that browsers load as it is; a test compares with one.
import { UsageError, usage } from '../core/errors.js';

const LENGTH_MAX = 16 * 2 ** 20;
/** Files of ours are six levels deep. */
const DEPTH_MAX = 64;
const EXCERPT = 60;
const VALUE = 'a value: text in double quotes, a number, true, false, null, { or [';

const BLANK = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z]+/y;
/** Of text in quotes, what needs no look at it. */
const ORDINARY = /[^"\\\x00-\x1f]*/y;
const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

interface Open {
  value: unknown[] | Record<string, unknown>;
  close: '}' | ']';
  at: number;
  /** Where each field begins, and the one whose value comes. */
  fields: Map<string, number>;
  field: string;
}

class Parser {
  readonly #text: string;
  readonly #what: string;
  readonly #open: Open[] = [];
  #at = 0;
  #root: unknown;

  constructor(text: string, what: string) {
    this.#text = text;
    this.#what = what;
  }

  /** An error at `offset`: what stands there, or `got`. */
  #error(offset: number, allowed: string, got?: string): UsageError {
    const start = offset === 0 ? 0 : this.#text.lastIndexOf('\n', offset - 1) + 1;
    const ended = offset >= this.#text.length;
    const found = got ?? (ended ? 'the end of the text' : JSON.stringify(this.#shown(offset)));
    const told = offset === start && got === undefined;
    const line = told ? '' : `; its line: ${JSON.stringify(this.#shown(start))}`;
    return new UsageError(
      `${this.#what} ${this.#place(offset)}: got ${found}, allowed ${allowed}${line}`,
    );
  }

  /** The rest of a line, in short. */
  #shown(from: number): string {
    return this.#text.slice(from, from + EXCERPT).split(/[\r\n]/)[0]!;
  }

  #place(offset: number): string {
    let line = 1;
    let start = 0;
    for (let at = this.#text.indexOf('\n'); at >= 0 && at < offset; ) {
      line++;
      start = at + 1;
      at = this.#text.indexOf('\n', start);
    }
    return `line ${line}, column ${offset - start + 1}`;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  /** Blanks and comments. */
  #skip(): void {
    for (;;) {
      this.#match(BLANK);
      const [first, second] = [this.#text[this.#at], this.#text[this.#at + 1]];
      if (first !== '/' || (second !== '/' && second !== '*')) return;
      const end = second === '/' ? '\n' : '*/';
      const found = this.#text.indexOf(end, this.#at + 2);
      if (found < 0 && second === '*')
        throw this.#error(this.#at, 'a comment that ends: there is no */');
      this.#at = found < 0 ? this.#text.length : found + end.length;
    }
  }

  #string(): string {
    const start = this.#at++;
    for (;;) {
      this.#match(ORDINARY);
      const char = this.#text[this.#at];
      if (char === '"') break;
      if (char === '\\') this.#at += 2;
      else if (char === undefined || char === '\n' || char === '\r')
        throw this.#error(start, 'text that ends with a double quote on its line');
      else throw this.#error(this.#at, 'text without control characters; \\u0009 is a tab');
    }
    this.#at++;
    try {
      return JSON.parse(this.#text.slice(start, this.#at));
    } catch {
      throw this.#error(start, 'escapes that JSON has: \\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0000');
    }
  }

  #scalar(): unknown {
    const start = this.#at;
    if (this.#text[start] === '"') return this.#string();
    const word = this.#match(WORD);
    if (WORDS.has(word)) return WORDS.get(word);
    const number = word === '' ? this.#match(NUMBER) : '';
    if (number === '') throw this.#error(start, VALUE);
    if (/^[\w.+]/.test(this.#text.slice(this.#at, this.#at + 1)))
      throw this.#error(start, 'a number as JSON writes it');
    const value = Number(number);
    if (!Number.isFinite(value)) throw this.#error(start, 'a number below 1.8e308');
    return value;
  }

  #put(value: unknown): void {
    const top = this.#open.at(-1);
    if (!top) this.#root = value;
    else if (Array.isArray(top.value)) top.value.push(value);
    else top.value[top.field] = value;
  }

  #begin(): void {
    const array = this.#text[this.#at] === '[';
    const value = array ? [] : {};
    if (this.#open.length === DEPTH_MAX) {
      throw this.#error(this.#at, `at most ${DEPTH_MAX} levels`);
    }
    this.#put(value);
    const close = array ? ']' : '}';
    this.#open.push({ value, close, at: this.#at++, fields: new Map(), field: '' });
  }

  /** The name of the field that comes, and its colon. */
  #name(top: Open): void {
    const start = this.#at;
    if (this.#text[start] !== '"')
      throw this.#error(start, 'the name of a field, in double quotes');
    const name = this.#string();
    const before = top.fields.get(name);
    if (before !== undefined) {
      const allowed = `each field once (it is in ${this.#place(before)} already)`;
      throw this.#error(start, allowed, `the field ${JSON.stringify(name)} again`);
    }
    if (name in Object.prototype)
      throw this.#error(start, 'fields of the schema', `a field ${JSON.stringify(name)}`);
    top.fields.set(name, start);
    top.field = name;
    this.#skip();
    if (this.#text[this.#at] !== ':')
      throw this.#error(this.#at, 'a colon after the name of a field');
    this.#at++;
  }

  /** Whether what is open on top ends here. */
  #ends(top: Open): boolean {
    this.#skip();
    if (this.#text[this.#at] !== top.close) return false;
    this.#at++;
    this.#open.pop();
    return true;
  }

  /** Before the first value of what was just opened: whether there is one. */
  #enters(): boolean {
    const top = this.#open.at(-1)!;
    if (this.#ends(top)) return false;
    if (top.close === '}') this.#name(top);
    return true;
  }

  /** After a value, up to the next one: whether there is one. */
  #goesOn(): boolean {
    for (let top = this.#open.at(-1); top; top = this.#open.at(-1)) {
      if (this.#ends(top)) continue;
      if (this.#text[this.#at] !== ',') {
        const opened = `the ${top.close === '}' ? '{' : '['} of ${this.#place(top.at)}`;
        throw this.#error(this.#at, `a comma, or ${top.close}, which ends ${opened}`);
      }
      this.#at++;
      if (this.#ends(top)) continue;
      if (top.close === '}') this.#name(top);
      return true;
    }
    return false;
  }

  parse(): unknown {
    for (let more = true; more; ) {
      this.#skip();
      const char = this.#text[this.#at];
      if (char === '{' || char === '[') {
        this.#begin();
        if (this.#enters()) continue;
      } else this.#put(this.#scalar());
      more = this.#goesOn();
    }
    this.#skip();
    if (this.#at < this.#text.length) throw this.#error(this.#at, 'nothing after the value');
    return this.#root;
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
  return new Parser(plain, what).parse();
}
