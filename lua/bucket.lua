-- Decides one call on a token bucket or a leaky bucket, which are the same on the server. The twin of
-- src/policy/bucket.cpp, which explains the units and makes the decision of what is replied here.
--
-- KEYS[1]  the bucket. A string "t" or "t:f": the instant at which all that is owed is drained, t + f/den
--          microseconds. t counts from 2^52 us of Unix time (the year 2112), so that now plus any span
--          that a policy may have is a number that Lua holds exactly.
-- ARGV[1]  the charge, in units of 1/den us; 0 for a peek
-- ARGV[2]  full: the most that may be owed, in units of 1/den us
-- ARGV[3]  den: the units that drain in one microsecond
-- ARGV[4]  how much longer than its state a key is kept, in ms
-- ARGV[5]  now, in us of Unix time; absent: the server's time
--
-- Reply    d >= 0: what was owed before the call, in units of 1/den us
--          d < 0: the same as -d - 1, and the state was healed
-- Writes   where the charge fits; and, where the state came from a clock that ran wild, in any case
-- Commands GET, TIME, PTTL, SET. O(1)
local charge, full, den = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now = tonumber(ARGV[5])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
now = now - 4503599627370496

local debt, healed, wild = 0, false, false
local state = redis.pcall('GET', KEYS[1])
if type(state) == 'table' then
  if string.sub(state.err, 1, 9) ~= 'WRONGTYPE' then return state end
  state, healed = false, true
elseif state then
  local t, f = string.match(state, '^(-?%d+):?(%d*)$')
  healed = not (t and #t <= 17 and #f <= 16)
  if not healed then
    local ahead = tonumber(t) - now
    if ahead >= 0 then
      -- A fraction not below den was stored at another rate.
      debt = ahead * den + math.min(tonumber(f) or 0, den - 1)
      wild = debt > full
      healed = wild
      if wild then debt = full end
    end
  end
end

local allowed = charge <= full - debt
if charge > 0 and (allowed or wild) then
  if state and redis.call('PTTL', KEYS[1]) == -1 then healed = true end  -- its expiry was lost
  local owed = allowed and debt + charge or debt
  local f = math.fmod(owed, den)
  local drained_in = (owed - f) / den
  local t = string.format('%.0f', now + drained_in)
  if f > 0 then t = t .. string.format(':%.0f', f) end
  redis.call('SET', KEYS[1], t, 'PX', string.format('%.0f', math.ceil(drained_in / 1000) + ARGV[4]))
end
return healed and -debt - 1 or debt
