// The destructors of the public interfaces: defined once here, so that each class's table of
// virtual functions is in the library and nowhere else.
#include "ratelimit/backend.hpp"
#include "ratelimit/clock.hpp"
#include "ratelimit/limiter.hpp"

namespace ratelimit {

Clock::~Clock() = default;
ManualClock::~ManualClock() = default;
Limiter::~Limiter() = default;
Backend::~Backend() = default;

}  // namespace ratelimit
