// In memory no decision makes a system call: the kernel ends a process that tries one after it has
// renounced them.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ratelimit/memory.hpp"
#include "support/policies.hpp"
#include "support/test_names.hpp"

namespace ratelimit::testing {
namespace {

using std::chrono::milliseconds;

/// Runs `body` where the kernel ends whoever makes a system call but to end by itself, with 0.
[[noreturn]] void run_without_system_calls(const std::function<void()>& body) {
  std::array<sock_filter, 4> rules{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  }};
  const sock_fprog program{rules.size(), rules.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ::_exit(2);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) ::_exit(3);
  body();
  ::_exit(0);
}

/// Long enough for the backend's clock to be set anew several times.
void decide_for_a_while(Limiter& limiter, const std::vector<std::string>& keys) {
  const auto end = std::chrono::steady_clock::now() + milliseconds(40);
  std::size_t next = 0;
  while (std::chrono::steady_clock::now() < end) {
    const std::string& key = keys[next++ % keys.size()];
    (void)limiter.allow(key);
    (void)limiter.allow(key, 5);
    (void)limiter.peek(key);
    if (next % 100 == 0) (void)limiter.reset(key);
  }
}

bool clock_makes_none() {
  const pid_t child = ::fork();
  if (child == 0) {
    run_without_system_calls([] {
      (void)std::chrono::steady_clock::now();
      (void)std::chrono::system_clock::now();
    });
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class MemorySystemCalls : public ::testing::TestWithParam<Policy> {};

TEST_P(MemorySystemCalls, AreNotMade) {
  if (!clock_makes_none())
    GTEST_SKIP() << "no clock without system calls, or no way to renounce them";
  const auto backend = make_memory_backend({.max_keys = 1000}).value();
  const auto limiter = backend->make_limiter("test", GetParam()).value();
  std::vector<std::string> keys;
  for (int i = 0; i < 5000; ++i) keys.push_back("key " + std::to_string(i));
  EXPECT_EXIT(run_without_system_calls([&] { decide_for_a_while(*limiter, keys); }),
              ::testing::ExitedWithCode(0), "");
}

TEST(MemorySystemCallsDeathTest, AreNoticed) {
  if (!clock_makes_none()) GTEST_SKIP() << "no way to renounce them";
  EXPECT_EXIT(run_without_system_calls([] { (void)::syscall(SYS_getpid); }),
              ::testing::KilledBySignal(SIGSYS), "");
}

INSTANTIATE_TEST_SUITE_P(Each, MemorySystemCalls, ::testing::ValuesIn(policies_of_ten_a_minute()),
                         kind_name);

}  // namespace
}  // namespace ratelimit::testing
