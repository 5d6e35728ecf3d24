import { Plug } from "lucide-react";
import type { Nav } from "@/pages";

export const nav: Nav = {
  id: "providers",
  path: "/providers/:slug?",
  group: "connect",
  order: 10,
  icon: Plug,
  title: { en: "Providers", "zh-CN": "服务商" },
  load: () => import("./index"),
};
