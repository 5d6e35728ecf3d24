-- KEYS[1]: the number of the latest change. ARGV[1]: a change's number. ARGV[2]: the channel. ARGV[3]: how long to keep.
if tonumber(ARGV[1]) > tonumber(redis.call('GET', KEYS[1]) or '-1') then
  redis.call('SET', KEYS[1], ARGV[1])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return redis.call('PUBLISH', ARGV[2], ARGV[1])
