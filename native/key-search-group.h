// Sixteen keys tried on one block.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>

#define WITH_AES __attribute__((target("avx,aes,pclmul")))
#define WITH_WIDE_AES __attribute__((target("avx2,aes,pclmul,vaes,vpclmulqdq")))

namespace twin {

constexpr size_t rounds = 10;

// A bit for each slot of a group whose key opens `block` to one that proves itself. Empty slots count.
using SearchGroup = uint32_t(const uint8_t* group, const uint8_t* block);

// Eight blocks in flight, in two turns; and eight registers of two blocks.
SearchGroup searchGroupNarrow;
SearchGroup searchGroupWide;

}  // namespace twin
#endif
