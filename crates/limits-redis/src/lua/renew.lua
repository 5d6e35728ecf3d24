-- A replica says that it lives, and that its requests do.
-- KEYS[1]: the replicas by the time at which they are given up; KEYS[2...]: where a permit is held. ARGV[1]: time or -1,
-- lease, margin. ARGV[2]: the replica. ARGV[3...]: the permit at each key. Answers how many replicas live.
local now, lease, margin = read('<ddd', ARGV[1])
now = time(now)
local until_then, keep = milliseconds(now + lease), milliseconds(lease + margin)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', milliseconds(now))
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], until_then, ARGV[i + 1])
  redis.call('PEXPIRE', KEYS[i], keep)
end
return redis.call('ZCARD', KEYS[1])
