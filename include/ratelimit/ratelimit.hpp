// All of the library. redis.hpp is only declarations: a program that does not link
// `ratelimit::redis` may include this too.
#pragma once

#include "ratelimit/backend.hpp"
#include "ratelimit/clock.hpp"
#include "ratelimit/decision.hpp"
#include "ratelimit/error.hpp"
#include "ratelimit/export.hpp"
#include "ratelimit/limiter.hpp"
#include "ratelimit/memory.hpp"
#include "ratelimit/policy.hpp"
#include "ratelimit/redis.hpp"
#include "ratelimit/result.hpp"
#include "ratelimit/time.hpp"
#include "ratelimit/version.hpp"
