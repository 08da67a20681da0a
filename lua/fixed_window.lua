-- Decides one call on a fixed window. The twin of src/policy/fixed_window.cpp, which makes the decision of
-- what is replied here.
--
-- KEYS[1]  the window. A string "start:count": its start in us of Unix time, and the units admitted in it
-- ARGV[1]  the cost to charge; 0 for a peek
-- ARGV[2]  the limit
-- ARGV[3]  the length of a window, in us
-- ARGV[4]  how much longer than its state a key is kept, in ms
-- ARGV[5]  now, in us of Unix time; absent: the server's time
--
-- Reply    [1] n >= 0: the units used in the window before the call
--              n < 0: the same as -n - 1, and the state was healed
--          [2] the time until the window ends, in us
-- Writes   where the cost fits
-- Commands GET, TIME, PTTL, SET. O(1)
local cost, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now = tonumber(ARGV[5])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local BOUND = 9007199254740992  -- 2^53: numbers are exact below it
local start, used, healed = now - math.fmod(now, window), 0, false
local state = redis.pcall('GET', KEYS[1])
if type(state) == 'table' then
  if string.sub(state.err, 1, 9) ~= 'WRONGTYPE' then return state end
  state, healed = false, true
elseif state then
  local s, n = string.match(state, '^(%d+):(%d+)$')
  s, n = tonumber(s), tonumber(n)
  healed = not (s and s < BOUND and n < BOUND)
  if not healed then
    s = s - math.fmod(s, window)  -- its length may have been changed
    if s - now > window then
      healed = true
    elseif s >= start then
      start, used = s, n
    end
  end
end

local ends_in = start + window - now
if cost > 0 and used <= limit - cost then
  if state and redis.call('PTTL', KEYS[1]) == -1 then healed = true end  -- its expiry was lost
  redis.call('SET', KEYS[1], string.format('%.0f:%.0f', start, used + cost),
    'PX', string.format('%.0f', math.ceil(ends_in / 1000) + ARGV[4]))
end
return {healed and -used - 1 or used, ends_in}
