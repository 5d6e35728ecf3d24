// Portkey's Node SDK against the admin API. Its methods return whatever the server says; the shapes are asserted here.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Portkey } from "portkey-ai";

const { gateway, admin: ADMIN, workspace: WORKSPACE, key: KEY, signIn: SIGN_IN } = JSON.parse(process.env.TIDEGATE_E2E);
const CONFIG = { retry: { attempts: 2 }, targets: [{ provider: "openai", api_key: "sk-secret" }] };

const admin = new Portkey({ baseURL: `${gateway}/v1`, apiKey: ADMIN });
const own = new Portkey({ baseURL: `${gateway}/v1`, apiKey: KEY });

const slugs = (listed) => listed.data.map((row) => row.slug);
const refused = (status, name, words = "") => (error) => {
  assert.deepEqual([error.status, error.constructor.name], [status, name]);
  assert.ok(error.message.includes(words), error.message);
  return true;
};
const gone = refused(404, "NotFoundError");

test("a config's life", async () => {
  const made = await own.configs.create({ name: "main", config: CONFIG, isDefault: 0 });
  assert.match(made.slug, /^pc-/);
  const row = await own.configs.retrieve({ slug: made.slug });
  assert.deepEqual([row.name, row.version_id, row.is_default], ["main", made.version_id, 0]);
  assert.ok(!JSON.stringify(row).includes("sk-secret"));
  assert.ok(slugs(await own.configs.list()).includes(made.slug));
  const changed = await own.configs.update({ slug: made.slug, name: "other", config: { ...CONFIG, retry: { attempts: 3 } } });
  assert.notEqual(changed.version_id, made.version_id);
  await own.configs.delete({ slug: made.slug });
  await assert.rejects(own.configs.retrieve({ slug: made.slug }), gone);
});

test("a virtual key's life", async () => {
  const limits = { usage_limits: { type: "cost", credit_limit: 10 }, rate_limits: [{ type: "requests", unit: "rpm", value: 60 }] };
  const made = await own.virtualKeys.create({ name: "OpenAI EU", provider: "openai", key: "sk-secret", ...limits });
  const row = await own.virtualKeys.retrieve({ slug: made.slug });
  assert.deepEqual([row.name, row.status, row.usage_limits.credit_limit], ["OpenAI EU", "active", 10]);
  assert.ok(!JSON.stringify(row).includes("sk-secret"));
  await own.virtualKeys.update({ slug: made.slug, name: "OpenAI US" });
  assert.equal((await own.virtualKeys.retrieve({ slug: made.slug })).name, "OpenAI US");
  assert.ok(slugs(await own.virtualKeys.list()).includes(made.slug));
  await own.virtualKeys.delete({ slug: made.slug });
  await assert.rejects(own.virtualKeys.retrieve({ slug: made.slug }), gone);
});

test("an integration's and a provider's life", async () => {
  const made = await admin.integrations.create({
    name: "OpenAI of all", ai_provider_id: "openai", key: "sk-secret", configurations: { openai_organization: "org-1" },
  });
  const { slug } = made;
  assert.equal((await admin.integrations.retrieve({ slug })).configurations.openai_organization, "org-1");
  await admin.integrations.update({ slug, name: "OpenAI" });
  assert.ok(slugs(await admin.integrations.list()).includes(slug));
  await admin.integrations.models.update({ slug, allow_all_models: false, models: [{ slug: "gpt-4o", enabled: true }] });
  const { models } = await admin.integrations.models.list({ slug });
  assert.deepEqual(models.filter((model) => model.enabled).map((model) => model.slug), ["gpt-4o"]);
  await admin.integrations.workspaces.update({ slug, workspaces: [{ id: WORKSPACE, enabled: true }] });
  assert.equal((await admin.integrations.workspaces.list({ slug })).workspaces.length, 1);

  const where = { slug: "openai-here", workspace_id: WORKSPACE };
  await admin.providers.create({ ...where, name: "here", integration_id: slug });
  await admin.providers.update({ ...where, name: "there" });
  assert.equal((await own.providers.retrieve({ slug: "openai-here" })).name, "there");
  for (const slug of slugs(await own.providers.list())) {
    await admin.providers.delete({ slug, workspace_id: WORKSPACE });
  }
  await assert.rejects(own.providers.retrieve({ slug: "openai-here" }), gone);
  await admin.integrations.delete({ slug });
  await assert.rejects(admin.integrations.retrieve({ slug }), gone);
});

