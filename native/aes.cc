#include "aes.h"

#if defined(__x86_64__)

namespace twin {

namespace {

template <int constant>
WITH_AES inline __m128i nextKey(__m128i key) {
  const __m128i turned = _mm_shuffle_epi32(_mm_aeskeygenassist_si128(key, constant), 0xff);
  key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
  key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
  return _mm_xor_si128(key, turned);
}

}  // namespace

WITH_AES void expandKey(const uint8_t* key, __m128i (&keys)[rounds + 1]) {
  keys[0] = load(key);
  keys[1] = nextKey<0x01>(keys[0]);
  keys[2] = nextKey<0x02>(keys[1]);
  keys[3] = nextKey<0x04>(keys[2]);
  keys[4] = nextKey<0x08>(keys[3]);
  keys[5] = nextKey<0x10>(keys[4]);
  keys[6] = nextKey<0x20>(keys[5]);
  keys[7] = nextKey<0x40>(keys[6]);
  keys[8] = nextKey<0x80>(keys[7]);
  keys[9] = nextKey<0x1b>(keys[8]);
  keys[10] = nextKey<0x36>(keys[9]);
}

}  // namespace twin

#endif
