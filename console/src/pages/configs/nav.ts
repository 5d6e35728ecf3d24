import { Waypoints } from "lucide-react";
import type { Nav } from "@/pages";

export const nav: Nav = {
  id: "configs",
  path: "/configs/:slug?",
  group: "build",
  order: 30,
  icon: Waypoints,
  title: { en: "Configs", "zh-CN": "配置" },
  shortcut: "c",
  load: () => import("./index"),
};
