import { LayoutDashboard } from "lucide-react";
import type { Nav } from "@/pages";
import * as page from "./index";

export const nav: Nav = {
  id: "overview",
  path: "/",
  group: "observe",
  order: 10,
  icon: LayoutDashboard,
  title: { en: "Overview", "zh-CN": "概览" },
  shortcut: "o",
  // Opened most: it comes with the program.
  load: () => Promise.resolve(page),
};
