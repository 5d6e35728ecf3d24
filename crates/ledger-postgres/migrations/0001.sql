-- Budgets as the control plane last said: the highest version counts.
CREATE TABLE tidegate_ledger_budgets (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  scope TEXT NOT NULL,
  owner TEXT NOT NULL,
  unit TEXT NOT NULL,
  reset TEXT NOT NULL,
  amount NUMERIC(38, 20) NOT NULL,
  version BIGINT NOT NULL,
  removed BOOLEAN NOT NULL DEFAULT FALSE,
  epoch BIGINT NOT NULL DEFAULT 0,    -- rises when somebody resets it by hand: claims of earlier ones count no more
  UNIQUE (scope, owner, unit, reset)
);

-- How much of a period was claimed by all.
CREATE TABLE tidegate_ledger_periods (
  budget BIGINT NOT NULL REFERENCES tidegate_ledger_budgets ON DELETE CASCADE,
  epoch BIGINT NOT NULL,
  start BIGINT NOT NULL,              -- milliseconds since 1970
  ends BIGINT,                        -- NULL: never
  claimed NUMERIC(38, 20) NOT NULL CHECK (claimed >= 0),
  PRIMARY KEY (budget, epoch, start)
);
CREATE INDEX tidegate_ledger_periods_ends ON tidegate_ledger_periods (ends);

-- And by whom. Its sum is what the period says.
CREATE TABLE tidegate_ledger_claims (
  budget BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  start BIGINT NOT NULL,
  holder TEXT NOT NULL,
  amount NUMERIC(38, 20) NOT NULL CHECK (amount >= 0),
  PRIMARY KEY (budget, epoch, start, holder),
  FOREIGN KEY (budget, epoch, start) REFERENCES tidegate_ledger_periods ON DELETE CASCADE
);

-- The last thing that was done for each line of a process, so that doing it again does nothing.
CREATE TABLE tidegate_ledger_lines (
  line TEXT NOT NULL PRIMARY KEY,
  op BIGINT NOT NULL,
  granted NUMERIC(38, 20) NOT NULL,
  at TIMESTAMPTZ NOT NULL
);

-- Whether an operation is still to be done: it locks the line. A line does one after the other, so one that comes late
-- (its connection broke, and it was done on another) is not the next.
CREATE FUNCTION tidegate_ledger_is_next(p_line TEXT, p_op BIGINT) RETURNS BOOLEAN LANGUAGE plpgsql AS $$
DECLARE
  v_op BIGINT;
BEGIN
  INSERT INTO tidegate_ledger_lines VALUES (p_line, 0, 0, clock_timestamp()) ON CONFLICT DO NOTHING;
  SELECT op INTO v_op FROM tidegate_ledger_lines WHERE line = p_line FOR UPDATE;
  RETURN p_op > v_op;
END $$;

CREATE FUNCTION tidegate_ledger_claim(
  p_line TEXT, p_op BIGINT, p_holder TEXT, p_scope TEXT, p_owner TEXT, p_unit TEXT, p_reset TEXT,
  p_start BIGINT, p_ends BIGINT, p_least NUMERIC, p_want NUMERIC
) RETURNS NUMERIC LANGUAGE plpgsql AS $$
DECLARE
  v_budget tidegate_ledger_budgets;
  v_left NUMERIC;
  v_grant NUMERIC := 0;
