// Verifies one recording: recognises its kind, replays it, returns the books.
import { UsageError } from '../core/errors.js';
import type { Model } from '../core/models.js';
import { openLines } from '../input/lines.js';
import { shownName } from '../input/path.js';
import { KvmTranscript } from './kvm-transcript.js';
import { LapicLog } from './lapic-log.js';
import { DamagedLine, type Kind, Ledger, NATURAL_MODEL, type Verifier } from './recording.js';

export interface Verified {
  file: string;
  kind: Kind;
  model: Model;
  lines: number;
  ledger: Ledger;
}

/** Lines and characters of a log that may come before anything that tells its kind. */
const PREAMBLE = 1_000_000;
const PREAMBLE_CHARS = 2 ** 26;

function kindOf(line: string): Kind | undefined {
  if (/^Z \d{1,10} id [0-9a-f]{1,16} base /.test(line)) return 'lapic-log';
  return /^N [0-9a-f]{1,16} -> /.test(line) ? 'kvm-transcript' : undefined;
}

function verifierOf(kind: Kind, ledger: Ledger, model: Model): Verifier {
  return kind === 'lapic-log' ? new LapicLog(ledger, model) : new KvmTranscript(ledger, model);
}

/**
 * @param model default: that of the recording's kind
 * @param progress called now and then with the share read, 0 where nobody knows, and the bytes; returning false stops
 * @param note told what a reader should know of the file
 * @throws UsageError naming file and line for damaged lines and files that are no recording;
 * ReadError for files that cannot be read
 */
export async function verifyFile(
  file: string,
  model: Model | undefined,
  progress: (share: number, bytes: number) => boolean,
  note?: (text: string) => void,
): Promise<Verified> {
  const source = openLines(file, { unpack: true, ...(note && { note }) });
  const reading = new Reading(file, model);
  for await (const lines of source.lines) {
    for (const line of lines) if (!reading.add(line)) break;
    const share = source.bytesTotal > 0 ? source.bytesRead() / source.bytesTotal : 0;
    if (!progress(share, source.bytesRead()) || reading.isHopeless) break;
  }
  return reading.finish();
}

/** A file on its way: lines wait until one tells its kind. */
class Reading {
  readonly #file: string;
  readonly #model: Model | undefined;
  readonly #ledger: Ledger;
  #waiting: string[] = [];
  #chars = 0;
  #kind: Kind | undefined;
  #verifier: Verifier | undefined;

  constructor(file: string, model: Model | undefined) {
    this.#file = file;
    this.#model = model;
    this.#ledger = new Ledger(file);
  }

  get #used(): Model {
    return this.#model ?? NATURAL_MODEL[this.#kind!];
  }

  /** So much has come, and nothing that tells the kind. */
  get isHopeless(): boolean {
    const long = this.#waiting.length >= PREAMBLE || this.#chars > PREAMBLE_CHARS;
    return !this.#verifier && long;
  }

  /** False: no more lines are of use. */
  add(line: string): boolean {
    if (this.#verifier) {
      this.#feed(this.#verifier, line);
      return true;
    }
    this.#waiting.push(line);
    this.#chars += line.length;
    this.#kind = kindOf(line);
    if (!this.#kind) return !this.isHopeless;
    this.#verifier = verifierOf(this.#kind, this.#ledger, this.#used);
    for (const early of this.#waiting.splice(0)) this.#feed(this.#verifier, early);
    return true;
  }

  #feed(verifier: Verifier, line: string): void {
    this.#ledger.line++;
    this.#ledger.text = line;
    try {
      verifier.add(line);
    } catch (error) {
      throw this.#named(error);
    }
  }

  /** What the machine refuses is the line's fault. */
  #named(error: unknown): unknown {
    const unnamed = error instanceof UsageError && !(error instanceof DamagedLine);
    return unnamed ? this.#ledger.damaged(`what a machine takes (${error.message})`) : error;
  }

  finish(): Verified {
    const first = this.#waiting.find((line) => line.trim() !== '') ?? '';
    if (!this.#verifier || !this.#kind) throw unknown(this.#file, first);
    this.#verifier.finish();
    return {
      file: this.#file,
      kind: this.#kind,
      model: this.#used,
      lines: this.#ledger.line,
      ledger: this.#ledger,
    };
  }
}

function unknown(file: string, first: string): UsageError {
  return new UsageError(
    `${shownName(file)}: got ${JSON.stringify(first.slice(0, 60))}, allowed a local-APIC log (with lines "Z cpu id I base B") or a KVM transcript (with a line "N cpus -> ..."), plain or packed; see npx ipistorm verify --help`,
  );
}
