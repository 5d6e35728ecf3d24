import { ScrollText } from "lucide-react";
import type { Nav } from "@/pages";
import * as page from "./index";

export const nav: Nav = {
  id: "logs",
  path: "/logs/:id?",
  group: "observe",
  order: 20,
  icon: ScrollText,
  title: { en: "Logs", "zh-CN": "日志" },
  shortcut: "l",
  // Opened most: it comes with the program.
  load: () => Promise.resolve(page),
};
