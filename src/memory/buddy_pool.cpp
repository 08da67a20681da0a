#include "memory/buddy_pool.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace ratelimit::memory {
namespace {

constexpr std::uint8_t kTaken = 0x80;

constexpr std::size_t units_in(unsigned order) { return std::size_t{1} << order; }

constexpr std::uint8_t free_state(unsigned order) { return static_cast<std::uint8_t>(order + 1); }

constexpr unsigned order_of(std::uint64_t state) {
  return (static_cast<unsigned>(state) & ~unsigned{kTaken}) - 1;
}

constexpr unsigned order_for(std::size_t bytes) {
  return static_cast<unsigned>(std::countr_zero(bytes / BuddyPool::kUnit));
}

}  // namespace

std::size_t BuddyPool::footprint(std::size_t bytes) noexcept {
  const std::size_t beside = bytes / kUnit * sizeof(Head);
  return bytes + (beside + kUnit - 1) / kUnit * kUnit;
}

// At first the region is cut into the largest blocks that fit, from its start on.
BuddyPool::BuddyPool(std::byte* memory, std::size_t bytes) noexcept
    : memory_(memory),
      units_(bytes / kUnit),
      heads_(reinterpret_cast<Head*>(memory + bytes)),
      free_() {
  free_.fill(kNone);
  for (std::size_t unit = 0; unit < units_;) {
    const auto fits = static_cast<unsigned>(std::bit_width(units_ - unit)) - 1;
    const auto aligned = static_cast<unsigned>(std::countr_zero(unit));
    const unsigned order = std::min(fits, aligned);
    add_free(unit, order);
    unit += units_in(order);
  }
}

std::byte* BuddyPool::take(std::size_t bytes) noexcept {
  const unsigned wanted = order_for(bytes);
  unsigned order = wanted;
  while (order < kOrders && free_[order] == kNone) ++order;
  if (order >= kOrders) return nullptr;
  const std::size_t unit = free_[order];
  remove_free(unit, order);
  while (order > wanted) {
    --order;
    add_free(unit + units_in(order), order);
  }
  heads_[unit].state = free_state(wanted) | kTaken;
  return memory_ + unit * kUnit;
}

void BuddyPool::give_back(const std::byte* block) noexcept {
  std::size_t unit = unit_of(block);
  unsigned order = order_of(heads_[unit].state);
  heads_[unit].state = 0;
  for (;; ++order) {
    const std::size_t buddy = unit ^ units_in(order);
    if (buddy >= units_ || heads_[buddy].state != free_state(order)) break;
    remove_free(buddy, order);
    unit = std::min(unit, buddy);
  }
  add_free(unit, order);
}

// A block may begin only at a multiple of its size: one candidate for each size.
BuddyPool::Block BuddyPool::block_at(std::size_t offset) const noexcept {
  const std::size_t unit = offset / kUnit;
  for (unsigned order = 0;; ++order) {
    const std::size_t start = unit & ~(units_in(order) - 1);
    const std::uint64_t state = heads_[start].state;
    if (state == 0 || start + units_in(order_of(state)) <= unit) continue;
    return {{start * kUnit, units_in(order_of(state)) * kUnit}, (state & kTaken) != 0};
  }
}

BuddyPool::Link BuddyPool::link(std::size_t unit) const noexcept {
  Link link{};
  std::memcpy(&link, memory_ + unit * kUnit, sizeof link);
  return link;
}

void BuddyPool::set_link(std::size_t unit, const Link& link) noexcept {
  std::memcpy(memory_ + unit * kUnit, &link, sizeof link);
}

void BuddyPool::add_free(std::size_t unit, unsigned order) noexcept {
  const std::size_t next = free_[order];
  if (next != kNone) set_link(next, {link(next).next, unit});
  set_link(unit, {next, kNone});
  free_[order] = unit;
  heads_[unit].state = free_state(order);
}

void BuddyPool::remove_free(std::size_t unit, unsigned order) noexcept {
  const auto [next, previous] = link(unit);
  if (next != kNone) set_link(next, {link(next).next, previous});
  if (previous == kNone) {
    free_[order] = next;
  } else {
    set_link(previous, {next, link(previous).previous});
  }
  heads_[unit].state = 0;
}

}  // namespace ratelimit::memory
