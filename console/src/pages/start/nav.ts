import { Rocket } from "lucide-react";
import type { Nav } from "@/pages";

export const nav: Nav = {
  id: "start",
  path: "/start",
  group: "help",
  order: 10,
  icon: Rocket,
  title: { en: "Get started", "zh-CN": "快速开始" },
  shortcut: "s",
  load: () => import("./index"),
};
