// Circles of a graph: Tarjan's strongly connected components, and one way round each.

/** One circle of each component that has any: its nodes in order, the last leads back to the first. */
export function circles(
  nodes: readonly string[],
  targets: (node: string) => readonly string[],
): string[][] {
  return components(nodes, targets).flatMap((component) => {
    const first = component.toSorted()[0]!;
    const inside = new Set(component);
    const way = shortestBack(first, (node) => targets(node).filter((next) => inside.has(next)));
    return way ? [way] : [];
  });
}

function components(
  nodes: readonly string[],
  targets: (node: string) => readonly string[],
): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): void => {
    order.set(node, order.size);
    low.set(node, order.get(node)!);
    open.push(node);
    for (const next of targets(node)) {
      if (!order.has(next)) visit(next);
      if (open.includes(next)) low.set(node, Math.min(low.get(node)!, low.get(next)!));
    }
    if (low.get(node) === order.get(node)) found.push(open.splice(open.indexOf(node)));
  };
  for (const node of nodes) if (!order.has(node)) visit(node);
  return found;
}

/** The shortest way from a node back to itself, without its end. */
function shortestBack(
  first: string,
  targets: (node: string) => readonly string[],
): string[] | undefined {
  const ways = [[first]];
  const seen = new Set<string>();
  for (const way of ways) {
    for (const next of targets(way.at(-1)!)) {
      if (next === first) return way;
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}
