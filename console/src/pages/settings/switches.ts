import type { text } from "./text";

/** The access switches, in the order in which people look for them. */
export const SWITCHES = {
  managers: [
    "managersViewLogs",
    "managersViewLogsMetadata",
    "managersViewAnalytics",
    "managersViewAllData",
    "managersViewApiKeys",
    "managersManageApiKeys",
    "managersViewProviders",
    "managersManageProviders",
    "managersWriteWsIntegrations",
    "managersViewPrompts",
    "managersWritePrompts",
    "managersViewGuardrails",
    "managersWriteGuardrails",
    "managersWriteMcpServers",
    "managersWriteWsMcpIntegrations",
  ],
  members: [
    "membersViewLogs",
    "membersViewLogsMetadata",
    "membersViewAnalytics",
    "membersViewAllData",
    "membersViewApiKeys",
    "membersManageApiKeys",
    "membersViewProviders",
    "membersViewPrompts",
    "membersWritePrompts",
    "membersViewGuardrails",
  ],
  admins: [
    "orgAdminsViewLogs",
    "orgAdminsViewLogsMetadata",
  ],
} as const satisfies Readonly<Record<string, readonly (keyof typeof text.en)[]>>;
