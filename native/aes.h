// AES-128 by instructions of the processor. Functions that use them are marked, and called only where processor.h says that they are there.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>

#define WITH_AES __attribute__((target("avx,aes,pclmul")))
#define WITH_WIDE_AES __attribute__((target("avx2,aes,pclmul,vaes,vpclmulqdq")))

namespace twin {

constexpr size_t rounds = 10;
constexpr size_t blockLength = 16;

WITH_AES inline __m128i load(const uint8_t* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); }
WITH_AES inline void store(uint8_t* to, __m128i value) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), value); }
WITH_WIDE_AES inline __m256i loadTwo(const uint8_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
WITH_WIDE_AES inline void storeTwo(uint8_t* to, __m256i value) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), value); }

// Orders of bytes for shuffles: the last word turned round, a big-endian number; and the whole block.
WITH_AES inline __m128i lastWordTurned() { return _mm_set_epi8(12, 13, 14, 15, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0); }
WITH_AES inline __m128i blockTurned() { return _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15); }

// The keys of all rounds. @param key 16 bytes
void expandKey(const uint8_t* key, __m128i (&keys)[rounds + 1]);

}  // namespace twin
#endif
