// Verifies one recording: recognises its kind, replays it, returns the books.
import { UsageError } from '../core/errors.js';
import { MODEL_NAMES, type Model } from '../core/models.js';
import { openLines } from '../input/lines.js';
import { KvmTranscript } from './kvm-transcript.js';
import { LapicLog } from './lapic-log.js';
import { type Kind, Ledger, NATURAL_MODEL, type Verifier } from './recording.js';

export interface Verified {
  file: string;
  kind: Kind;
  model: Model;
  lines: number;
  ledger: Ledger;
}

/** Lines of a log that may come before anything that tells its kind. */
const PREAMBLE = 1_000_000;

function kindOf(line: string): Kind | undefined {
  if (/^Z \d+ id [0-9a-f]+ base /.test(line)) return 'lapic-log';
  return /^N [0-9a-f]+ -> /.test(line) ? 'kvm-transcript' : undefined;
}

function verifierOf(kind: Kind, ledger: Ledger, model: Model): Verifier {
  return kind === 'lapic-log' ? new LapicLog(ledger, model) : new KvmTranscript(ledger, model);
}

/**
 * @param model default: that of the recording's kind
 * @param progress called now and then with the share read; returning false stops
 * @param note told what a reader should know of the file
 * @throws UsageError naming file and line for damaged lines and files that are no recording;
 * ReadError for files that cannot be read
 */
export async function verifyFile(
  file: string,
  model: Model | undefined,
  progress: (share: number) => boolean,
  note: (text: string) => void = () => {},
): Promise<Verified> {
  const source = openLines(file, { unpack: true });
  const ledger = new Ledger(file);
  const waiting: string[] = [];
  let kind: Kind | undefined;
  let verifier: Verifier | undefined;
  let used: Model = model ?? MODEL_NAMES[0];
  const feed = (line: string) => {
    ledger.line++;
    ledger.text = line;
    verifier!.add(line);
  };
  let told = false;
  for await (const lines of source.lines) {
    if (!told) for (const text of source.notes) note(text);
    told = true;
    for (const line of lines) {
      if (verifier) {
        feed(line);
        continue;
      }
      waiting.push(line);
      kind = kindOf(line);
      if (!kind && waiting.length < PREAMBLE) continue;
      if (!kind) break;
      used = model ?? NATURAL_MODEL[kind];
      verifier = verifierOf(kind, ledger, used);
      for (const early of waiting.splice(0)) feed(early);
    }
    if (!progress(source.bytesTotal > 0 ? source.bytesRead() / source.bytesTotal : 1)) break;
    if (!verifier && waiting.length >= PREAMBLE) break;
  }
  if (!verifier || !kind) throw unknown(file, waiting[0] ?? '');
  verifier.finish();
  return { file, kind, model: used, lines: ledger.line, ledger };
}

function unknown(file: string, first: string): UsageError {
  return new UsageError(
    `${file}: got ${JSON.stringify(first.slice(0, 60))}, allowed a local-APIC log (with lines "Z cpu id I base B") or a KVM transcript (with a line "N cpus -> ..."), plain or packed; see npx ipistorm verify --help`,
  );
}
