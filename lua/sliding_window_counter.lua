-- Decides one call on a sliding window counter. The twin of src/policy/sliding_window_counter.cpp, which
-- makes the decision of what is replied here.
--
-- KEYS[1]  the counter. A string "start:count:previous": the start of a window in us of Unix time, the
--          units admitted in it, and those admitted in the window before
-- ARGV[1]  the cost to charge; 0 for a peek
-- ARGV[2]  the limit
-- ARGV[3]  the length of a window, in us
-- ARGV[4]  how much longer than its state a key is kept, in ms
-- ARGV[5]  now, in us of Unix time; absent: the server's time
--
-- Reply    [1] n >= 0: the units of the present window before the call
--              n < 0: the same as -n - 1, and the state was healed
--          [2] the units of the window before it
--          [3] the time since the present window's start, in us; negative where the clock stepped back
-- Writes   where the cost fits
-- Commands GET, TIME, PTTL, SET. O(1)
local cost, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now = tonumber(ARGV[5])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local BOUND = 9007199254740992  -- 2^53: numbers are exact below it
local start, count, previous, healed = now - math.fmod(now, window), 0, 0, false
local state = redis.pcall('GET', KEYS[1])
if type(state) == 'table' then
  if string.sub(state.err, 1, 9) ~= 'WRONGTYPE' then return state end
  state, healed = false, true
elseif state then
  local s, n, p = string.match(state, '^(%d+):(%d+):(%d+)$')
  s, n, p = tonumber(s), tonumber(n), tonumber(p)
  healed = not (s and s < BOUND and n < BOUND and p < BOUND)
  if not healed then
    s = s - math.fmod(s, window)  -- its length may have been changed
    if s - now > window then
      healed = true
    elseif s >= start then
      start, count, previous = s, n, p
    elseif s == start - window then
      previous = n
    end
  end
end

local elapsed = now - start
local room = limit - count - cost
-- Both sides are exact below 2^53; the left one may pass it after the limit was lowered, and is then the
-- larger one all the same.
if cost > 0 and room >= 0 and previous * (window - math.max(elapsed, 0)) <= room * window then
  if state and redis.call('PTTL', KEYS[1]) == -1 then healed = true end  -- its expiry was lost
  redis.call('SET', KEYS[1], string.format('%.0f:%.0f:%.0f', start, count + cost, previous),
    'PX', string.format('%.0f', math.ceil((2 * window - elapsed) / 1000) + ARGV[4]))
end
return {healed and -count - 1 or count, previous, elapsed}