BEGIN
  IF NOT tidegate_ledger_is_next(p_line, p_op) THEN
    SELECT granted INTO v_grant FROM tidegate_ledger_lines WHERE line = p_line AND op = p_op;
    RETURN coalesce(v_grant, 0);
  END IF;
  SELECT * INTO v_budget FROM tidegate_ledger_budgets
    WHERE scope = p_scope AND owner = p_owner AND unit = p_unit AND reset = p_reset AND NOT removed;
  IF FOUND AND (p_ends IS NULL OR p_ends > extract(epoch FROM clock_timestamp()) * 1000) THEN
    INSERT INTO tidegate_ledger_periods VALUES (v_budget.id, v_budget.epoch, p_start, p_ends, 0)
      ON CONFLICT DO NOTHING;
    SELECT v_budget.amount - claimed INTO v_left FROM tidegate_ledger_periods
      WHERE budget = v_budget.id AND epoch = v_budget.epoch AND start = p_start FOR UPDATE;
    IF v_left >= p_least AND v_left > 0 THEN
      v_grant := least(v_left, greatest(p_want, p_least));
      UPDATE tidegate_ledger_periods SET claimed = claimed + v_grant
        WHERE budget = v_budget.id AND epoch = v_budget.epoch AND start = p_start;
      INSERT INTO tidegate_ledger_claims AS mine VALUES (v_budget.id, v_budget.epoch, p_start, p_holder, v_grant)
        ON CONFLICT (budget, epoch, start, holder) DO UPDATE SET amount = mine.amount + v_grant;
    END IF;
  END IF;
  UPDATE tidegate_ledger_lines SET op = p_op, granted = v_grant, at = clock_timestamp() WHERE line = p_line;
  RETURN v_grant;
END $$;

-- Never more than the holder has on record in the running epoch: what it claimed before a reset is gone already.
CREATE FUNCTION tidegate_ledger_give_back(
  p_line TEXT, p_op BIGINT, p_holder TEXT, p_scope TEXT, p_owner TEXT, p_unit TEXT, p_reset TEXT,
  p_start BIGINT, p_rest NUMERIC
) RETURNS NUMERIC LANGUAGE plpgsql AS $$
DECLARE
  v_id BIGINT;
  v_epoch BIGINT;
  v_back NUMERIC := 0;
BEGIN
  IF NOT tidegate_ledger_is_next(p_line, p_op) THEN
    RETURN 0;
  END IF;
  SELECT id, epoch INTO v_id, v_epoch FROM tidegate_ledger_budgets
    WHERE scope = p_scope AND owner = p_owner AND unit = p_unit AND reset = p_reset;
  IF FOUND THEN
    PERFORM 1 FROM tidegate_ledger_periods WHERE budget = v_id AND epoch = v_epoch AND start = p_start FOR UPDATE;
    SELECT least(amount, greatest(p_rest, 0)) INTO v_back FROM tidegate_ledger_claims
      WHERE budget = v_id AND epoch = v_epoch AND start = p_start AND holder = p_holder FOR UPDATE;
    v_back := coalesce(v_back, 0);
    UPDATE tidegate_ledger_claims SET amount = amount - v_back
      WHERE budget = v_id AND epoch = v_epoch AND start = p_start AND holder = p_holder;
    UPDATE tidegate_ledger_periods SET claimed = claimed - v_back
      WHERE budget = v_id AND epoch = v_epoch AND start = p_start;
  END IF;
  UPDATE tidegate_ledger_lines SET op = p_op, granted = 0, at = clock_timestamp() WHERE line = p_line;
  RETURN v_back;
END $$;

-- What a holder that is gone had spent after all. Returns what came free.
CREATE FUNCTION tidegate_ledger_resolve(
  p_holder TEXT, p_scope TEXT, p_owner TEXT, p_unit TEXT, p_reset TEXT, p_start BIGINT, p_spent NUMERIC
) RETURNS NUMERIC LANGUAGE plpgsql AS $$
DECLARE
  v_id BIGINT;
  v_epoch BIGINT;
  v_back NUMERIC;
BEGIN
  SELECT id, epoch INTO v_id, v_epoch FROM tidegate_ledger_budgets
    WHERE scope = p_scope AND owner = p_owner AND unit = p_unit AND reset = p_reset;
  PERFORM 1 FROM tidegate_ledger_periods WHERE budget = v_id AND epoch = v_epoch AND start = p_start FOR UPDATE;
  SELECT greatest(amount - p_spent, 0) INTO v_back FROM tidegate_ledger_claims
    WHERE budget = v_id AND epoch = v_epoch AND start = p_start AND holder = p_holder FOR UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  UPDATE tidegate_ledger_claims SET amount = amount - v_back
    WHERE budget = v_id AND epoch = v_epoch AND start = p_start AND holder = p_holder;
  UPDATE tidegate_ledger_periods SET claimed = claimed - v_back
    WHERE budget = v_id AND epoch = v_epoch AND start = p_start;
  RETURN v_back;
END $$;
