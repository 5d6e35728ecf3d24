import { HeartPulse } from "lucide-react";
import type { Nav } from "@/pages";

export const nav: Nav = {
  id: "health",
  path: "/health",
  group: "govern",
  order: 60,
  icon: HeartPulse,
  title: { en: "System health", "zh-CN": "系统状态" },
  load: () => import("./index"),
};
