#include "random-pool.h"

#include <openssl/rand.h>

#include <cstring>

namespace twin {

bool RandomPool::fill(uint8_t* into, size_t length) {
  if (used_ + length > size) {
    if (RAND_bytes(bytes_, size) != 1) return false;
    used_ = 0;
  }
  std::memcpy(into, bytes_ + used_, length);
  // What was handed out must not be found in memory later.
  std::memset(bytes_ + used_, 0, length);
  used_ += length;
  return true;
}

}  // namespace twin
