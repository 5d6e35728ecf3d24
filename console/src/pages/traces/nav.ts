import { ListTree } from "lucide-react";
import type { Nav } from "@/pages";

export const nav: Nav = {
  id: "traces",
  path: "/traces/:id?",
  group: "observe",
  order: 30,
  icon: ListTree,
  title: { en: "Traces", "zh-CN": "链路" },
  shortcut: "r",
  load: () => import("./index"),
};
