// Chunks of a body: `size field | data | padding`, as src/protocol/vmess/chunk-sealer.ts and chunk-opener.ts write and read them, for the two
// securities that seal their data. The steps for each chunk are the same at both ends: draw the padding's length, draw the mask of the
// size, count the nonce.
#pragma once

#include "ciphers.h"
#include "random-pool.h"
#include "shake128.h"

namespace twin {

// What differs from body to body, in BodyState::kind.
enum BodyKind : int32_t {
  bodyChacha = 1,
  bodyMasked = 2,
  bodyPadded = 4,
  bodyAuthenticatedLength = 8,
};

/*
 * One direction of a body. It is memory of JavaScript, an Int32Array that src/protocol/vmess/twin/body-state.ts lays out and fills in, so that a
 * connection costs no object here, nothing that must be freed, and no call before it has bytes. No word of it is trusted with memory.
 */
struct BodyState {
  int32_t kind;
  // How many data chunks and how many lengths have been sealed or opened, modulo 65536.
  int32_t count;
  int32_t lengthCount;
  // Length of the unit that comes next: the field, or the chunk where `inChunk`.
  int32_t unit;
  int32_t inChunk;
  // Of the chunk being opened, or the last one that was sealed.
  int32_t padding;
  int32_t ended;
  // Bytes of the batch that the last call has used up, and datagrams that it has found.
  int32_t consumed;
  int32_t datagrams;
  int32_t shakeAt;
  uint8_t iv[nonceLength];
  uint8_t lengthIv[nonceLength];
  uint8_t key[keyRoom];
  uint8_t lengthKey[keyRoom];
  uint64_t shake[25];
};

static_assert(sizeof(BodyState) == 328 && alignof(BodyState) == 8, "src/protocol/vmess/twin/body-state.ts says the same");

// Why a body cannot be opened; the same numbers as in src/protocol/vmess/twin/body-state.ts. What is returned is one of them, or a number of bytes.
enum BodyFailure : int64_t {
  lengthNotAuthentic = -1,
  sizeImpossible = -2,
  chunkNotAuthentic = -3,
  // Faults of the caller or of OpenSSL.
  noRoom = -4,
  cipherFailed = -5,
};

// What a chunk of a body consists of, and the means to seal or open it.
class Body {
 public:
  Body(BodyState& state, Ciphers& ciphers) : state_(state), ciphers_(ciphers) {}

  // Seals one chunk into `into` at `at`, padded with bytes of `random`, or with none where the caller fills them in; returns the offset behind it.
  int64_t sealChunk(const uint8_t* plain, size_t length, uint8_t* into, size_t room, size_t at, RandomPool* random);

  // Uses up the unit at `bytes`, which is complete; returns where the next payload goes in `into`.
  int64_t takeUnit(const uint8_t* bytes, uint8_t* into, size_t room, size_t at);

  size_t fieldLength() const { return is(bodyAuthenticatedLength) ? 2 + tagLength : 2; }

 private:
  bool is(BodyKind kind) const { return (state_.kind & kind) != 0; }
  Algorithm algorithm() const { return is(bodyChacha) ? Algorithm::chacha : Algorithm::gcm; }
  Cipher* cipher(Direction direction, const uint8_t* key) { return ciphers_.of(algorithm(), direction, key); }
  uint32_t drawPadding() { return is(bodyPadded) ? shakeNext(state_.shake, state_.shakeAt) & 63 : 0; }
  uint32_t drawMask() { return is(bodyMasked) ? shakeNext(state_.shake, state_.shakeAt) : 0; }
  bool sealField(uint32_t size, uint8_t* into);
  int64_t takeField(const uint8_t* bytes);
  int64_t takeChunk(const uint8_t* bytes, uint8_t* into, size_t room, size_t at);

  BodyState& state_;
  Ciphers& ciphers_;
};

}  // namespace twin
