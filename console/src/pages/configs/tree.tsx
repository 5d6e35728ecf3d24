import { percent } from "@/format/number";
import { useText } from "@/i18n/language";
import { BOX, place, type RouteNode } from "./route";
import { text } from "./text";
import "./tree.css";

interface Props {
  readonly root: RouteNode;
  /** The node that the cursor is in. */
  readonly current: string;
  /** Of the requests that the last dry run drew, how many start at a target: from 0 to 1, by path. */
  readonly shares: ReadonlyMap<string, number>;
}

/** The way of a request, drawn. */
export function Tree({ root, current, shares }: Props) {
  const t = useText(text);
  const { nodes, width, height } = place(root);
  const pad = 3;
  return (
    <div className="tree" tabIndex={0} role="region" aria-label={t("tree")}>
      <svg viewBox={`${-pad} ${-pad} ${width + 2 * pad} ${height + 2 * pad}`} width={width + 2 * pad} height={height + 2 * pad} role="img" aria-label={summary(root)}>
        {nodes.map(({ node, x, y, parent }) =>
          parent ? (
            <path
              key={`${node.path}-edge`}
              className="tree-edge"
              d={`M${parent.x + BOX.width} ${parent.y + BOX.height / 2}h${BOX.gapX / 2}V${y + BOX.height / 2}H${x}`}
            />
          ) : null,
        )}
        {nodes.map(({ node, x, y }) => {
          const share = shares.get(node.path);
          const lines = [...node.details, ...(share === undefined ? [] : [t("startsHere", { share: percent(100 * share) })])];
          const classes = ["tree-node", node.mode ? "tree-group" : "", node.path === current ? "tree-current" : ""].filter(Boolean).join(" ");
          return (
            <g key={node.path} className={classes} transform={`translate(${x} ${y})`}>
              <title>{`${node.path}: ${node.title} ${lines.join(", ")}`}</title>
              <rect width={BOX.width} height={BOX.height} rx="6" />
              <text x="10" y={lines.length > 0 ? 19 : 27}>
                {clip(node.title || t("anyProvider"), 29)}
              </text>
              {lines.length > 0 && (
                <text className="tree-details" x="10" y="36">
                  {clip(lines.join(" · "), 34)}
                </text>
              )}
            </g>
          );
        })}
      </svg>
    </div>
  );
}

function clip(words: string, most: number): string {
  return words.length > most ? `${words.slice(0, most - 1)}…` : words;
}

/** `fallback (loadbalance (@a, @b), @c)`, for people who do not see the drawing. */
export function summary(node: RouteNode): string {
  return node.children.length > 0 ? `${node.title} (${node.children.map(summary).join(", ")})` : node.title;
}
