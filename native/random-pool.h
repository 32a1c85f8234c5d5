// Random bytes for padding, drawn from OpenSSL's generator many at a time: one draw costs the same for sixteen as for thousands.
#pragma once

#include <cstddef>
#include <cstdint>

namespace twin {

class RandomPool {
 public:
  // At most 63 bytes. False where the generator fails.
  bool fill(uint8_t* into, size_t length);

 private:
  static constexpr size_t size = 4096;
  uint8_t bytes_[size];
  size_t used_ = size;
};

}  // namespace twin
