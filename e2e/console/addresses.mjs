// Every page of the console: an address, and its heading in both languages. `:name` stands for what `inhabited` made.

import { readdirSync, readFileSync } from "node:fs";
import { furnish } from "./furnish.mjs";
import { start } from "./gateway.mjs";
import { traffic } from "./traffic.mjs";

export const PAGES = [
  ["/", "Overview", "概览"],
  ["/start", "Get started", "快速开始"],
  ["/logs", "Logs", "日志"],
  ["/logs/:log", "Logs", "日志"],
  ["/logs/:log?pane=timeline", "Logs", "日志"],
  ["/logs/:log?pane=cost", "Logs", "日志"],
  ["/logs/:log?pane=raw", "Logs", "日志"],
  ["/logs/:log?pane=facts", "Logs", "日志"],
  ["/traces", "Traces", "链路"],
  ["/traces/agent-1", "Trace agent-1", "Trace agent-1"],
  ["/sessions", "Sessions", "会话"],
  ["/sessions/sitting-1", "Session sitting-1", "会话 sitting-1"],
  ["/analytics", "Analytics", "分析"],
  ["/analytics/cost", "Analytics", "分析"],
  ["/analytics/latency", "Analytics", "分析"],
  ["/analytics/explore?metric=cost&group=provider", "Analytics", "分析"],
  ["/keys", "API keys", "API 密钥"],
  ["/keys/new", "API keys", "API 密钥"],
  ["/keys/:key", "API keys", "API 密钥"],
  ["/providers", "Providers", "服务商"],
  ["/providers/new", "Providers", "服务商"],
  ["/providers/local", "Providers", "服务商"],
  ["/models", "Models & prices", "模型与价格"],
  ["/models/:integration", "Models & prices", "模型与价格"],
  ["/configs", "Configs", "配置"],
  ["/configs/new", "New config", "新建配置"],
  ["/configs/:config", "main", "main"],
  ["/configs/:config?tab=history", "main", "main"],
  ["/configs/:config?tab=use", "main", "main"],
  ["/limits", "Budgets & limits", "预算与限制"],
  ["/limits/workspace", "Budgets & limits", "预算与限制"],
  ["/limits/usage/new", "Budgets & limits", "预算与限制"],
  ["/limits/usage/:policy", "Budgets & limits", "预算与限制"],
  ["/limits/rate/new", "Budgets & limits", "预算与限制"],
  ["/alerts", "Alerts", "告警"],
  ["/alerts/new", "Alerts", "告警"],
  ["/alerts/:alert", "Alerts", "告警"],
  ["/members", "Members & roles", "成员与角色"],
  ["/members?invite=1", "Members & roles", "成员与角色"],
  ["/workspaces", "Workspaces", "工作区"],
  ["/workspaces/ws-default", "Workspaces", "工作区"],
  ["/audit", "Audit log", "审计日志"],
  ["/audit?entry=:entry", "Audit log", "审计日志"],
  ["/settings", "Settings", "设置"],
  ["/health", "System health", "系统状态"],
  ["/me", "My usage", "我的用量"],
];

/** A gateway with one of each, and calls of SDKs in its log. `address` fills in a page's address. */
export async function inhabited() {
  const gateway = await start();
  try {
    const made = await furnish(gateway);
    const requests = await traffic(gateway);
    const logs = await gateway.ask("/v1/logs?workspace_id=ws-default&page_size=50");
    const there = { ...made, log: logs.body.data.find(({ attempts, response_status_code }) => attempts === 2 && response_status_code === 200).id };
    return { gateway, requests, address: (path) => path.replace(/:(\w+)/g, (_, name) => there[name]) };
  } catch (error) {
    await gateway.stop();
    throw error;
  }
}

/** The router's paths, as the pages' own `nav.ts` have them; one for each member that can be left out. */
export function routes() {
  const pages = new URL("../../console/src/pages/", import.meta.url);
  const found = readdirSync(pages, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => readFileSync(new URL(`${name}/nav.ts`, pages), "utf8"))
    .map((text) => /^ {2}path: "(.+)",$/m.exec(text)?.[1] ?? "");
  return found.flatMap((path) => {
    const members = path.split("/").filter(Boolean);
    const from = members.findIndex((member) => member.endsWith("?"));
    const least = from < 0 ? members.length : from;
    return members.slice(least).reduce((all, member) => [...all, `${all.at(-1)}/${member.replace("?", "")}`], [`/${members.slice(0, least).join("/")}`]);
  });
}

/** Whether an address is one of this route. */
export function isOf(route, address) {
  const [members, parts] = [route, address.replace(/\?.*/, "")].map((path) => path.split("/").filter(Boolean));
  return members.length === parts.length && members.every((member, at) => member.startsWith(":") || member === parts[at]);
}
