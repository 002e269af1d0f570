// Streams a trace's lines in bounded memory; src/input/ opens files, pipes and packed data.
import { type InputOptions, type LineSource, openLines } from '../input/lines.js';

export type { LineSource } from '../input/lines.js';

export function openTrace(path: string, options?: InputOptions): LineSource {
  return openLines(path, options);
}
