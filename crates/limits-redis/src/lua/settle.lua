-- Replaces the charges of one request by what was true.
-- KEYS: a counter each. ARGV[1]: time or -1, when it was charged, margin. ARGV[2]: the permit. ARGV[3...]: for each
-- counter how it counts, what was charged and what it should have been.
local now, at, margin = read('<ddd', ARGV[1])
now = time(now)

-- Where the entries of a moving window begin that are not before `at`. Entries begin at 33 and have 16 bytes.
local function search(state)
  local low, high = 0, (#state - 32) / 16
  while low < high do
    local middle = floor((low + high) / 2)
    if read('<d', state, 33 + middle * 16) < at then low = middle + 1 else high = middle end
  end
  return 33 + low * 16
end

local function splice(state, from, upto, entry)
  return string.sub(state, 1, from - 1) .. entry .. string.sub(state, upto)
end

local function correct_moving(state, window, from, to)
  local born, latest, amount, total = read('<dddd', state)
  if born > at or at + window <= now then return nil end
  local place, step = search(state), step_of(amount, window)
  local is_end = place > #state
  local time, weight
  if not is_end then time, weight = read('<dd', state, place) end
  if to < from then
    if is_end then return nil end
    local less = min(from - to, weight)
    total = max(total - less, 0)
    local entry = weight > less and write('<dd', time, weight - less) or ''
    state = splice(state, place, place + 16, entry)
  else
    local more = to - from
    local is_full = #state >= 32 + 256 * 16
    total = total + more
    if not is_end and (is_full or floor(time / step) == floor(at / step)) then
      state = splice(state, place, place + 16, write('<dd', time, weight + more))
    elseif is_end and is_full then
      local _, weight = read('<dd', state, #state - 15)
      state = splice(state, #state - 15, #state + 1, write('<dd', at, weight + more))
    else
      state = splice(state, place, place, write('<dd', at, more))
    end
  end
  return write('<dddd', born, latest, amount, total) .. string.sub(state, 33)
end

local function correct_fixed(state, from, to)
  local born, latest, amount, opened, ends, used = read('<dddddd', state)
  if born > at or at < opened or at >= ends then return nil end
  return write('<dddddd', born, latest, amount, opened, ends, max(used - from, 0) + to)
end

-- What was used beyond the estimate is owed however late it is known; what was not used comes back within a window.
local function correct_bucket(key, state, amount, window, from, to)
  local born, latest, tokens, part = now, now, amount, 0
  if state then
    born, latest, amount, tokens, part = read('<ddddd', state)
    latest = max(latest, now)
    local _, before = read('<dd', state)
    tokens, part = fill(tokens, part, amount, window, latest - before)
  end
  if to > from then
    tokens = tokens - (to - from)
  elseif state and born <= at and at + window > latest then
    tokens = tokens + from - to
    if tokens >= amount then tokens, part = amount, 0 end
  else
    return
  end
  local full = amount == 0 and 0 or time_for(amount - tokens, part, amount, window)
  state = write('<ddddd', born, latest, amount, tokens, part)
  redis.call('SET', key, state, 'PX', max(window, min(full, 2 ^ 39)) + margin)
end

for i = 1, #KEYS do
  local key = KEYS[i]
  local kind, amount, window, from, to = read('<Bdddd', ARGV[i + 2])
  if kind == HELD then
    redis.call('ZREM', key, ARGV[2])
  else
    local state = redis.call('GET', key)
    if kind == BUCKET then
      correct_bucket(key, state, amount, window, from, to)
    elseif state then
      local corrected = kind == MOVING and correct_moving(state, window, from, to)
        or kind ~= MOVING and correct_fixed(state, from, to)
      if corrected then redis.call('SET', key, corrected, 'KEEPTTL') end
    end
  end
end
return 0
