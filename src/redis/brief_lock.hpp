// A mutex for work of a fraction of a microsecond: who finds it locked looks again for a while before
// it sleeps. A sleep and a wake-up cost a hundred times what the work does, and who has been woken
// finds the others asleep in turn.
#pragma once

#include <mutex>

namespace ratelimit::redis {

class BriefLock {
 public:
  void lock() {
    constexpr int kLooks = 200;
    for (int i = 0; i < kLooks; ++i) {
      if (mutex_.try_lock()) return;
      relax();
    }
    mutex_.lock();
  }

  void unlock() { mutex_.unlock(); }

 private:
  /// Lets the core's other thread, or the holder's cache line, come first.
  static void relax() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  std::mutex mutex_;
};

}  // namespace ratelimit::redis
