-- Decides calls on token buckets or leaky buckets, which are the same on the server. The twin of
-- src/policy/bucket.cpp, which explains the units and makes the decisions of what is replied here.
--
-- KEYS[i]  a bucket, 1 <= i <= 64; the same may come again and then has what came before. A string of one
--          or two doubles, little-endian: t and, where it is not 0, f. All that is owed is drained at
--          t + f/den microseconds. t counts from 2^52 us of Unix time (the year 2112), so that now plus
--          any span that a policy may have is a number that Lua holds exactly.
-- ARGV[1]  numbers as doubles, little-endian:
--          [1] full: the most that may be owed, in units of 1/den us
--          [2] den: the units that drain in one microsecond
--          [3] how much longer than its state a key is kept, in ms, even; up to 32 s more
--          [4] now, in us of Unix time; negative: the server's time
--          [5] the charge of each bucket, in units of 1/den us; 0 for a peek. Or for each bucket
--              two numbers: its charge and how many such calls are made, of which as many are granted as fit
--
-- Reply    for each bucket one number; it alone, where there is one bucket:
--            d >= 0: what was owed before its calls, in units of 1/den us
--            d < 0: the same as -d - 1, and the state was healed
--            an error: why there is no answer; the bucket is as it was
-- Writes   where a charge fits; and, where the state came from a clock that ran wild, for any charge > 0
-- Commands TIME; for each bucket GET, SET; PTTL where its key ought to have gone. O(1) a bucket
local unpack, numbers = struct.unpack, ARGV[1]
local full, den, slack, now, charge = unpack('<ddddd', numbers)
local times, alike, sent = 1, #numbers == 40, now >= 0
if not sent then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
now = now - 4503599627370496
local late = sent and 0 or -1000 * (slack + 32002)  -- what is found then ought to have gone
local kept_for, kept_step
local replies = #KEYS > 1 and {}

for i = 1, #KEYS do
  local key, debt, healed, wild = KEYS[i], 0, false, false
  if not alike then charge, times = unpack('<dd', numbers, 16 * i + 17) end
  local state, failure = redis.pcall('GET', key), nil
  if state then
    local size, t, f = #state, 0.5, 0
    if size == 8 then
      t = unpack('<d', state)
    elseif size == 16 then
      t, f = unpack('<dd', state)
    elseif state.err and string.sub(state.err, 1, 9) ~= 'WRONGTYPE' then
      failure = state
    end
    local ahead = t - now
    if t % 1 ~= 0 or f % 1 ~= 0 or f < 0 or t > 9007199254740992 then
      healed = true
    elseif ahead >= 0 then
      -- A fraction not below den was stored at another rate.
      debt = ahead * den + (f < den and f or den - 1)
      if debt > full then debt, healed, wild = full, true, true end
    elseif ahead < late and charge > 0 then
      healed = redis.pcall('PTTL', key) == -1
    end
  end

  local room, added = full - debt, charge * times
  if added > room then added = room - math.fmod(room, charge) end
  if (added > 0 or wild and charge > 0) and not failure then
    local whole, f = debt + added, 0
    if den > 1 then
      f = math.fmod(whole, den)
      whole = (whole - f) / den
    end
    local step = whole - whole % 32000000
    if step ~= kept_step then
      -- Odd: no multiple of 10^8, which some servers misprint. For many keys as a text, made once.
      kept_step, kept_for = step, step / 1000 + slack + 32001
      if replies then kept_for = string.format('%.0f', kept_for) end
    end
    local stored = redis.pcall('SET', key,
      f == 0 and struct.pack('<d', now + whole) or struct.pack('<dd', now + whole, f), 'PX', kept_for)
    if stored.err then failure = stored end
  end
  local reply = failure or (healed and -debt - 1 or debt)
  if not replies then return reply end
  replies[i] = reply
end
return replies
