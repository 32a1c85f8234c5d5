// SHAKE128 as an endless row of big-endian 16-bit numbers, over a state that the caller keeps: 25 lanes, and where in them the next
// number lies.
#pragma once

#include <cstdint>

namespace twin {

// Bytes that one permutation yields.
constexpr uint32_t shakeRate = 168;

void keccakF1600(uint64_t lanes[25]);

// The next number, 0 to 65535. `at` is shakeRate before the first one.
inline uint32_t shakeNext(uint64_t lanes[25], int32_t& at) {
  // Whatever stands in a state, nothing outside of it is read.
  uint32_t place = static_cast<uint32_t>(at);
  if (place >= shakeRate) {
    keccakF1600(lanes);
    place = 0;
  }
  const uint32_t pair = static_cast<uint32_t>(lanes[place >> 3] >> ((place & 6) * 8)) & 0xffff;
  at = static_cast<int32_t>((place & ~1u) + 2);
  return ((pair & 0xff) << 8) | (pair >> 8);
}

}  // namespace twin
