/** A config as the tree that a request goes down, read from its JSON without judging it. */

export interface RouteNode {
  /** As the API names it: `config.targets[0]`. */
  readonly path: string;
  /** Of a group; `null` for a target. */
  readonly mode: string | null;
  readonly title: string;
  readonly details: readonly string[];
  readonly children: readonly RouteNode[];
}

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function word(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

export function routeOf(config: unknown, path = "config", share = ""): RouteNode | null {
  if (!isObject(config)) return null;
  const strategy = isObject(config.strategy) ? config.strategy : null;
  const targets = Array.isArray(config.targets) ? config.targets : [];
  const name = word(config.name);
  const details = [name && `“${name}”`, share, ...settings(config)].filter(Boolean);
  if (!strategy && targets.length === 0) {
    const params = isObject(config.override_params) ? config.override_params : {};
    const provider = word(config.provider) || word(config.virtual_key);
    const model = word(params.model);
    return { path, mode: null, title: [provider, model].filter(Boolean).join(" · "), details, children: [] };
  }
  const mode = word(strategy?.mode) || "single";
  const weights = targets.map((target) => (isObject(target) ? Number(target.weight ?? 1) : 0));
  const sum = weights.reduce((total, weight) => total + (weight > 0 ? weight : 0), 0);
  const children = targets.map((target, index) => {
    const part = mode === "loadbalance" && sum > 0 ? `${Math.round((100 * (weights[index] ?? 0)) / sum)} %` : mode === "fallback" ? `${index + 1}.` : "";
    return routeOf(target, `${path}.targets[${index}]`, part);
  });
  return { path, mode, title: mode, details: [...details, ...conditions(strategy)], children: children.filter((child) => child !== null) };
}

function settings(config: Json): readonly string[] {
  const retry = isObject(config.retry) ? config.retry : null;
  const cache = isObject(config.cache) ? config.cache : null;
  const attempts = word(retry?.attempts) || word(retry?.count);
  return [
    attempts ? `retry ${attempts}` : "",
    cache ? `cache ${word(cache.mode)}` : "",
    config.request_timeout ? `timeout ${word(config.request_timeout)} ms` : "",
    config.hedge ? "hedge" : "",
  ];
}

function conditions(strategy: Json | null): readonly string[] {
  const codes = strategy?.on_status_codes;
  const list = Array.isArray(codes) ? [`on ${codes.slice(0, 4).join(", ")}${codes.length > 4 ? "…" : ""}`] : [];
  const fallback = word(strategy?.default);
  return fallback ? [...list, `default “${fallback}”`] : list;
}

export interface Placed {
  readonly node: RouteNode;
  readonly x: number;
  readonly y: number;
  readonly parent: Placed | null;
}

export const BOX = { width: 208, height: 46, gapX: 36, gapY: 12 } as const;

/** Places the nodes: depth goes right, leaves go down, and a group stands at the middle of what is in it. */
export function place(root: RouteNode): { readonly nodes: readonly Placed[]; readonly width: number; readonly height: number } {
  const nodes: Placed[] = [];
  let leaves = 0;
  let depthMost = 0;
  const put = (node: RouteNode, depth: number): { y: number; placed: (parent: Placed | null) => void } => {
    depthMost = Math.max(depthMost, depth);
    const below = node.children.map((child) => put(child, depth + 1));
    const y = below.length > 0 ? ((below[0]?.y ?? 0) + (below.at(-1)?.y ?? 0)) / 2 : leaves++ * (BOX.height + BOX.gapY);
    return {
      y,
      placed: (parent) => {
        const own: Placed = { node, x: depth * (BOX.width + BOX.gapX), y, parent };
        nodes.push(own);
        for (const child of below) child.placed(own);
      },
    };
  };
  put(root, 0).placed(null);
  return {
    nodes,
    width: (depthMost + 1) * BOX.width + depthMost * BOX.gapX,
    height: leaves * BOX.height + Math.max(0, leaves - 1) * BOX.gapY,
  };
}
