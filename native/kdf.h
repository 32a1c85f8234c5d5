// Key derivation of headers, as src/protocol/vmess/kdf.ts describes it: HMAC-SHA256 nested in itself, one level per element of a path.
#pragma once

#include <cstddef>
#include <cstdint>

namespace twin {

// The constant that every path begins with.
enum class Salt {
  authId,
  length,
  requestLengthKey,
  requestLengthNonce,
  requestKey,
  requestNonce,
  responseLengthKey,
  responseLengthNonce,
  responseKey,
  responseNonce,
};
constexpr size_t saltCount = 10;

// What a path goes on with: nothing, or the AuthID of a request and the nonce beside it.
struct Path {
  const uint8_t* authId = nullptr;
  const uint8_t* nonce = nullptr;
};

constexpr size_t authIdLength = 16;
constexpr size_t pathNonceLength = 8;
// Of all keys that go in, and of all that come out.
constexpr size_t keyLength = 16;
constexpr size_t digestLength = 32;

// A hash between two blocks.
struct Midstate {
  uint32_t words[8];
  uint32_t length;
};

struct Level {
  const Level* below;
  // Behind the inner pads of this level and of all below.
  Midstate inner;
  // Of the level below, behind the outer pad of this one.
  Midstate outer;
};

// The levels of the salts, opened once.
class Kdf {
 public:
  Kdf();
  Kdf(const Kdf&) = delete;
  // Writes 32 bytes, of which a key is the first 16 and a nonce the first 12. @param key 16 bytes
  void derive(Salt salt, const Path& path, const uint8_t* key, uint8_t* into) const;

 private:
  Level root_;
  Level salts_[saltCount];
};

}  // namespace twin
