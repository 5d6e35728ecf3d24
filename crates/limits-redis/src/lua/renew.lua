-- A replica says that it lives, and that its requests do.
-- KEYS[1]: the replicas by the time at which they are given up; KEYS[2...]: where a permit is held. ARGV[1]: time or -1,
-- lease, margin. ARGV[2]: the replica. ARGV[3...]: the permit at each key. Answers how many replicas live.
local now, lease, margin = read('<ddd', ARGV[1])
now = time(now)
for i = 1, #KEYS do
  -- What others did not renew.
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
  redis.call('ZADD', KEYS[i], now + lease, ARGV[i + 1])
  redis.call('PEXPIRE', KEYS[i], lease + margin)
end
return redis.call('ZCARD', KEYS[1])
