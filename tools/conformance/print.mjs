// The layout of the JSON files: one operation per line, one CPU per line, so that a case can be read.

const LINE = 100;

/** JSON on one line, with spaces. */
function inline(value) {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).map(([key, v]) => `${JSON.stringify(key)}: ${inline(v)}`);
  return members.length > 0 ? `{ ${members.join(', ')} }` : '{}';
}

/** A list of operations: always one per line. */
function operations(list, indent) {
  if (list.length === 0) return '[]';
  const lines = list.map((operation) => `${indent}  ${inline(operation)}`);
  return `[\n${lines.join(',\n')}\n${indent}]`;
}

/** Anything else: on one line if it fits, else its members on lines of their own. */
function pretty(value, indent, used) {
  const line = inline(value);
  if (indent.length + used + line.length < LINE || value === null || typeof value !== 'object') {
    return line;
  }
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return `[\n${value.map((v) => inner + pretty(v, inner, 1)).join(',\n')}\n${indent}]`;
  }
  return object(Object.entries(value), indent, pretty);
}

function object(entries, indent, format) {
  const inner = `${indent}  `;
  const members = entries.map(([key, value]) => {
    const name = `${JSON.stringify(key)}: `;
    return `${inner}${name}${format(value, inner, name.length + 1, key)}`;
  });
  return `{\n${members.join(',\n')}\n${indent}}`;
}

function formatCase(value, indent) {
  const member = (v, inner, used, key) =>
    key === 'given' || key === 'when' ? operations(v, inner) : pretty(v, inner, used);
  return object(Object.entries(value), indent, member);
}

export function formatTopic({ topic, description, cases }) {
  const list = cases.map((value) => `    ${formatCase(value, '    ')}`);
  return `{
  "$schema": "../schema.json",
  "topic": ${JSON.stringify(topic)},
  "description": ${JSON.stringify(description)},
  "cases": [
${list.join(',\n')}
  ]
}
`;
}
