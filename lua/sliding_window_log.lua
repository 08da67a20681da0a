-- Decides one call on a sliding window log. The twin of src/policy/sliding_window_log.cpp, which makes the
-- decision of what is replied here.
--
-- KEYS[1]  the log. A string of entries of 10 bytes, one for each admitted unit, oldest first:
--            7 bytes  the time it was admitted at, in us of Unix time, big-endian; never falling
--            3 bytes  how many entries were within the window once its call had been admitted
--          So the last entry tells how many at the end of the string can still matter.
-- ARGV[1]  the cost to charge; negative for a peek of that cost
-- ARGV[2]  the limit
-- ARGV[3]  the length of the window, in us
-- ARGV[4]  how much longer than its state a key is kept, in ms
-- ARGV[5]  now, in us of Unix time; absent: the server's time
--
-- Reply    [1] n >= 0: the units used before the call
--              n < 0: the same as -n - 1, and the state was healed
--          [2] the time until the cost fits, in us; 0 where it does, or never will
--          [3] the time until the newest unit leaves the window, in us; 0 where none is used
-- Writes   where the cost fits
-- Commands GETRANGE, TIME, PTTL; SET or PEXPIRE and APPEND. O(log limit + cost); once in a while O(limit)
local cost, limit, window = math.abs(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now = tonumber(ARGV[5])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local ENTRY, format = 10, string.format
local newest, counted = 0, 0  -- the last entry: its time, and how many it counts

-- The bytes of entries i to j of the counted ones, from 1.
local function entries(i, j)
  return redis.call('GETRANGE', KEYS[1], format('%.0f', (i - 1 - counted) * ENTRY),
    format('%.0f', (j - counted) * ENTRY - 1))
end

local function time_of(i)
  local entry = entries(i, i)
  return #entry == ENTRY and struct.unpack('>I7', entry) or 0  -- a missing one has left the window
end

local healed = false
local last = redis.pcall('GETRANGE', KEYS[1], -ENTRY, -1)
if type(last) == 'table' then
  if string.sub(last.err, 1, 9) ~= 'WRONGTYPE' then return last end
  last, healed = '', true
elseif #last > 0 then
  if #last == ENTRY then newest, counted = struct.unpack('>I7I3', last) end
  healed = counted == 0 or newest - now > window
  if healed then counted = 0 end
end

-- How many of the counted have left the window: from the front in growing steps, then by halves.
local gone = 0
if newest <= now - window then
  gone = counted
elseif counted > 1 then
  local live, step = counted, 1
  while live - gone > 1 do
    local i = gone + step
    if i >= live then
      step = math.floor((live - gone) / 2)
    elseif time_of(i) <= now - window then
      gone, step = i, step * 2
    else
      live, step = i, math.max(1, math.floor((i - gone) / 2))
    end
  end
end
local used = counted - gone

local retry_in, excess = 0, used - limit + cost
if excess > 0 and cost > 0 and cost <= limit then
  retry_in = time_of(gone + excess) + window - now
end
local clears_in = used > 0 and newest + window - now or 0

if tonumber(ARGV[1]) > 0 and excess <= 0 then
  local at = used > 0 and math.max(now, newest) or now
  local added = string.rep(struct.pack('>I7I3', at, used + cost), cost)
  local kept_for = format('%.0f', math.ceil((at + window - now) / 1000) + ARGV[4])
  if #last > 0 and redis.call('PTTL', KEYS[1]) == -1 then healed = true end  -- its expiry was lost
  if used == 0 then
    redis.call('SET', KEYS[1], added, 'PX', kept_for)
  else
    redis.call('PEXPIRE', KEYS[1], kept_for)  -- first, so that no failure leaves a key for ever
    local length = redis.call('APPEND', KEYS[1], added)
    if length > (used + cost) * ENTRY * 1.5 + 160 then
      counted = used + cost
      redis.call('SET', KEYS[1], entries(1, counted), 'PX', kept_for)
    end
  end
end
return {healed and -used - 1 or used, retry_in, clears_in}
