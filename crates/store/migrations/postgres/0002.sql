-- How alert rules stand: what the last look found. No audit entries: a look is no change that somebody made.
CREATE TABLE alert_states (
  rule TEXT NOT NULL PRIMARY KEY,
  version BIGINT NOT NULL,
  body TEXT NOT NULL
);

-- What rules told: ids sort by time.
CREATE TABLE alert_events (
  rule TEXT COLLATE "C" NOT NULL,
  id TEXT COLLATE "C" NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (rule, id)
);

-- Work that one replica at a time does, and when it was last taken.
CREATE TABLE turns (name TEXT NOT NULL PRIMARY KEY, at BIGINT NOT NULL);
