// What a field of a schema may be, in plain words: for errors.

/** What schemas have in common, as far as errors look into them. */
interface AnySchema {
  type?: string;
  wrapped?: AnySchema;
  pipe?: readonly (AnySchema | Action)[];
  item?: AnySchema;
  items?: readonly AnySchema[];
  options?: readonly unknown[];
  getter?: (input: unknown) => AnySchema;
  entries?: Record<string, AnySchema>;
  literal?: unknown;
}

interface Action {
  type: string;
  requirement?: unknown;
  description?: string;
}

/** Without what is optional or lazy around it; with its pipe. */
function unwrapped(schema: unknown): AnySchema | undefined {
  let here = schema as AnySchema | undefined;
  while (here?.wrapped || here?.getter) here = here.wrapped ?? here.getter?.(undefined);
  return here;
}

/** Without what is optional, lazy or piped around it. */
export function plain(schema: unknown): AnySchema | undefined {
  let here = unwrapped(schema);
  while (here?.pipe) here = unwrapped(here.pipe[0]);
  return here;
}

/** The schema of what is at `path`, where there is no choice on the way. */
export function schemaAt(schema: unknown, path: readonly string[]): AnySchema | undefined {
  let here = schema as AnySchema | undefined;
  for (const key of path) {
    const inside = plain(here);
    here = inside?.item ?? inside?.items?.[Number(key)] ?? inside?.entries?.[key];
  }
  return here;
}

/** Such as "an integer 1-8192"; none where it is not known. */
export function inWords(schema: unknown): string | undefined {
  const whole = unwrapped(schema);
  const type = plain(whole)?.type;
  const actions = actionsOf(whole);
  const limit = (name: string) => actions.findLast((action) => action.type === name)?.requirement;
  if (type === 'number')
    return numberInWords(limit('integer'), limit('min_value'), limit('max_value'));
  if (type === 'array')
    return `an array${lengthInWords(limit('min_length'), limit('max_length'), '')}`;
  if (type === 'boolean') return 'true, false';
  if (type === 'string') {
    const regex = limit('regex') as RegExp | undefined;
    const said = actions.find((action) => action.type === 'description')?.description;
    if (regex) return said ?? `text that fits ${regex.source}`;
    return `text${lengthInWords(limit('min_length'), limit('max_length'), ' characters')}`;
  }
  if (type === 'picklist') return plain(whole)!.options!.join(', ');
  if (type === 'literal') return JSON.stringify(plain(whole)!.literal);
  if (type === 'strict_object') return 'an object';
  if (type === 'strict_tuple') return `an array of ${plain(whole)!.items!.length}`;
  return type === 'union' ? choiceInWords(plain(whole)!) : undefined;
}

function actionsOf(schema: AnySchema | undefined): Action[] {
  const [inner, ...rest] = schema?.pipe ?? [];
  return inner ? [...actionsOf(unwrapped(inner)), ...(rest as Action[])] : [];
}

function numberInWords(integer: unknown, min: unknown, max: unknown): string {
  const kind = integer ? 'an integer' : 'a number';
  if (max !== undefined) return `${kind} ${min}-${max}`;
  return min === undefined ? kind : `${kind} from ${min}`;
}

function lengthInWords(min: unknown, max: unknown, unit: string): string {
  if (max === undefined) return min === undefined ? '' : ` of ${min} or more${unit}`;
  return ` of ${min === undefined ? 'at most ' : `${min}-`}${max}${unit}`;
}

/** Objects of a choice by their field: { uniform }. */
function choiceInWords({ options = [] }: AnySchema): string | undefined {
  const words = options.map((option) => {
    const entries = plain(option)?.entries;
    return entries ? `{ ${Object.keys(entries).join(', ')} }` : inWords(option);
  });
  return words.includes(undefined) ? undefined : words.join(', or ');
}
