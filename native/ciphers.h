// The two AEADs of VMess, by the OpenSSL that is inside Node; AES-GCM by wider registers where the processor has them.
#pragma once

#include <openssl/evp.h>

#include <cstddef>
#include <cstdint>

#include "processor.h"
#include "wide-gcm.h"

namespace twin {

enum class Algorithm { gcm = 0, chacha = 1 };
enum class Direction { open = 0, seal = 1 };

constexpr size_t tagLength = 16;
constexpr size_t nonceLength = 12;
// Bytes that hold a key; of AES-128-GCM the first 16 count.
constexpr size_t keyRoom = 32;

// One key in one direction, for any number of nonces. Two calls of its methods per message; false is a fault of OpenSSL, or a wrong tag.
class Cipher {
 public:
  Cipher() = default;
  Cipher(const Cipher&) = delete;
  ~Cipher();

  bool seal(const uint8_t* nonce, const uint8_t* plain, size_t length, uint8_t* into, const uint8_t* aad = nullptr, size_t aadLength = 0);
  // Where the tag is wrong, nothing of the plaintext stays in `into`.
  bool open(const uint8_t* nonce, const uint8_t* sealed, size_t length, uint8_t* into, const uint8_t* aad = nullptr, size_t aadLength = 0);

 private:
  friend class Ciphers;
  bool fresh() const { return context_ == nullptr && wide_ == nullptr; }
  void discard();

  // One of the two, once there is a key.
  EVP_CIPHER_CTX* context_ = nullptr;
  WideGcm* wide_ = nullptr;
  uint8_t key_[keyRoom];
};

/*
 * Contexts that have their keys already. A context costs as much as sealing some kilobytes and a kilobyte of memory, so connections do not
 * own any: there are a few for each algorithm and direction, chosen by the key. As long as a key meets no other in its place, only the
 * nonce is set anew from one message to the next, as if its connection had a context of its own. Not for several threads.
 */
class Ciphers {
 public:
  Ciphers() = default;
  Ciphers(const Ciphers&) = delete;
  ~Ciphers();

  // Fetches the algorithms; false where this OpenSSL lacks one.
  bool load();
  // How AES-GCM is done.
  const char* gcm() const { return wide_ ? "vaes" : "openssl"; }
  // The cipher of a key of keyRoom bytes, until the next call; nullptr is a fault of OpenSSL.
  Cipher* of(Algorithm algorithm, Direction direction, const uint8_t* key);
  // AES-128-GCM under a key that is used once: it takes nobody's place.
  Cipher* once(Direction direction, const uint8_t* key);

 private:
  Cipher* keyed(Cipher& cipher, Algorithm algorithm, Direction direction, const uint8_t* key);
  bool setKey(Cipher& cipher, Algorithm algorithm, Direction direction, const uint8_t* key);

  static constexpr size_t places = 64;
  const bool wide_ = hasWideAes();
  EVP_CIPHER* kinds_[2] = {nullptr, nullptr};
  Cipher ciphers_[2][2][places];
  Cipher once_[2];
};

}  // namespace twin
