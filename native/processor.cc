#include "processor.h"

#include <cstdlib>
#include <cstring>

namespace twin {

#if defined(__x86_64__)

bool hasAes() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("avx");
}

bool hasWideAes() {
  const char* setting = std::getenv("VMESS_NATIVE");
  if (setting != nullptr && std::strcmp(setting, "narrow") == 0) return false;
  return hasAes() && __builtin_cpu_supports("vaes") && __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx2");
}

#else

bool hasAes() { return false; }
bool hasWideAes() { return false; }

#endif

}  // namespace twin
