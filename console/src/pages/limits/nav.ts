import { Gauge } from "lucide-react";
import type { Nav } from "@/pages";

export const nav: Nav = {
  id: "limits",
  path: "/limits/:kind?/:id?",
  group: "govern",
  order: 10,
  icon: Gauge,
  title: { en: "Budgets & limits", "zh-CN": "预算与限制" },
  load: () => import("./index"),
};
