import { KeyRound } from "lucide-react";
import type { Nav } from "@/pages";

export const nav: Nav = {
  id: "keys",
  path: "/keys/:id?",
  group: "connect",
  order: 30,
  icon: KeyRound,
  title: { en: "API keys", "zh-CN": "API 密钥" },
  shortcut: "k",
  load: () => import("./index"),
};
