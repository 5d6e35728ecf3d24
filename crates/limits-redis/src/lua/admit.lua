-- One request on all its counters: looks at all of them, then charges all of them or none.
-- KEYS: a counter each. ARGV[1]: time or -1, lease, margin. ARGV[2]: the permit. ARGV[3...]: how each counter counts.
-- Answers {admitted, time, and for each counter: wait, remaining, reset}.
--
-- A counter is a string: born, latest time, amount, then
--   a fixed window: opened, ends, used
--   a bucket: tokens, part of a token
--   a moving window: total, then time and weight of each entry, oldest first.
-- Requests that are being served are a sorted set: permits by the time at which their lease ends.
local now, lease, margin = read('<ddd', ARGV[1])
now = time(now)
local states = redis.call('MGET', unpack(KEYS))
-- A server's clock that was set back stands still for the counters that have seen later times.
for i = 1, #KEYS do
  if states[i] then
    local _, latest = read('<dd', states[i])
    now = max(now, latest)
  end
end

local function fits(used, need, amount)
  return used + max(need, 1) <= amount or (used == 0 and amount > 0)
end

local look, charge, gauge = {}, {}, {}

look[HELD] = function(cell)
  cell.used = redis.call('ZCOUNT', cell.key, '(' .. milliseconds(now), '+inf')
  return fits(cell.used, cell.need, cell.amount) and 0 or 1000
end

charge[HELD] = function(cell)
  redis.call('ZREMRANGEBYSCORE', cell.key, '-inf', milliseconds(now))
  redis.call('ZADD', cell.key, milliseconds(now + lease), ARGV[2])
  redis.call('PEXPIRE', cell.key, milliseconds(lease + margin))
  cell.used = cell.used + cell.need
end

gauge[HELD] = function(cell)
  return max(cell.amount - cell.used, 0), 0
end

look[CLOCK] = function(cell)
  local window, state = cell.window, cell.state
  cell.born, cell.opened, cell.ends, cell.used = now, 0, 0, 0
  if state then
    local born, _, _, opened, ends, used = read('<dddddd', state)
    cell.born, cell.opened, cell.ends, cell.used = born, opened, ends, used
  end
  if now >= cell.ends then
    cell.used, cell.ends = 0, 0
    if cell.kind == CLOCK then
      local into = (now + window - cell.offset) % window
      cell.opened, cell.ends = max(now - into, 0), now - into + window
    end
  end
  if fits(cell.used, cell.need, cell.amount) then return 0 end
  return cell.ends == 0 and window or max(cell.ends - now, 1)
end

charge[CLOCK] = function(cell)
  if cell.ends == 0 then
    cell.opened, cell.ends = now, now + cell.window
  elseif cell.kind == LAST_USE then
    cell.ends = now + cell.window
  end
  cell.used = cell.used + cell.need
  local state = write('<dddddd', cell.born, now, cell.amount, cell.opened, cell.ends, cell.used)
  redis.call('SET', cell.key, state, 'PX', milliseconds(cell.window + margin))
end

gauge[CLOCK] = function(cell)
  return max(cell.amount - cell.used, 0), max(cell.ends - now, 0)
end

look[MOVING] = function(cell)
  local window, state = cell.window, cell.state
  cell.born, cell.used, cell.log = now, 0, ''
  if state then
    local born, _, _, used = read('<dddd', state)
    local from = 33
    while from < #state do
      local at, weight = read('<dd', state, from)
      if at + window > now then break end
      used, from = max(used - weight, 0), from + 16
    end
    cell.born, cell.used, cell.log = born, used, string.sub(state, from)
  end
  if fits(cell.used, cell.need, cell.amount) then return 0 end
  local left = cell.used
  for from = 1, #cell.log, 16 do
    local at, weight = read('<dd', cell.log, from)
    left = max(left - weight, 0)
    if fits(left, cell.need, cell.amount) then return max(at + window - now, 1) end
  end
  return window
end

charge[MOVING] = function(cell)
  local log, need = cell.log, cell.need
  if need > 0 then
    local step = step_of(cell.amount, cell.window)
    local at, weight
    if log ~= '' then at, weight = read('<dd', log, #log - 15) end
    if at and (#log >= 256 * 16 or floor(at / step) == floor(now / step)) then
      log = string.sub(log, 1, -17) .. write('<dd', max(at, now), weight + need)
    else
      log = log .. write('<dd', now, need)
    end
    cell.used, cell.log = cell.used + need, log
  end
  local state = write('<dddd', cell.born, now, cell.amount, cell.used) .. cell.log
  redis.call('SET', cell.key, state, 'PX', milliseconds(cell.window + margin))
end

gauge[MOVING] = function(cell)
  local reset = 0
  if cell.log ~= '' then reset = max(read('<d', cell.log, #cell.log - 15) + cell.window - now, 0) end
  return max(cell.amount - cell.used, 0), reset
end

look[BUCKET] = function(cell)
  local amount, window, state = cell.amount, cell.window, cell.state
  cell.born, cell.tokens, cell.part = now, amount, 0
  if state then
    local born, latest, _, tokens, part = read('<ddddd', state)
    cell.born = born
    cell.tokens, cell.part = fill(tokens, part, amount, window, now - latest)
  end
  if amount == 0 then return window end
  return time_for(min(max(cell.need, 1), amount) - cell.tokens, cell.part, amount, window)
end

gauge[BUCKET] = function(cell)
  local reset = cell.amount == 0 and 0 or time_for(cell.amount - cell.tokens, cell.part, cell.amount, cell.window)
  return max(cell.tokens, 0), reset
end

charge[BUCKET] = function(cell)
  cell.tokens = cell.tokens - cell.need
  local state = write('<ddddd', cell.born, now, cell.amount, cell.tokens, cell.part)
  local _, reset = gauge[BUCKET](cell)
  redis.call('SET', cell.key, state, 'PX', milliseconds(max(cell.window, min(reset, 2 ^ 39)) + margin))
end

-- The fixed windows differ by when they open and end only.
for kind = CLOCK + 1, LAST_USE do look[kind], charge[kind], gauge[kind] = look[CLOCK], charge[CLOCK], gauge[CLOCK] end

local cells, answer, admitted = {}, { 0, now }, true
for i = 1, #KEYS do
  local kind, need, amount, window, offset = read('<Bdddd', ARGV[i + 2])
  local cell = {
    key = KEYS[i], state = states[i], kind = kind, need = need, amount = amount, window = window, offset = offset
  }
  cells[i] = cell
  local wait = look[kind](cell)
  answer[i * 3] = wait
  admitted = admitted and wait == 0
end
for i = 1, #KEYS do
  local cell = cells[i]
  if admitted then charge[cell.kind](cell) end
  answer[i * 3 + 1], answer[i * 3 + 2] = gauge[cell.kind](cell)
end
answer[1] = admitted and 1 or 0
return answer
