/*
 * GHASH adds and multiplies polynomials over GF(2) modulo x^128 + x^7 + x^2 + x + 1, whose bits GCM writes in reverse. With the bytes of a block turned
 * round the processor's multiplication takes them as they are, but gives a product that is one bit too far to the right; so H is
 * multiplied by x beforehand. Sixteen products are added up before they are reduced, as X1·H^16 + X2·H^15 + … + X16·H.
 */
#include "wide-gcm.h"

#include <cstring>

#include "aes.h"

namespace twin {

#if defined(__x86_64__)

namespace {

constexpr size_t pairs = WideGcm::stride / 2;
constexpr size_t strideBytes = WideGcm::stride * blockLength;

// x^63 + x^62 + x^57 in reverse: the modulus but for its ends.
WITH_AES inline __m128i modulus() { return _mm_set_epi64x(static_cast<int64_t>(0xc200000000000000), 1); }

WITH_AES inline __m128i turned(__m128i block) { return _mm_shuffle_epi8(block, blockTurned()); }

// The sum of products, 256 bits: `middle` belongs half to each of the others.
struct Product {
  __m128i low, middle, high;
};

WITH_AES inline __m128i reduced(const Product& product) {
  const __m128i m = modulus();
  const __m128i low = product.low;
  const __m128i middle = _mm_xor_si128(_mm_xor_si128(product.middle, _mm_shuffle_epi32(low, 0x4e)), _mm_clmulepi64_si128(m, low, 0x01));
  return _mm_xor_si128(_mm_xor_si128(product.high, _mm_shuffle_epi32(middle, 0x4e)), _mm_clmulepi64_si128(m, middle, 0x01));
}

WITH_AES inline __m128i multiplied(__m128i a, __m128i b) {
  const __m128i middle = _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01), _mm_clmulepi64_si128(a, b, 0x10));
  return reduced({_mm_clmulepi64_si128(a, b, 0x00), middle, _mm_clmulepi64_si128(a, b, 0x11)});
}

WITH_AES inline __m128i timesX(__m128i value) {
  const __m128i carried = _mm_slli_si128(_mm_srli_epi64(value, 63), 8);
  const __m128i overflow = _mm_srai_epi32(_mm_shuffle_epi32(value, 0xff), 31);
  return _mm_xor_si128(_mm_or_si128(_mm_slli_epi64(value, 1), carried), _mm_and_si128(overflow, modulus()));
}

WITH_WIDE_AES inline __m128i bothAdded(__m256i two) { return _mm_xor_si128(_mm256_castsi256_si128(two), _mm256_extracti128_si256(two, 1)); }

WITH_AES inline __m128i encrypted(const uint8_t (&roundKeys)[rounds + 1][blockLength], __m128i block) {
  block = _mm_xor_si128(block, load(roundKeys[0]));
  for (size_t round = 1; round < rounds; round++) block = _mm_aesenc_si128(block, load(roundKeys[round]));
  return _mm_aesenclast_si128(block, load(roundKeys[rounds]));
}

}  // namespace

// One message under way.
struct Message {
  const WideGcm& key;
  // What the tag is masked with.
  __m128i mask;
  // Of the next two blocks, their numbers not turned round yet.
  __m256i counters;
  __m128i hash;

  WITH_WIDE_AES Message(const WideGcm& key, const uint8_t* nonce) : key(key), hash(_mm_setzero_si128()) {
    alignas(16) uint8_t bytes[blockLength] = {};
    std::memcpy(bytes, nonce, 12);
    const __m128i zeroth = load(bytes);
    mask = encrypted(key.roundKeys_, _mm_or_si128(zeroth, _mm_set_epi32(0x01000000, 0, 0, 0)));
    counters = _mm256_add_epi32(_mm256_broadcastsi128_si256(zeroth), _mm256_set_epi32(3, 0, 0, 0, 2, 0, 0, 0));
  }

  // Encrypts or decrypts sixteen blocks.
  WITH_WIDE_AES inline void crypt(const uint8_t* from, uint8_t* into) {
    const __m256i turn = _mm256_broadcastsi128_si256(lastWordTurned());
    const __m256i two = _mm256_broadcastsi128_si256(_mm_set_epi32(2, 0, 0, 0));
    __m256i state[pairs];
    const __m256i first = roundKey(0);
    for (size_t i = 0; i < pairs; i++) {
      state[i] = _mm256_xor_si256(_mm256_shuffle_epi8(counters, turn), first);
      counters = _mm256_add_epi32(counters, two);
    }
    for (size_t round = 1; round < rounds; round++) {
      const __m256i roundKeys = roundKey(round);
      for (size_t i = 0; i < pairs; i++) state[i] = _mm256_aesenc_epi128(state[i], roundKeys);
    }
    const __m256i last = roundKey(rounds);
    // One after the other, because `into` may lie before `from` and reach into it.
    for (size_t i = 0; i < pairs; i++) {
      storeTwo(into + 32 * i, _mm256_aesenclast_epi128(state[i], _mm256_xor_si256(last, loadTwo(from + 32 * i))));
    }
  }

