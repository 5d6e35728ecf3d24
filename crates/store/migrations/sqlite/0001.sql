-- Objects of all kinds. What is looked up has a column; the rest is JSON, so that a new member needs no migration.
CREATE TABLE records (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  org TEXT NOT NULL,
  workspace TEXT NOT NULL,            -- '' for objects of the organisation
  slug TEXT,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX records_slug ON records (kind, org, workspace, slug) WHERE slug IS NOT NULL;
CREATE INDEX records_org ON records (org, kind, id);
CREATE INDEX records_workspace ON records (org, workspace, kind, id);

-- Hashes of what clients send: keys, cookies, links.
CREATE TABLE digests (
  digest BLOB NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX digests_owner ON digests (kind, id);

CREATE TABLE versions (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  at INTEGER NOT NULL,
  author TEXT NOT NULL,
  comment TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE changes (
  seq INTEGER NOT NULL PRIMARY KEY,
  op TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  org TEXT NOT NULL,
  workspace TEXT NOT NULL,
  version INTEGER NOT NULL
) STRICT;

-- Numbers that never go back, also when rows go.
CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES ('change', 0), ('forgotten', 0);

CREATE TABLE audit (
  seq INTEGER NOT NULL PRIMARY KEY,
  at INTEGER NOT NULL,
  org TEXT NOT NULL,
  workspace TEXT NOT NULL,
  entry TEXT NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE INDEX audit_org ON audit (org, seq);
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit entries are not changed'); END;
CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit entries are not removed'); END;
CREATE TABLE audit_head (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
INSERT INTO audit_head VALUES (1, 0, x'');

CREATE TABLE data_keys (
  id TEXT NOT NULL PRIMARY KEY,
  owner TEXT NOT NULL UNIQUE,         -- '' for the store's own
  master TEXT NOT NULL,
  wrapped BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE last_used (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
