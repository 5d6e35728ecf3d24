-- How alert rules stand: what the last look found. No audit entries: a look is no change that somebody made.
CREATE TABLE alert_states (
  rule TEXT NOT NULL PRIMARY KEY,
  version INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What rules told: ids sort by time.
CREATE TABLE alert_events (
  rule TEXT NOT NULL,
  id TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (rule, id)
) STRICT, WITHOUT ROWID;

-- Work that one replica at a time does, and when it was last taken.
CREATE TABLE turns (name TEXT NOT NULL PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
