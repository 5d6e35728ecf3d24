-- Objects of all kinds. What is looked up has a column; the rest is JSON, so that a new member needs no migration.
CREATE TABLE records (
  kind TEXT NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  org TEXT NOT NULL,
  workspace TEXT NOT NULL,            -- '' for objects of the organisation
  slug TEXT,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, id)
);
CREATE UNIQUE INDEX records_slug ON records (kind, org, workspace, slug) WHERE slug IS NOT NULL;
CREATE INDEX records_org ON records (org, kind, id);
CREATE INDEX records_workspace ON records (org, workspace, kind, id);

-- Hashes of what clients send: keys, cookies, links.
CREATE TABLE digests (
  digest BYTEA NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  id TEXT NOT NULL
);
CREATE INDEX digests_owner ON digests (kind, id);

CREATE TABLE versions (
  kind TEXT NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  comment TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, id, version)
);

CREATE TABLE changes (
  seq BIGINT NOT NULL PRIMARY KEY,
  op TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  org TEXT NOT NULL,
  workspace TEXT NOT NULL,
  version BIGINT NOT NULL
);

-- Numbers that never go back, also when rows go.
CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL);
INSERT INTO counters VALUES ('change', 0), ('forgotten', 0);

CREATE TABLE audit (
  seq BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  org TEXT NOT NULL,
  workspace TEXT NOT NULL,
  entry TEXT NOT NULL,
  hash BYTEA NOT NULL
);
CREATE INDEX audit_org ON audit (org, seq);
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'audit entries are neither changed nor removed'; END $$;
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
  FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();
CREATE TABLE audit_head (one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1), seq BIGINT NOT NULL, hash BYTEA NOT NULL);
INSERT INTO audit_head VALUES (1, 0, '');

CREATE TABLE data_keys (
  id TEXT NOT NULL PRIMARY KEY,
  owner TEXT NOT NULL UNIQUE,         -- '' for the store's own
  master TEXT NOT NULL,
  wrapped BYTEA NOT NULL
);

CREATE TABLE last_used (
  kind TEXT NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (kind, id)
);
