import { defineText } from "@/i18n/text";

export const text = defineText(
  {
    views: "Views",
    none: "No saved views of this page yet.",
    shared: "shared",
    delete: "Delete the view “{name}”",
    name: "Save this view as",
    share: "For everybody in the workspace",
    save: "Save view",
  },
  {
    views: "视图",
    none: "此页面还没有保存的视图。",
    shared: "已共享",
    delete: "删除视图“{name}”",
    name: "将此视图保存为",
    share: "对工作区所有人可见",
    save: "保存视图",
  },
);
