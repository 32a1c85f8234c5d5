// One block of SHA-256 at a time, which is what Node's OpenSSL has the processor's instructions for; its ways to hash a message cost more than that.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "kdf.h"

#include <openssl/sha.h>

#include <cstring>

namespace twin {

namespace {

constexpr size_t blockLength = 64;
constexpr Midstate start{{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}, 0};

// In the order of Salt.
constexpr const char* texts[saltCount] = {
    "AES Auth ID Encryption",   "auth_len",
    "VMess Header AEAD Key_Length", "VMess Header AEAD Nonce_Length",
    "VMess Header AEAD Key",    "VMess Header AEAD Nonce",
    "AEAD Resp Header Len Key", "AEAD Resp Header Len IV",
    "AEAD Resp Header Key",     "AEAD Resp Header IV",
};

void compress(const uint32_t from[8], const uint8_t* block, uint32_t into[8]) {
  SHA256_CTX context;
  std::memcpy(context.h, from, sizeof context.h);
  SHA256_Transform(&context, block);
  std::memcpy(into, context.h, sizeof context.h);
}

// Behind the block that HMAC makes of a key of at most 64 bytes.
Midstate absorbKey(const Midstate& base, const uint8_t* key, size_t length, uint8_t pad) {
  uint8_t block[blockLength];
  std::memset(block, pad, blockLength);
  for (size_t i = 0; i < length; i++) block[i] ^= key[i];
  Midstate state;
  compress(base.words, block, state.words);
  state.length = base.length + blockLength;
  return state;
}

Level openLevel(const Level* below, const uint8_t* key, size_t length) {
  const Midstate& base = below == nullptr ? start : below->inner;
  return {below, absorbKey(base, key, length, 0x36), absorbKey(base, key, length, 0x5c)};
}

void writeWord(uint32_t word, uint8_t* into) {
  for (int i = 0; i < 4; i++) into[i] = static_cast<uint8_t>(word >> (24 - 8 * i));
}

// Ends SHA-256 with a message of at most 55 bytes. `into` may be the message.
void end(const Midstate& state, const uint8_t* message, size_t length, uint8_t* into) {
  uint8_t block[blockLength] = {};
  std::memcpy(block, message, length);
  block[length] = 0x80;
  writeWord((state.length + static_cast<uint32_t>(length)) * 8, block + blockLength - 4);
  uint32_t words[8];
  compress(state.words, block, words);
  for (size_t i = 0; i < 8; i++) writeWord(words[i], into + 4 * i);
}

// Ends a hash of a level whose state so far is `state`.
void finish(const Level* level, const Midstate& state, const uint8_t* message, size_t length, uint8_t* into) {
  if (level == nullptr) return end(state, message, length, into);
  finish(level->below, state, message, length, into);
  finish(level->below, level->outer, into, digestLength, into);
}

}  // namespace

Kdf::Kdf() {
  constexpr const char* name = "VMess AEAD KDF";
  root_ = openLevel(nullptr, reinterpret_cast<const uint8_t*>(name), std::strlen(name));
  for (size_t i = 0; i < saltCount; i++) {
    salts_[i] = openLevel(&root_, reinterpret_cast<const uint8_t*>(texts[i]), std::strlen(texts[i]));
  }
}

void Kdf::derive(Salt salt, const Path& path, const uint8_t* key, uint8_t* into) const {
  const Level& level = salts_[static_cast<size_t>(salt)];
  if (path.authId == nullptr) return finish(&level, level.inner, key, keyLength, into);
  const Level authId = openLevel(&level, path.authId, authIdLength);
  const Level nonce = openLevel(&authId, path.nonce, pathNonceLength);
  finish(&nonce, nonce.inner, key, keyLength, into);
}

}  // namespace twin
