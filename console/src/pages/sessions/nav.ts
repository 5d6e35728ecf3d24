import { MessagesSquare } from "lucide-react";
import type { Nav } from "@/pages";

export const nav: Nav = {
  id: "sessions",
  path: "/sessions/:id?",
  group: "observe",
  order: 40,
  icon: MessagesSquare,
  title: { en: "Sessions", "zh-CN": "会话" },
  load: () => import("./index"),
};
