import { defineText } from "@/i18n/text";

export const text = defineText(
  {
    title: "Workspaces",
    create: "New workspace",
    emptyTitle: "No workspaces",
    emptyDo: "A workspace has keys, providers, configs, limits and members of its own. Nothing of one is seen from another.",
    slug: "Slug",
    isDefault: "Default",
    yes: "yes",
    goThere: "Go there",
    description: "Description",
    deleteTitle: "Delete the workspace {name}?",
    deleteWords: "Its keys stop working, and its providers, configs and members are gone. Its records stay until they are too old. This cannot be undone.",
    typeName: "Type its name to delete it",
    withAll: "Also what it still owns",
  },
  {
    title: "工作区",
    create: "新建工作区",
    emptyTitle: "没有工作区",
    emptyDo: "工作区有自己的密钥、服务商、配置、限制和成员。从一个工作区看不到另一个的任何内容。",
    slug: "标识",
    isDefault: "默认",
    yes: "是",
    goThere: "前往",
    description: "说明",
    deleteTitle: "删除工作区 {name}？",
    deleteWords: "它的密钥会停止工作，服务商、配置和成员都会消失；记录会保留到过期。此操作无法撤销。",
    typeName: "输入它的名称以确认删除",
    withAll: "连同它拥有的内容",
  },
);
