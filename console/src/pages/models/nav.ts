import { Boxes } from "lucide-react";
import type { Nav } from "@/pages";

export const nav: Nav = {
  id: "models",
  path: "/models/:integration?",
  group: "connect",
  order: 20,
  icon: Boxes,
  title: { en: "Models & prices", "zh-CN": "模型与价格" },
  load: () => import("./index"),
};
