/*
 * Eight registers are in flight, so that no instruction waits for the one before it.
 *
 * Whether an opened block proves itself is found out without tables. Read as a polynomial over GF(2), bit i standing for x^i, one that does is a
 * multiple of P, the polynomial of CRC-32 with its bits in this order, but for a constant that stands for the ones with which CRC-32 begins
 * and ends. Two folds make of 128 bits 64 that are the same modulo P; of a multiple of P, multiplied by the inverse of P modulo x^64,
 * no bit from x^32 on is left.
 */
#include "key-search-group.h"

#if defined(__x86_64__)

#include "aes.h"
#include "key-search.h"

namespace twin {

namespace {

constexpr int64_t fold = 0xb66b1fa6;                                // x^64 mod P
constexpr int64_t inverse = static_cast<int64_t>(0xb4e5b025f7011641);  // 1/P mod x^64
constexpr int32_t proof = 0x0dca8b4c;                               // what the constant leaves from x^32 on

constexpr size_t registers = 8;

WITH_AES inline __m128i constants() { return _mm_set_epi64x(inverse, fold); }

// All ones in the second of four words where the block proves itself. The checksum is the only big-endian number in it.
WITH_AES inline __m128i proves(__m128i opened) {
  __m128i value = _mm_shuffle_epi8(opened, lastWordTurned());
  value = _mm_xor_si128(_mm_move_epi64(value), _mm_clmulepi64_si128(value, constants(), 0x01));
  value = _mm_xor_si128(value, _mm_clmulepi64_si128(value, constants(), 0x01));
  return _mm_cmpeq_epi32(_mm_clmulepi64_si128(value, constants(), 0x10), _mm_set1_epi32(proof));
}

// The same for two.
WITH_WIDE_AES inline __m256i provesWide(__m256i opened) {
  const __m256i factors = _mm256_broadcastsi128_si256(constants());
  __m256i value = _mm256_shuffle_epi8(opened, _mm256_broadcastsi128_si256(lastWordTurned()));
  const __m256i low = _mm256_blend_epi32(value, _mm256_setzero_si256(), 0xcc);
  value = _mm256_xor_si256(low, _mm256_clmulepi64_epi128(value, factors, 0x01));
  value = _mm256_xor_si256(value, _mm256_clmulepi64_epi128(value, factors, 0x01));
  return _mm256_cmpeq_epi32(_mm256_clmulepi64_epi128(value, factors, 0x10), _mm256_set1_epi32(proof));
}

WITH_AES inline uint32_t bit(__m128i proven) { return static_cast<uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(proven))) >> 1 & 1; }
WITH_WIDE_AES inline uint32_t bits(__m256i proven) {
  const uint32_t mask = static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(proven)));
  return (mask >> 1 & 1) | (mask >> 4 & 2);
}

}  // namespace

WITH_AES uint32_t searchGroupNarrow(const uint8_t* group, const uint8_t* sealed) {
  const __m128i block = load(sealed);
  uint32_t proven = 0;
  for (size_t half = 0; half < groupSlots; half += registers) {
    const uint8_t* row = group + half * 16;
    __m128i state[registers];
    for (size_t i = 0; i < registers; i++) state[i] = _mm_xor_si128(block, load(row + i * 16));
    for (size_t round = 1; round < rounds; round++) {
      row += groupSlots * 16;
      for (size_t i = 0; i < registers; i++) state[i] = _mm_aesdec_si128(state[i], load(row + i * 16));
    }
    row += groupSlots * 16;
    __m128i any = _mm_setzero_si128();
    for (size_t i = 0; i < registers; i++) {
      state[i] = proves(_mm_aesdeclast_si128(state[i], load(row + i * 16)));
      any = _mm_or_si128(any, state[i]);
    }
    if (bit(any) == 0) continue;
    for (size_t i = 0; i < registers; i++) proven |= bit(state[i]) << (half + i);
  }
  return proven;
}

WITH_WIDE_AES uint32_t searchGroupWide(const uint8_t* group, const uint8_t* sealed) {
  const __m256i block = _mm256_broadcastsi128_si256(load(sealed));
  __m256i state[registers];
  for (size_t i = 0; i < registers; i++) state[i] = _mm256_xor_si256(block, loadTwo(group + i * 32));
  for (size_t round = 1; round < rounds; round++) {
    group += groupSlots * 16;
    for (size_t i = 0; i < registers; i++) state[i] = _mm256_aesdec_epi128(state[i], loadTwo(group + i * 32));
  }
  group += groupSlots * 16;
  __m256i any = _mm256_setzero_si256();
  for (size_t i = 0; i < registers; i++) {
    state[i] = provesWide(_mm256_aesdeclast_epi128(state[i], loadTwo(group + i * 32)));
    any = _mm256_or_si256(any, state[i]);
  }
  uint32_t proven = 0;
  if (bits(any) == 0) return proven;
  for (size_t i = 0; i < registers; i++) proven |= bits(state[i]) << (2 * i);
  return proven;
}

}  // namespace twin

#endif
