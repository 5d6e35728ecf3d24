import { BellRing } from "lucide-react";
import type { Nav } from "@/pages";

export const nav: Nav = {
  id: "alerts",
  path: "/alerts/:id?",
  group: "observe",
  order: 60,
  icon: BellRing,
  title: { en: "Alerts", "zh-CN": "告警" },
  load: () => import("./index"),
};
