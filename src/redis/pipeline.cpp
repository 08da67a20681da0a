#include "redis/pipeline.hpp"

#include <algorithm>
#include <new>

namespace ratelimit::redis {

bool Pipeline::ask(Exchange& exchange) {
  const std::size_t before = out_.bytes.size();
  try {
    if (exchange.start(out_) != Exchange::Step::listen) return false;
    await_replies(exchange);
    return true;
  } catch (const std::bad_alloc&) {
    out_.bytes.resize(before);
    out_.count = 0;
    throw;
  }
}

void Pipeline::await_replies(Exchange& exchange) {
  const std::size_t before = awaited_.size();
  const std::uint64_t end = sent_before_ + out_.bytes.size();
  try {
    for (; out_.count > 0; --out_.count) awaited_.push_back({&exchange, end});
  } catch (const std::bad_alloc&) {
    awaited_.erase(awaited_.begin() + static_cast<std::ptrdiff_t>(before), awaited_.end());
    throw;
  }
}

void Pipeline::mark_sent(std::size_t bytes) {
  sent_ += bytes;
  if (sent_ < out_.bytes.size()) return;
  sent_before_ += sent_;
  out_.bytes.clear();
  sent_ = 0;
}

bool Pipeline::has_sent(const Exchange& exchange) const {
  const auto last = std::find_if(awaited_.rbegin(), awaited_.rend(),
                                 [&](const Awaited& each) { return each.exchange == &exchange; });
  return last != awaited_.rend() && last->end <= sent_before_ + sent_;
}

Pipeline::Status Pipeline::next(Exchange*& ended) {
  Reply reply;
  while (!awaited_.empty()) {
    switch (reader_.next(reply)) {
      case ReplyReader::Status::incomplete:
        return Status::incomplete;
      case ReplyReader::Status::broken:
        return Status::broken;
      case ReplyReader::Status::complete:
        break;
    }
    Exchange* const exchange = awaited_.front().exchange;
    const auto step = exchange->hear(reply, out_);
    await_replies(*exchange);
    awaited_.pop_front();  // not before: it was sent, should there be no memory to hear it
    if (step == Exchange::Step::listen) continue;
    left_ = left_ || step == Exchange::Step::leave;
    ended = exchange;
    return Status::ended;
  }
  return Status::incomplete;
}

}  // namespace ratelimit::redis
