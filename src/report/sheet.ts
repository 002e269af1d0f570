// What a report shows, from top to bottom. Whoever prints it chooses colours and column widths.

/** How a line stands apart: beside the point, worth a look, or bad. */
export type Tone = 'aside' | 'note' | 'alarm';

export type Block =
  | { kind: 'title'; text: string }
  | { kind: 'line'; text: string; tone: Tone | undefined }
  | {
      kind: 'table';
      header: readonly string[];
      rows: readonly (readonly string[])[];
      left: number;
    };

export class Sheet {
  readonly blocks: Block[] = [];

  title(text: string): void {
    this.blocks.push({ kind: 'title', text });
  }

  line(text = '', tone?: Tone): void {
    this.blocks.push({ kind: 'line', text, tone });
  }

  /** The first `left` columns are aligned left, the others right. */
  table(header: readonly string[], rows: readonly (readonly string[])[], left = 1): void {
    this.blocks.push({ kind: 'table', header, rows, left });
  }
}
