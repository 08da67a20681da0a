// What the in-memory backend counts, in cells that threads seldom share.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ratelimit::memory {

class Tally {
 public:
  struct Counts {
    std::uint64_t forgotten = 0;
    std::uint64_t forgotten_debt = 0;
    std::uint64_t healed = 0;
  };

  void count_forgotten(bool in_debt) noexcept {
    Cell& cell = mine();
    add(cell.forgotten);
    if (in_debt) add(cell.forgotten_debt);
  }
  void count_healed() noexcept { add(mine().healed); }

  [[nodiscard]] Counts counts() const noexcept {
    Counts all;
    for (const Cell& cell : cells_) {
      all.forgotten += cell.forgotten.load(std::memory_order_relaxed);
      all.forgotten_debt += cell.forgotten_debt.load(std::memory_order_relaxed);
      all.healed += cell.healed.load(std::memory_order_relaxed);
    }
    return all;
  }

 private:
  // Relaxed throughout: a count publishes nothing but itself.
  using Count = std::atomic<std::uint64_t>;
  struct alignas(64) Cell {
    Count forgotten = 0;
    Count forgotten_debt = 0;
    Count healed = 0;
  };
  static constexpr std::size_t kCells = 16;

  static void add(Count& count) noexcept { count.fetch_add(1, std::memory_order_relaxed); }

  Cell& mine() noexcept {
    static std::atomic<std::size_t> threads = 0;
    thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed) % kCells;
    return cells_[mine];
  }

  std::array<Cell, kCells> cells_;
};

}  // namespace ratelimit::memory
