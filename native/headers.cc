#include "headers.h"

#include <openssl/crypto.h>

#include <cstring>

namespace twin {

namespace {

// Key and nonce of a part, and nothing of them left behind.
struct Derived {
  Derived(const Kdf& kdf, const Part& part) {
    kdf.derive(part.key, part.path, part.keySource, key);
    kdf.derive(part.nonce, part.path, part.nonceSource, nonce);
    std::memset(key + keyLength, 0, keyRoom - keyLength);
  }
  ~Derived() { OPENSSL_cleanse(this, sizeof *this); }
  uint8_t key[keyRoom];
  uint8_t nonce[digestLength];
};
static_assert(keyRoom == digestLength);

size_t aadLength(const Part& part) { return part.path.authId == nullptr ? 0 : authIdLength; }

}  // namespace

bool sealPart(const Kdf& kdf, Ciphers& ciphers, const Part& part, const uint8_t* plain, size_t length, uint8_t* into) {
  const Derived derived(kdf, part);
  Cipher* cipher = ciphers.once(Direction::seal, derived.key);
  return cipher != nullptr && cipher->seal(derived.nonce, plain, length, into, part.path.authId, aadLength(part));
}

bool openPart(const Kdf& kdf, Ciphers& ciphers, const Part& part, const uint8_t* sealed, size_t length, uint8_t* into) {
  const Derived derived(kdf, part);
  Cipher* cipher = ciphers.once(Direction::open, derived.key);
  return cipher != nullptr && cipher->open(derived.nonce, sealed, length, into, part.path.authId, aadLength(part));
}

}  // namespace twin
