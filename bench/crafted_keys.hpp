// Keys that an attacker would bring: made to collide under a hash that is public.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ratelimit::bench {

/// Different keys of 16 bytes with one and the same std::hash, as libstdc++ has it.
std::vector<std::string> colliding_in_std_hash(std::size_t count);

/// Different keys of 32 bytes with one and the same wyhash, whatever its seed: their first words
/// are a constant of its, the difference is 0, and so is the product with whatever comes next.
std::vector<std::string> colliding_in_wyhash(std::size_t count);

/// Different keys of that length which nobody chose.
std::vector<std::string> random_keys(std::size_t count, std::size_t length);

}  // namespace ratelimit::bench
