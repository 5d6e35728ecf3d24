import { Building2 } from "lucide-react";
import type { Nav } from "@/pages";

export const nav: Nav = {
  id: "workspaces",
  path: "/workspaces/:slug?",
  group: "govern",
  order: 30,
  icon: Building2,
  title: { en: "Workspaces", "zh-CN": "工作区" },
  load: () => import("./index"),
};
