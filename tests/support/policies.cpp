#include "support/policies.hpp"

#include <type_traits>
#include <variant>

namespace ratelimit::testing {
namespace {

__extension__ using Wide = __int128;

template <class... Each>
struct Overloaded : Each... {
  using Each::operator()...;
};
template <class... Each>
Overloaded(Each...) -> Overloaded<Each...>;

Duration time_to_fill(std::int64_t capacity, std::int64_t rate, Duration period) {
  return Duration(static_cast<std::int64_t>((Wide{capacity} * period.count() + rate - 1) / rate));
}

std::string text_of(std::int64_t limit, Duration window) {
  return "{limit " + std::to_string(limit) + ", window " + std::to_string(window.count()) + " us}";
}

std::string text_of(std::int64_t capacity, std::int64_t rate, Duration period) {
  return "{capacity " + std::to_string(capacity) + ", rate " + std::to_string(rate) + ", period " +
         std::to_string(period.count()) + " us}";
}

}  // namespace

std::string kind_of(const Policy& policy) {
  return std::visit(
      Overloaded{[](const TokenBucket&) { return "token_bucket"; },
                 [](const LeakyBucket&) { return "leaky_bucket"; },
                 [](const FixedWindow&) { return "fixed_window"; },
                 [](const SlidingWindowLog&) { return "sliding_window_log"; },
                 [](const SlidingWindowCounter&) { return "sliding_window_counter"; }},
      policy);
}

std::string describe(const Policy& policy) {
  return kind_of(policy) +
         std::visit(
             Overloaded{
                 [](const TokenBucket& p) { return text_of(p.capacity, p.refill, p.period); },
                 [](const LeakyBucket& p) { return text_of(p.capacity, p.leak, p.period); },
                 [](const auto& p) { return text_of(p.limit, p.window); }},
             policy);
}

std::int64_t limit_of(const Policy& policy) {
  return std::visit(Overloaded{[](const TokenBucket& p) { return p.capacity; },
                               [](const LeakyBucket& p) { return p.capacity; },
                               [](const auto& p) { return p.limit; }},
                    policy);
}

Policy with_limit(const Policy& policy, std::int64_t limit) {
  Policy changed = policy;
  std::visit(
      Overloaded{[&](TokenBucket& p) { p.capacity = limit; },
                 [&](LeakyBucket& p) { p.capacity = limit; }, [&](auto& p) { p.limit = limit; }},
      changed);
  return changed;
}

Policy with_span(const Policy& policy, Duration span) {
  Policy changed = policy;
  std::visit(
      Overloaded{[&](TokenBucket& p) { p.period = span; }, [&](LeakyBucket& p) { p.period = span; },
                 [&](auto& p) { p.window = span; }},
      changed);
  return changed;
}

Duration span_of(const Policy& policy) {
  return std::visit(
      Overloaded{[](const TokenBucket& p) { return time_to_fill(p.capacity, p.refill, p.period); },
                 [](const LeakyBucket& p) { return time_to_fill(p.capacity, p.leak, p.period); },
                 [](const auto& p) { return p.window; }},
      policy);
}

std::vector<Policy> policies_of_ten_in(Duration span) {
  return {TokenBucket{10, 10, span}, LeakyBucket{10, 10, span}, FixedWindow{10, span},
          SlidingWindowLog{10, span}, SlidingWindowCounter{10, span}};
}

std::vector<Policy> policies_of_all_sizes() {
  using std::chrono::hours;
  using std::chrono::seconds;
  constexpr std::int64_t kMost = (std::int64_t{1} << 53) - 1;
  constexpr Duration kYear = hours(366 * 24);
  constexpr Duration kOdd(6'595'566);
  std::vector<Policy> all = {FixedWindow{3, Duration(1)},
                             FixedWindow{20, kOdd},
                             FixedWindow{kMost, kYear},
                             SlidingWindowLog{1, Duration(1)},
                             SlidingWindowLog{5, seconds(1)},
                             SlidingWindowLog{20, kOdd},
                             SlidingWindowLog{20, Duration(std::int64_t{1} << 31)},
                             SlidingWindowLog{20, hours(2)},
                             SlidingWindowLog{90, kYear},
                             SlidingWindowCounter{1, Duration(1)},
                             SlidingWindowCounter{5, seconds(1)},
                             SlidingWindowCounter{20, kOdd},
                             SlidingWindowCounter{kMost, Duration(1)},
                             SlidingWindowCounter{kMost / 1'000'003, Duration(1'000'003)},
                             SlidingWindowCounter{kMost / kYear.count(), kYear}};
  for (const TokenBucket& bucket :
       {TokenBucket{1, 1, Duration(1)}, TokenBucket{5, 2, seconds(1)},
        TokenBucket{7, 3, seconds(1)}, TokenBucket{10, 73, Duration(530'378)},
        TokenBucket{1000, 150'000, seconds(1)}, TokenBucket{kMost / 7, 3, Duration(7)},
        TokenBucket{kMost, kMost, Duration(1)}, TokenBucket{1, 1, kYear},
        TokenBucket{kMost / kYear.count(), 1, kYear}}) {
    all.emplace_back(bucket);
    all.emplace_back(LeakyBucket{bucket.capacity, bucket.refill, bucket.period});
  }
  return all;
}

}  // namespace ratelimit::testing
