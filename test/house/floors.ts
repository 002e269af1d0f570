// Reads the plan of floors in docs/architecture.md and the imports of all files, and says where they disagree.
import { posix } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { circles } from './circles.js';

/** The code's two trees, by their names in the plan. */
const ROOTS: Readonly<Record<string, string>> = { core: 'assembly', host: 'src' };
const ADVICE = 'move what is shared down, or return it and let the caller go on';

/** An arrow that is bound to a few names, or that leaves its tree. */
interface Allowed {
  from: string;
  to: string;
  /** None: any name. */
  names: readonly string[] | undefined;
}

export interface Plan {
  /** Floor of each room, by its path such as src/trace; 0 is the lowest. */
  floors: ReadonlyMap<string, number>;
  allowed: readonly Allowed[];
}

interface Import {
  line: number;
  target: string;
  /** `*`: all of them. */
  names: string[];
}

/** Paths to texts. */
export type Files = ReadonlyMap<string, string>;

/** @throws when the page has no plan, or names a tree or a room that there is none of */
export function readPlan(page: string): Plan {
  const lines = (/^```\n(floors [^`]*)```$/m.exec(page)?.[1] ?? '').split('\n');
  const floors = new Map<string, number>();
  for (const line of lines) {
    const [, tree = '', rooms = ''] = /^floors (\w+): (.*)$/.exec(line) ?? [];
    for (const [height, names] of rooms.split('>').toReversed().entries()) {
      for (const name of names.match(/\S+/g) ?? []) floors.set(`${rootOf(tree)}/${name}`, height);
    }
  }
  if (floors.size === 0) throw new Error('docs/architecture.md has no block that begins "floors "');
  const place = (name: string) => placeOf(name, floors);
  const allowed = lines.flatMap((line) => {
    const [, from, to, , names] = /^allow: (\S+) -> ([^\s;]+)( \((.*)\))?/.exec(line) ?? [];
    return from && to ? [{ from: place(from), to: place(to), names: names?.split(/[ ,]+/) }] : [];
  });
  return { floors, allowed };
}

function rootOf(tree: string): string {
  const root = ROOTS[tree];
  if (!root) throw new Error(`floors: got ${tree}, allowed ${Object.keys(ROOTS).join(', ')}`);
  return root;
}

/** "lapic" -> "assembly/lapic"; paths of rooms and trees as they are. */
function placeOf(name: string, floors: ReadonlyMap<string, number>): string {
  if (floors.has(name) || Object.values(ROOTS).includes(name)) return name;
  const found = Object.values(ROOTS).map((root) => `${root}/${name}`);
  const known = found.filter((path) => floors.has(path));
  if (known.length !== 1) throw new Error(`allow: got ${name}, allowed one room of the plan`);
  return known[0]!;
}

/** One line for each disagreement, by path; none: the house stands. */
export function checkFloors(files: Files, plan: Plan): string[] {
  const failures: string[] = [];
  const graph = new Map<string, Import[]>();
  for (const [file, text] of files) {
    const { imports, error } = readImports(file, text, files);
    graph.set(file, imports);
    if (error) failures.push(error);
    if (!roomOf(file, plan)) failures.push(`${file}:1: is in no room of the plan`);
    else failures.push(...imports.flatMap((found) => complaintOf(file, found, plan) ?? []));
  }
  for (const room of plan.floors.keys()) {
    const lived = [...files.keys()].some((file) => roomOf(file, plan) === room);
    if (!lived) failures.push(`docs/architecture.md: room ${room} has no files`);
  }
  failures.push(...circlesOf(graph, plan));
  return failures.toSorted();
}

/** `src/trace/parse.ts` -> `src/trace`; a file beside the rooms is a room of its own, if the plan says so. */
function roomOf(file: string, plan: Plan): string | undefined {
  const room = file.split('/').slice(0, 2).join('/');
  return plan.floors.has(room) ? room : undefined;
}

const treeOf = (path: string) => path.split('/')[0]!;
const nameOf = (file: string, plan: Plan) => roomOf(file, plan) ?? 'no room';

function complaintOf(
  file: string,
  { line, target, names }: Import,
  plan: Plan,
): string | undefined {
  const [from, to] = [roomOf(file, plan)!, roomOf(target, plan)];
  // A stray target has its own line.
  if (!to || from === to) return undefined;
  const where = `${file}:${line}: ${from} imports ${target} of ${to}`;
  const grant = plan.allowed.find(
    (allow) => allow.from === from && (allow.to === to || allow.to === treeOf(to)),
  );
  if (grant) {
    const beyond = names.filter((name) => grant.names?.includes(name) === false);
    if (beyond.length === 0) return undefined;
    return `${where}: ${beyond.join(', ')} beyond ${grant.names!.join(', ')}; ${ADVICE}`;
  }
  if (treeOf(from) !== treeOf(to)) return `${where}: the plan has no way there; ${ADVICE}`;
  const climb = plan.floors.get(to)! - plan.floors.get(from)!;
  if (climb < 0) return undefined;
  return `${where}, ${climb === 0 ? 'on the same floor' : 'a higher floor'}; ${ADVICE}`;
}

function circlesOf(graph: ReadonlyMap<string, Import[]>, plan: Plan): string[] {
  const targets = (file: string) => graph.get(file)!.map(({ target }) => target);
  return circles([...graph.keys()], targets).map((circle) => {
    const [first, second] = [circle[0]!, circle[1] ?? circle[0]!];
    const { line } = graph.get(first)!.find(({ target }) => target === second)!;
    const rooms = `${nameOf(first, plan)} and ${nameOf(second, plan)}`;
    return `${first}:${line}: a circle, ${[...circle, first].join(' -> ')}, of ${rooms}; ${ADVICE}`;
  });
}

/** Relative imports of files that there are: values and types, static, dynamic and re-exported. */
function readImports(
  file: string,
  text: string,
  files: Files,
): { imports: Import[]; error?: string } {
  const { program, errors } = parseSync(file, text, { lang: 'ts', sourceType: 'module' });
  if (errors[0]) return { imports: [], error: `${file}:1: can't be parsed: ${errors[0].message}` };
  const imports: Import[] = [];
  const add = (start: number, source: string | undefined, names: string[]) => {
    const target = source?.startsWith('.') ? resolve(file, source, files) : undefined;
    const line = text.slice(0, start).split('\n').length;
    if (target) imports.push({ line, target, names });
  };
  new Visitor({
    ImportDeclaration: ({ start, source, specifiers }) =>
      add(start, source.value, specifiers.map(importedName)),
    ExportNamedDeclaration: ({ start, source, specifiers }) =>
      add(
        start,
        source?.value,
        specifiers.map(({ local }) => nameIn(local)),
      ),
    ExportAllDeclaration: ({ start, source }) => add(start, source.value, ['*']),
    ImportExpression: ({ start, source }) =>
      add(start, source.type === 'Literal' ? String(source.value) : undefined, ['*']),
    TSImportType: ({ start, source, qualifier }) =>
      add(start, source.value, [qualifier?.type === 'Identifier' ? qualifier.name : '*']),
    TSExternalModuleReference: ({ start, expression }) => add(start, expression.value, ['*']),
  }).visit(program);
  return { imports };
}

function importedName(specifier: import('oxc-parser').ImportDeclarationSpecifier): string {
  if (specifier.type === 'ImportSpecifier') return nameIn(specifier.imported);
  return specifier.type === 'ImportDefaultSpecifier' ? 'default' : '*';
}

function nameIn(name: import('oxc-parser').ModuleExportName): string {
  return name.type === 'Literal' ? name.value : name.name;
}

/** TypeScript writes the name of the output, AssemblyScript leaves the ending out. */
function resolve(file: string, source: string, files: Files): string | undefined {
  const path = posix.join(posix.dirname(file), source);
  const names = [path, path.replace(/\.js$/, '.ts'), `${path}.ts`, `${path}/index.ts`];
  return names.find((name) => files.has(name));
}
