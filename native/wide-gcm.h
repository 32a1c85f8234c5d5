// AES-128-GCM on two blocks at a time (NIST SP 800-38D), which OpenSSL has from 3.1 on and the one inside Node 20 has not. Only where hasWideAes().
#pragma once

#include <cstddef>
#include <cstdint>

namespace twin {

// One key, for any number of nonces. Nothing that it does takes longer or shorter for what key or data are.
class WideGcm {
 public:
  // @param key 16 bytes
  void setKey(const uint8_t* key);
  // Writes ciphertext and tag, length + 16 bytes. @param nonce 12 bytes @param plain nowhere in `into` but at its beginning
  void seal(const uint8_t* nonce, const uint8_t* plain, size_t length, uint8_t* into, const uint8_t* aad, size_t aadLength) const;
  // Writes the plaintext and says whether the tag is right. `into` may be `sealed`, or before it. @param length without the tag
  bool open(const uint8_t* nonce, const uint8_t* sealed, size_t length, uint8_t* into, const uint8_t* aad, size_t aadLength) const;

  // Blocks that are worked on together.
  static constexpr size_t stride = 16;

 private:
  friend struct Message;
  alignas(32) uint8_t roundKeys_[11][16];
  // H^16 … H^1 for GHASH, each times x, then one that is 0 to make the last pair full.
  alignas(32) uint8_t powers_[stride + 1][16];
};

}  // namespace twin
