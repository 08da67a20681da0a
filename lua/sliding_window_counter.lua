-- Decides calls on sliding window counters. The twin of src/policy/sliding_window_counter.cpp, which makes
-- the decisions of what is replied here.
--
-- KEYS[i]  a counter, 1 <= i <= 64; the same may come again and then has what came before. A string of
--          three doubles, little-endian: the start of a window in us of Unix time, the units admitted in
--          it, and those admitted in the window before
-- ARGV[1]  numbers as doubles, little-endian:
--          [1] the limit
--          [2] the length of a window, in us
--          [3] how much longer than its state a key is kept, in ms, even; up to 3 ms more
--          [4] now, in us of Unix time; negative: the server's time
--          [5] the cost to charge to each; 0 for a peek. Or for each key two numbers: the cost and how many
--              such calls are made, of which as many are granted as fit
--
-- Reply    for each key three numbers:
--          [1] n >= 0: the units of the present window before its calls
--              n < 0: the same as -n - 1, and the state was healed
--              an error: why there is no answer; the key is as it was, and [2] and [3] are 0
--          [2] the units of the window before it
--          [3] the time since the present window's start, in us; negative where the clock stepped back
-- Writes   where a cost fits
-- Commands TIME; for each key GET, SET; PTTL where the key ought to have gone. O(1) a key
local unpack, numbers = struct.unpack, ARGV[1]
local limit, window, slack, now, cost = unpack('<ddddd', numbers)
local times, alike, sent = 1, #numbers == 40, now >= 0
if not sent then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local BOUND = 9007199254740992  -- 2^53: numbers are exact below it
local late = sent and 0 or -1000 * slack - 4000  -- what is found then ought to have gone
local present = now - math.fmod(now, window)
local kept_for, kept_from
local replies = {}

local function is_count(n) return n >= 0 and n < BOUND and n % 1 == 0 end

for i = 1, #KEYS do
  local key, start, count, previous, healed = KEYS[i], present, 0, 0, false
  if not alike then cost, times = unpack('<dd', numbers, 16 * i + 17) end
  local state, failure = redis.pcall('GET', key), nil
  if state then
    local s, n, p = -1, 0, 0
    if #state == 24 then
      s, n, p = unpack('<ddd', state)
    elseif state.err and string.sub(state.err, 1, 9) ~= 'WRONGTYPE' then
      failure = state
    end
    if not (is_count(s) and is_count(n) and is_count(p)) then
      healed = true
    elseif s == present then
      count, previous = n, p
    else
      s = s - math.fmod(s, window)  -- its length may have been changed
      if s - now > window then
        healed = true
      elseif s >= present then
        start, count, previous = s, n, p
      elseif s == present - window then
        previous = n
      elseif s + 2 * window - now < late and cost > 0 then
        healed = redis.pcall('PTTL', key) == -1
      end
    end
  end

  -- All is exact below 2^53. What is subtracted may pass it after the limit was lowered, and is then
  -- the larger one all the same.
  local elapsed = now - start
  local room = (limit - count) * window - previous * (window - math.max(elapsed, 0))
  local added = cost * times
  if added * window > room then added = (room - math.fmod(room, cost * window)) / window end
  if added > 0 and not failure then
    if start ~= kept_from then
      local life = 2 * window - elapsed
      -- Odd: no multiple of 10^8, which some servers misprint. For many keys as a text, made once.
      kept_from, kept_for = start, (life - life % 2000) / 1000 + slack + 3
      if #KEYS > 1 then kept_for = string.format('%.0f', kept_for) end
    end
    local stored = redis.pcall('SET', key, struct.pack('<ddd', start, count + added, previous),
      'PX', kept_for)
    if stored.err then failure = stored end
  end
  replies[3 * i - 2] = failure or (healed and -count - 1 or count)
  replies[3 * i - 1] = failure and 0 or previous
  replies[3 * i] = failure and 0 or elapsed
end
return replies
