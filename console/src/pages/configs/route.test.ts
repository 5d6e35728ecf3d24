import { expect, test } from "vitest";
import { BOX, place, routeOf } from "./route";

const config = {
  strategy: { mode: "fallback", on_status_codes: [429, 500] },
  retry: { attempts: 2 },
  targets: [
    { strategy: { mode: "loadbalance" }, targets: [{ provider: "@a", weight: 0.7 }, { provider: "@b", weight: 0.3 }] },
    { provider: "@c", override_params: { model: "m" } },
  ],
};

test("groups and targets, by the API's paths", () => {
  const root = routeOf(config);
  expect(root).toMatchObject({ path: "config", mode: "fallback", details: ["retry 2", "on 429, 500"] });
  expect(root?.children[0]?.children.map(({ path, title, details }) => [path, title, details])).toEqual([
    ["config.targets[0].targets[0]", "@a", ["70 %"]],
    ["config.targets[0].targets[1]", "@b", ["30 %"]],
  ]);
  expect(root?.children[1]).toMatchObject({ title: "@c · m", mode: null, details: ["2."] });
});

test("what is no object has no route", () => {
  expect(routeOf([])).toBeNull();
  expect(routeOf("x")).toBeNull();
});

test("a group stands at the middle of what is in it", () => {
  const root = routeOf(config);
  if (!root) throw new Error("no route");
  const { nodes, width, height } = place(root);
  const y = (path: string) => nodes.find(({ node }) => node.path === path)?.y;
  expect(y("config.targets[0]")).toBe((BOX.height + BOX.gapY) / 2);
  expect(height).toBe(3 * BOX.height + 2 * BOX.gapY);
  expect(width).toBe(3 * BOX.width + 2 * BOX.gapX);
});
