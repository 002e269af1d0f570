// JSON with comments, as the library's callers hand it over.
import { UsageError, usage } from '../core/errors.js';
import { parseCommented as parse } from './validate.js';

/**
 * JSON with // and block comments and trailing commas, as scenarios and cost sets may be written.
 * @throws UsageError saying where it ends to be JSON
 */
export function parseCommented(text: string): unknown {
  if (typeof text !== 'string') throw usage('text', text, 'a string of JSON with comments');
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`text: got ${(error as Error).message}, allowed JSON with comments`);
  }
}