test("an API key's life", async () => {
  const made = await admin.apiKeys.create({
    type: "workspace", "sub-type": "service", name: "ci", workspace_id: WORKSPACE, scopes: ["logs.view"],
    rate_limits: [{ type: "requests", unit: "rpm", value: 100 }],
  });
  assert.match(made.key, /^tg-svc-/);
  const row = await admin.apiKeys.retrieve({ id: made.id });
  assert.deepEqual([row.name, row.status, row.scopes], ["ci", "active", ["logs.view"]]);
  assert.ok(!JSON.stringify(row).includes(made.key));
  await admin.apiKeys.update({ id: made.id, name: "ci 2", scopes: ["logs.view", "logs.list"] });
  const listed = await admin.apiKeys.list({ workspace_id: WORKSPACE, page_size: 50, current_page: 0 });
  assert.ok(listed.data.some((key) => key.name === "ci 2"));
  await admin.apiKeys.delete({ id: made.id });
  const revoked = new Portkey({ baseURL: `${gateway}/v1`, apiKey: made.key });
  await assert.rejects(revoked.configs.list(), refused(401, "AuthenticationError"));
});

test("a workspace's life, and the people in it", async () => {
  const made = await admin.admin.workspaces.create({ name: "Node", description: "d", defaults: { metadata: { team: "node" } } });
  const workspaceId = made.slug;
  assert.equal((await admin.admin.workspaces.retrieve({ workspaceId })).name, "Node");
  await admin.admin.workspaces.update({ workspaceId, name: "Deno" });
  assert.equal((await admin.admin.workspaces.list({ exact_name: "Deno" })).total, 1);

  const { invites } = admin.admin.users;
  const invite = await invites.create({
    email: "node@example.org", role: "member", workspaces: [{ id: workspaceId, role: "member" }],
    workspace_api_key_details: { scopes: ["completions.write"] },
  });
  assert.equal((await invites.retrieve({ inviteId: invite.id })).status, "pending");
  const { inviteLink } = await invites.resend({ inviteId: invite.id });
  const accepted = await fetch(SIGN_IN, {
    method: "POST", headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: inviteLink.split("token=")[1] }),
  });
  assert.equal(accepted.status, 200);
  const [user] = (await admin.admin.users.list({ email: "node@example.org" })).data;
  const { users } = admin.admin.workspaces;
  const who = { workspaceId, userId: user.id };
  await users.update({ ...who, role: "manager" });
  assert.equal((await users.retrieve(who)).role, "manager");
  assert.equal((await users.list({ workspaceId })).total, 1);
  await users.delete(who);
  await users.create({ workspaceId, users: [{ id: user.id, role: "member" }] });
  await admin.admin.users.update({ userId: user.id, role: "admin" });
  assert.equal((await admin.admin.users.retrieve({ userId: user.id })).role, "admin");
  await admin.admin.users.delete({ userId: user.id });

  const second = await invites.create({ email: "two@example.org", role: "member" });
  assert.ok((await invites.list()).data.some((row) => row.id === second.id));
  await invites.delete({ inviteId: second.id });

  await admin.admin.workspaces.delete({ workspaceId, name: "Deno" });
  await assert.rejects(admin.admin.workspaces.retrieve({ workspaceId }), gone);
});

test("errors have the SDK's types", async () => {
  await assert.rejects(own.configs.create({ name: "x", config: { retry: { attempts: "many" } } }), refused(400, "BadRequestError", "attempts"));
  await assert.rejects(own.virtualKeys.create({ name: "x", provider: "nobody", key: "k" }), refused(400, "BadRequestError", "provider"));
  await assert.rejects(own.admin.users.list({}), refused(403, "PermissionDeniedError", "enough permissions"));
  const stranger = new Portkey({ baseURL: `${gateway}/v1`, apiKey: "nobody-knows-this-key" });
  await assert.rejects(stranger.configs.list(), refused(401, "AuthenticationError"));
});
