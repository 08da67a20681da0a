-- Decides calls on fixed windows. The twin of src/policy/fixed_window.cpp, which makes the decisions of
-- what is replied here.
--
-- KEYS[i]  a window, 1 <= i <= 64; the same may come again and then has what came before. A string of two
--          doubles, little-endian: its start in us of Unix time, and the units admitted in it
-- ARGV[1]  numbers as doubles, little-endian:
--          [1] the limit
--          [2] the length of a window, in us
--          [3] how much longer than its state a key is kept, in ms, even; up to 3 ms more
--          [4] now, in us of Unix time; negative: the server's time
--          [5] the cost to charge to each; 0 for a peek. Or for each key two numbers: the cost and how many
--              such calls are made, of which as many are granted as fit
--
-- Reply    for each key two numbers:
--          [1] n >= 0: the units used in the window before its calls
--              n < 0: the same as -n - 1, and the state was healed
--              an error: why there is no answer; the key is as it was, and [2] is 0
--          [2] the time until the window ends, in us
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

for i = 1, #KEYS do
  local key, start, used, healed = KEYS[i], present, 0, false
  if not alike then cost, times = unpack('<dd', numbers, 16 * i + 17) end
  local state, failure = redis.pcall('GET', key), nil
  if state then
    local s, n = -1, 0
    if #state == 16 then
      s, n = unpack('<dd', state)
    elseif state.err and string.sub(state.err, 1, 9) ~= 'WRONGTYPE' then
      failure = state
    end
    if not (s >= 0 and s < BOUND and s % 1 == 0 and n >= 0 and n < BOUND and n % 1 == 0) then
      healed = true
    elseif s == present then
      used = n
    else
      s = s - math.fmod(s, window)  -- its length may have been changed
      if s - now > window then
        healed = true
      elseif s >= present then
        start, used = s, n
      elseif s + window - now < late and cost > 0 then
        healed = redis.pcall('PTTL', key) == -1
      end
    end
  end

  local ends_in = start + window - now
  local room, added = limit - used, cost * times
  if added > room then added = room - math.fmod(room, cost) end
  if added > 0 and not failure then
    if start ~= kept_from then
      -- Odd: no multiple of 10^8, which some servers misprint. For many keys as a text, made once.
      kept_from, kept_for = start, (ends_in - ends_in % 2000) / 1000 + slack + 3
      if #KEYS > 1 then kept_for = string.format('%.0f', kept_for) end
    end
    local stored = redis.pcall('SET', key, struct.pack('<dd', start, used + added), 'PX', kept_for)
    if stored.err then failure = stored end
  end
  replies[2 * i - 1] = failure or (healed and -used - 1 or used)
  replies[2 * i] = failure and 0 or ends_in
end
return replies