  // Takes in up to sixteen blocks; behind an odd number there is room for one more, all zeros.
  WITH_WIDE_AES inline void absorb(const uint8_t* from, size_t blocks) {
    const __m256i turn = _mm256_broadcastsi128_si256(blockTurned());
    __m256i low = _mm256_setzero_si256();
    __m256i middle = low;
    __m256i high = low;
    __m256i before = _mm256_zextsi128_si256(hash);
    const uint8_t* power = key.powers_[WideGcm::stride - blocks];
    for (size_t i = 0; i < blocks; i += 2, from += 32, power += 32) {
      const __m256i x = _mm256_xor_si256(_mm256_shuffle_epi8(loadTwo(from), turn), before);
      const __m256i h = loadTwo(power);
      before = _mm256_setzero_si256();
      low = _mm256_xor_si256(low, _mm256_clmulepi64_epi128(x, h, 0x00));
      middle = _mm256_xor_si256(middle, _mm256_xor_si256(_mm256_clmulepi64_epi128(x, h, 0x01), _mm256_clmulepi64_epi128(x, h, 0x10)));
      high = _mm256_xor_si256(high, _mm256_clmulepi64_epi128(x, h, 0x11));
    }
    hash = reduced({bothAdded(low), bothAdded(middle), bothAdded(high)});
  }

  // All of `bytes`, the last block filled up with zeros.
  WITH_WIDE_AES inline void absorbAll(const uint8_t* bytes, size_t length) {
    for (size_t at = 0; at < length; at += strideBytes) {
      const size_t taken = length - at < strideBytes ? length - at : strideBytes;
      alignas(32) uint8_t blocks[strideBytes] = {};
      std::memcpy(blocks, bytes + at, taken);
      absorb(blocks, (taken + blockLength - 1) / blockLength);
    }
  }

  // What is left at the end, less than sixteen blocks.
  template <bool sealing>
  WITH_WIDE_AES inline void cryptRest(const uint8_t* from, size_t length, uint8_t* into) {
    if (length == 0) return;
    const size_t blocks = (length + blockLength - 1) / blockLength;
    alignas(32) uint8_t rest[strideBytes] = {};
    std::memcpy(rest, from, length);
    if (!sealing) absorb(rest, blocks);
    crypt(rest, rest);
    std::memcpy(into, rest, length);
    if (!sealing) return;
    std::memset(rest + length, 0, strideBytes - length);
    absorb(rest, blocks);
  }

  WITH_WIDE_AES inline __m128i tag(size_t aadLength, size_t length) {
    const __m128i lengths = _mm_set_epi64x(static_cast<int64_t>(aadLength * 8), static_cast<int64_t>(length * 8));
    hash = multiplied(_mm_xor_si128(hash, lengths), load(key.powers_[WideGcm::stride - 1]));
    return _mm_xor_si128(turned(hash), mask);
  }

  WITH_WIDE_AES inline __m256i roundKey(size_t round) const { return _mm256_broadcastsi128_si256(load(key.roundKeys_[round])); }
};

WITH_WIDE_AES void WideGcm::setKey(const uint8_t* key) {
  __m128i keys[rounds + 1];
  expandKey(key, keys);
  for (size_t round = 0; round <= rounds; round++) store(roundKeys_[round], keys[round]);
  // Its own square and so on: the last of those that are there times all of them.
  const __m128i h = timesX(turned(encrypted(roundKeys_, _mm_setzero_si128())));
  __m128i powers[stride + 1];
  powers[1] = h;
  for (size_t known = 1; known < stride; known *= 2) {
    for (size_t i = 1; i <= known; i++) powers[known + i] = multiplied(powers[known], powers[i]);
  }
  for (size_t i = 1; i <= stride; i++) store(powers_[stride - i], powers[i]);
  store(powers_[stride], _mm_setzero_si128());
}

WITH_WIDE_AES void WideGcm::seal(const uint8_t* nonce, const uint8_t* plain, size_t length, uint8_t* into, const uint8_t* aad,
                                 size_t aadLength) const {
  Message message(*this, nonce);
  message.absorbAll(aad, aadLength);
  size_t at = 0;
  if (length >= strideBytes) {
    // The hash is one step behind, so that it has nothing to wait for.
    message.crypt(plain, into);
    for (at = strideBytes; length - at >= strideBytes; at += strideBytes) {
      message.crypt(plain + at, into + at);
      message.absorb(into + at - strideBytes, stride);
    }
    message.absorb(into + at - strideBytes, stride);
  }
  message.cryptRest<true>(plain + at, length - at, into + at);
  store(into + length, message.tag(aadLength, length));
}

WITH_WIDE_AES bool WideGcm::open(const uint8_t* nonce, const uint8_t* sealed, size_t length, uint8_t* into, const uint8_t* aad,
                                 size_t aadLength) const {
  // Before anything is written, for it may be written there.
  const __m128i expected = load(sealed + length);
  Message message(*this, nonce);
  message.absorbAll(aad, aadLength);
  size_t at = 0;
  for (; length - at >= strideBytes; at += strideBytes) {
    message.absorb(sealed + at, stride);
    message.crypt(sealed + at, into + at);
  }
  message.cryptRest<false>(sealed + at, length - at, into + at);
  return _mm_movemask_epi8(_mm_cmpeq_epi8(message.tag(aadLength, length), expected)) == 0xffff;
}

#else

void WideGcm::setKey(const uint8_t*) {}
void WideGcm::seal(const uint8_t*, const uint8_t*, size_t, uint8_t*, const uint8_t*, size_t) const {}
bool WideGcm::open(const uint8_t*, const uint8_t*, size_t, uint8_t*, const uint8_t*, size_t) const { return false; }

#endif

}  // namespace twin
