-- What each holder says that it has used of a period: no more than it claimed, so that what was used before a reset by hand
-- does not count after it.
CREATE TABLE tidegate_ledger_used (
  budget BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  start BIGINT NOT NULL,
  holder TEXT NOT NULL,
  amount NUMERIC(38, 20) NOT NULL CHECK (amount >= 0),
  PRIMARY KEY (budget, epoch, start, holder),
  FOREIGN KEY (budget, epoch, start) REFERENCES tidegate_ledger_periods ON DELETE CASCADE
);

-- Thresholds that were reached: each is told by the replica that puts its row here.
CREATE TABLE tidegate_ledger_reached (
  budget BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  start BIGINT NOT NULL,
  mark NUMERIC(38, 20) NOT NULL,
  PRIMARY KEY (budget, epoch, start, mark),
  FOREIGN KEY (budget, epoch, start) REFERENCES tidegate_ledger_periods ON DELETE CASCADE
);

-- Notes what a holder has used, and gives the thresholds that all of them together have reached by that, each to one holder.
CREATE FUNCTION tidegate_ledger_reach(
  p_holder TEXT, p_scope TEXT, p_owner TEXT, p_unit TEXT, p_reset TEXT, p_start BIGINT, p_used NUMERIC, p_marks NUMERIC[]
) RETURNS TABLE (mark NUMERIC, used NUMERIC) LANGUAGE plpgsql AS $$
DECLARE
  v_id BIGINT;
  v_epoch BIGINT;
  v_used NUMERIC;
BEGIN
  SELECT id, epoch INTO v_id, v_epoch FROM tidegate_ledger_budgets
    WHERE scope = p_scope AND owner = p_owner AND unit = p_unit AND reset = p_reset AND NOT removed;
  -- One after the other: the last to speak sees what all the others said.
  PERFORM 1 FROM tidegate_ledger_periods WHERE budget = v_id AND epoch = v_epoch AND start = p_start FOR UPDATE;
  SELECT least(greatest(p_used, 0), claims.amount) INTO v_used FROM tidegate_ledger_claims claims
    WHERE claims.budget = v_id AND claims.epoch = v_epoch AND claims.start = p_start AND claims.holder = p_holder;
  IF v_used IS NULL THEN
    RETURN;
  END IF;
  INSERT INTO tidegate_ledger_used AS mine VALUES (v_id, v_epoch, p_start, p_holder, v_used)
    ON CONFLICT (budget, epoch, start, holder) DO UPDATE SET amount = v_used;
  SELECT sum(amount) INTO v_used FROM tidegate_ledger_used
    WHERE budget = v_id AND epoch = v_epoch AND start = p_start;
  RETURN QUERY
    WITH told AS (
      INSERT INTO tidegate_ledger_reached AS reached
        SELECT v_id, v_epoch, p_start, one FROM unnest(p_marks) AS one WHERE one <= v_used
        ON CONFLICT DO NOTHING RETURNING reached.mark
    )
    SELECT told.mark, v_used FROM told ORDER BY told.mark;
END $$;
