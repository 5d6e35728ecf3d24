import { UserRound } from "lucide-react";
import type { Nav } from "@/pages";

export const nav: Nav = {
  id: "me",
  path: "/me",
  group: "help",
  order: 20,
  icon: UserRound,
  title: { en: "My usage", "zh-CN": "我的用量" },
  load: () => import("./index"),
};
