// The sealed parts of a request and of an answer: each under a key and a nonce of its own, derived for it alone.
#pragma once

#include "ciphers.h"
#include "kdf.h"

namespace twin {

// What the key and the nonce of a part are derived from.
struct Part {
  Salt key;
  Salt nonce;
  const uint8_t* keySource;
  const uint8_t* nonceSource;
  // Of a request; its AuthID is authenticated as well.
  Path path;
};

bool sealPart(const Kdf& kdf, Ciphers& ciphers, const Part& part, const uint8_t* plain, size_t length, uint8_t* into);
// @param length with the tag, at least 16
bool openPart(const Kdf& kdf, Ciphers& ciphers, const Part& part, const uint8_t* sealed, size_t length, uint8_t* into);

}  // namespace twin
