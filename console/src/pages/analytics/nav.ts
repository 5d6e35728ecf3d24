import { ChartNoAxesCombined } from "lucide-react";
import type { Nav } from "@/pages";

export const nav: Nav = {
  id: "analytics",
  path: "/analytics/:tab?",
  group: "observe",
  order: 50,
  icon: ChartNoAxesCombined,
  title: { en: "Analytics", "zh-CN": "分析" },
  shortcut: "a",
  load: () => import("./index"),
};
