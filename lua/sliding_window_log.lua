-- Decides calls on sliding window logs. The twin of src/policy/sliding_window_log.cpp, which makes the
-- decisions of what is replied here.
--
-- KEYS[k]  a log, 1 <= k <= 64; the same may come again and then has what came before. A string, all
--          big-endian, times in us of Unix time:
--            6 bytes for each admitted unit, oldest first: the time it was admitted at, modulo 2^48; never
--            falling, and less than 2^48 us (8.9 years) before the newest where it can matter
--            22 bytes at the end: 7, the newest unit's time; 4, how many units counted once its call had
--            been admitted; 7, the time of the oldest of these; 4, how many units the string has in all
-- ARGV[1]  numbers as doubles, little-endian:
--          [1] the limit
--          [2] the length of the window, in us
--          [3] how much longer than its state a key is kept, in ms, even; up to 3 ms more
--          [4] now, in us of Unix time; negative: the server's time
--          [5] the cost to charge to each; negative for a peek of that cost. Or for each key two numbers:
--              the cost and how many such calls are made, of which as many are granted as fit
--
-- Reply    for each key three numbers:
--          [1] n >= 0: the units used before its calls
--              n < 0: the same as -n - 1, and the state was healed
--              an error: why there is no answer; nothing was charged, and [2] and [3] are 0
--          [2] the time until the first call that does not fit would, in us; 0 where all do, or never will
--          [3] the time until the newest unit leaves the window, in us; 0 where none is used
-- Writes   where a cost fits
-- Commands TIME; for each key GETRANGE; SET, or PEXPIRE and SETRANGE; PTTL where the key ought to have
--          gone. O(log limit + cost) a key; once in a while O(limit)
local pcall, pack, unpack, numbers = redis.pcall, struct.pack, struct.unpack, ARGV[1]
local limit, window, slack, now, asked = unpack('<ddddd', numbers)
local times, alike, sent = 1, #numbers == 40, now >= 0
if not sent then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local UNIT, END, CYCLE = 6, '>I7I4I7I4', 281474976710656
local edge = now - window  -- what was admitted then, or before, has left the window
local late = edge - (sent and 0 or 1000 * slack + 4000)  -- what is found then ought to have gone
local replies = {}

-- The bytes of units i to j of a string, from 0. Zeros where they are missing: someone cut it.
local function units(key, i, j)
  local size = (j - i + 1) * UNIT
  local bytes = pcall('GETRANGE', key, i * UNIT, j * UNIT + 5)
  return #bytes == size and bytes or string.rep('\0', size)
end

-- Where in a string, from 0, the first of units oldest to newest is that is later than the edge, and
-- its time. The oldest is not, the newest is. The next few are looked at one by one; where more have
-- left the window, then in growing steps, then by halves.
local function first_within(key, oldest, newest, newest_time)
  local gone, live, live_time, step = oldest, newest, newest_time, 0
  local function time_in(bytes, i)
    return newest_time - (newest_time - unpack('>I6', bytes, i * UNIT + 1)) % CYCLE
  end
  while live - gone > 1 do
    if step == 0 or live - gone <= 16 then
      local first, last = gone + 1, math.min(gone + 16, live - 1)
      local bytes = units(key, first, last)
      for i = first, last do
        local time = time_in(bytes, i - first)
        if time > edge then return i, time end
        gone = i
      end
      step = 16
    else
      local i = gone + step < live and gone + step or math.floor((gone + live) / 2)
      local time = time_in(units(key, i, i), 0)
      if time <= edge then
        gone, step = i, step * 2
      else
        live, live_time, step = i, time, math.max(1, math.floor((i - gone) / 2))
      end
    end
  end
  return live, live_time
end

for k = 1, #KEYS do
  if not alike then asked, times = unpack('<dd', numbers, 16 * k + 17) end
  local key, cost, healed, failure = KEYS[k], asked < 0 and -asked or asked, false, nil
  local newest, counted, oldest, total, used = 0, 0, 0, 0, 0
  local last = pcall('GETRANGE', key, '-22', '-1')
  if #last == 22 then
    newest, counted, oldest, total = unpack(END, last)
    if newest - now > window or counted == 0 or counted > total or oldest > newest then
      healed = true
    elseif newest > edge then
      used = counted
      if oldest <= edge then
        local first
        first, oldest = first_within(key, total - counted, total - 1, newest)
        used = total - first
      end
    elseif newest < late and asked > 0 then
      healed = pcall('PTTL', key) == -1
    end
  elseif last.err and string.sub(last.err, 1, 9) ~= 'WRONGTYPE' then
    failure = last
  else
    healed = last ~= ''
  end
  local at = used > 0 and newest > now and newest or now

  local room, added, retry_in = limit - used, cost * times, 0
  local fits = added <= room or cost == 0
  if not fits then added = math.max(0, room - math.fmod(room, cost)) end
  if asked <= 0 then added = 0 end
  if not fits and cost <= limit and added + cost > room then
    local excess, time = added + cost - room, at  -- so many must leave before the next call fits
    if excess == 1 and used > 0 then
      time = oldest
    elseif excess <= used then
      local unit = total - used + excess - 1
      time = newest - (newest - unpack('>I6', units(key, unit, unit))) % CYCLE
    end
    retry_in = time + window - now
  end

  if added > 0 and not failure then
    local life = at + window - now
    -- Odd: no multiple of 10^8, which some servers misprint. Nor is any offset below, within 5 * 10^7 units.
    local kept_for = (life - life % 2000) / 1000 + slack + 3
    local stored
    local count, starts_over = used + added, used == 0 or total + added > 1.05 * (used + added) + 16
    local bytes = pack('>I6', at % CYCLE)
    if added > 1 then bytes = string.rep(bytes, added) end
    bytes = bytes .. pack(END, at, count, used > 0 and oldest or at, starts_over and count or total + added)
    if starts_over then
      if used > 0 then bytes = units(key, total - used, total - 1) .. bytes end
      stored = pcall('SET', key, bytes, 'PX', kept_for)
    else
      stored = pcall('PEXPIRE', key, kept_for)  -- first, so that no failure leaves a key for ever
      if stored == 1 then stored = pcall('SETRANGE', key, total * UNIT, bytes) end
    end
    if type(stored) == 'table' and stored.err then failure = stored end
  end
  replies[3 * k - 2] = failure or (healed and -used - 1 or used)
  replies[3 * k - 1] = failure and 0 or retry_in
  replies[3 * k] = failure and 0 or used > 0 and newest + window - now or 0
end
return replies
