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
local count = #KEYS
local states = redis.call('MGET', unpack(KEYS))
-- A server's clock that was set back stands still for the counters that have seen later times.
for i = 1, count do
  if states[i] then
    local _, latest = read('<dd', states[i])
    if latest > now then now = latest end
  end
end

local function fits(used, need, amount)
  return used + (need > 1 and need or 1) <= amount or (used == 0 and amount > 0)
end

-- Everything is done in place, without a function per way to count: making functions and growing tables would cost
-- more than all the commands do.
local cells, answer, admitted = {}, { 0, now }, true
for i = 1, count do
  local kind, need, amount, window, offset = read('<Bdddd', ARGV[i + 2])
  local state, wait, born = states[i], 0, now
  if kind == HELD then
    local used = redis.call('ZCOUNT', KEYS[i], now + 1, '+inf')
    if not fits(used, need, amount) then wait = 1000 end
    cells[i] = { kind, need, amount, window, born, used }
  elseif kind == BUCKET then
    local tokens, part = amount, 0
    if state then
      local latest, _
      born, latest, _, tokens, part = read('<ddddd', state)
      tokens, part = fill(tokens, part, amount, window, now - latest)
    end
    wait = amount == 0 and window or time_for(min(max(need, 1), amount) - tokens, part, amount, window)
    cells[i] = { kind, need, amount, window, born, tokens, part }
  elseif kind == MOVING then
    local used, log = 0, ''
    if state then
      local from, length, _ = 33, #state, nil
      born, _, _, used = read('<dddd', state)
      while from < length do
        local at, weight = read('<dd', state, from)
        if at + window > now then break end
        used, from = max(used - weight, 0), from + 16
      end
      log = string.sub(state, from)
    end
    if not fits(used, need, amount) then
      local left = used
      wait = window
      for from = 1, #log, 16 do
        local at, weight = read('<dd', log, from)
        left = max(left - weight, 0)
        if fits(left, need, amount) then
          wait = max(at + window - now, 1)
          break
        end
      end
    end
    cells[i] = { kind, need, amount, window, born, used, log }
  else
    local opened, ends, used = 0, 0, 0
    if state then
      local _
      born, _, _, opened, ends, used = read('<dddddd', state)
    end
    if now >= ends then
      used, ends = 0, 0
      if kind == CLOCK then
        local into = (now + window - offset) % window
        opened, ends = max(now - into, 0), now - into + window
      end
    end
    if not fits(used, need, amount) then
      wait = ends == 0 and window or max(ends - now, 1)
    end
    cells[i] = { kind, need, amount, window, born, used, opened, ends }
  end
  answer[i * 3] = wait
  answer[i * 3 + 1] = 0
  answer[i * 3 + 2] = 0
  if wait > 0 then admitted = false end
end

for i = 1, count do
  local cell = cells[i]
  local kind, need, amount, window, born, used = cell[1], cell[2], cell[3], cell[4], cell[5], cell[6]
  local reset, state = 0, nil
  local keep = window + margin
  if kind == HELD then
    if admitted then
      redis.call('ZADD', KEYS[i], now + lease, ARGV[2])
      redis.call('PEXPIRE', KEYS[i], lease + margin)
      used = used + need
    end
  elseif kind == BUCKET then
    local tokens, part = used, cell[7]
    if admitted then tokens = tokens - need end
    if amount > 0 then reset = time_for(amount - tokens, part, amount, window) end
    if admitted then
      state = write('<ddddd', born, now, amount, tokens, part)
      keep = max(window, min(reset, 2 ^ 39)) + margin
    end
    used = amount - max(tokens, 0)
  elseif kind == MOVING then
    local log = cell[7]
    if admitted then
      if need > 0 then
        local step, length, at, weight = step_of(amount, window), #log, nil, nil
        if length > 0 then at, weight = read('<dd', log, length - 15) end
        if at and (length >= 256 * 16 or floor(at / step) == floor(now / step)) then
          log = string.sub(log, 1, -17) .. write('<dd', max(at, now), weight + need)
        else
          log = log .. write('<dd', now, need)
        end
        used = used + need
      end
      state = write('<dddd', born, now, amount, used) .. log
    end
    if log ~= '' then reset = max(read('<d', log, #log - 15) + window - now, 0) end
  else
    local opened, ends = cell[7], cell[8]
    if admitted then
      if ends == 0 then
        opened, ends = now, now + window
      elseif kind == LAST_USE then
        ends = now + window
      end
      used = used + need
      state = write('<dddddd', born, now, amount, opened, ends, used)
    end
    reset = max(ends - now, 0)
  end
  if state then redis.call('SET', KEYS[i], state, 'PX', keep) end
  answer[i * 3 + 1] = max(amount - used, 0)
  answer[i * 3 + 2] = reset
end
answer[1] = admitted and 1 or 0
return answer
