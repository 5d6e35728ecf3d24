import { Users } from "lucide-react";
import type { Nav } from "@/pages";

export const nav: Nav = {
  id: "members",
  path: "/members",
  group: "govern",
  order: 20,
  icon: Users,
  title: { en: "Members & roles", "zh-CN": "成员与角色" },
  load: () => import("./index"),
};
