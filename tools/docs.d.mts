/** A block of a document that can be run. */
export interface Block {
  file: string;
  begin: number;
  shown: string[];
  slow: boolean;
}
export function documents(folder?: string): string[];
export function blocks(file: string, text?: string): Block[];
export function today(block: Block): string[];
export function difference(block: Block, now?: string[]): string | undefined;
