import { Settings2 } from "lucide-react";
import type { Nav } from "@/pages";

export const nav: Nav = {
  id: "settings",
  path: "/settings",
  group: "govern",
  order: 50,
  icon: Settings2,
  title: { en: "Settings", "zh-CN": "设置" },
  load: () => import("./index"),
};
