// embedder NAME FILE: writes the embedded script NAME to FILE and prints the SHA-1 it is known by.
#include <cstdio>

#include "redis/script.hpp"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto& script = ratelimit::redis::script_named(argv[1]);
  std::FILE* file = std::fopen(argv[2], "wb");
  if (file == nullptr) return 1;
  const bool written =
      std::fwrite(script.source.data(), 1, script.source.size(), file) == script.source.size();
  std::printf("%.*s\n", static_cast<int>(script.sha1.size()), script.sha1.data());
  return std::fclose(file) == 0 && written ? 0 : 1;
}
