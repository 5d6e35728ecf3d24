import { ClipboardList } from "lucide-react";
import type { Nav } from "@/pages";

export const nav: Nav = {
  id: "audit",
  path: "/audit",
  group: "govern",
  order: 40,
  icon: ClipboardList,
  title: { en: "Audit log", "zh-CN": "审计日志" },
  load: () => import("./index"),
};
