-- Numbers are doubles: whole up to 2^53. Amounts are below 2^50 and windows below 2^39, so their products need care.
local read, write, floor, max, min = struct.unpack, struct.pack, math.floor, math.max, math.min
local WHOLE = 2 ^ 53
local HELD, CLOCK, LAST_USE, MOVING, BUCKET = 0, 1, 3, 4, 5

-- Quotient and rest of a * b / by, exactly, without ever making the product.
local function share(a, b, by)
  local product = a * b
  if product < WHOLE then
    local quotient = floor(product / by)
    return quotient, product - quotient * by
  end
  local whole = floor(a / by)
  a = a - whole * by
  local step = by < 2 ^ 39 and 8192 or 4
  local digits, left = {}, b
  while left > 0 do
    local higher = floor(left / step)
    digits[#digits + 1] = left - higher * step
    left = higher
  end
  local quotient, rest = 0, 0
  for i = #digits, 1, -1 do
    local next = rest * step + a * digits[i]
    local times = floor(next / by)
    quotient, rest = quotient * step + times, next - times * by
  end
  return whole * b + quotient, rest
end

-- A bucket's level is whole tokens and a part of one, in window-ths. Milliseconds in which `tokens` less that part
-- come in, rounded up.
local function time_for(tokens, part, amount, window)
  if tokens <= 0 then return 0 end
  local quotient, rest = share(tokens - 1, window, amount)
  return min(quotient + floor((rest + window - part + amount - 1) / amount), WHOLE)
end

local function fill(tokens, part, amount, window, elapsed)
  local quotient, rest = share(amount, elapsed, window)
  tokens, part = tokens + quotient, part + rest
  if part >= window then tokens, part = tokens + 1, part - window end
  if tokens >= amount then return amount, 0 end
  return tokens, part
end

-- Entries of a moving window within the same multiple of this are one.
local function step_of(amount, window)
  return amount <= 128 and 1 or max(floor(window / 128), 1)
end

-- The caller's time in tests; else the server's.
local function time(given)
  if given >= 0 then return given end
  local now = redis.call('TIME')
  return now[1] * 1000 + floor(now[2] / 1000)
end
