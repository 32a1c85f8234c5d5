#include "body.h"

#include <cstring>

namespace twin {

namespace {

// 2 B counter, from 0 | IV[2..12). Counts on.
struct Nonce {
  Nonce(const uint8_t* iv, int32_t& count) {
    std::memcpy(bytes, iv, nonceLength);
    bytes[0] = static_cast<uint8_t>(count >> 8);
    bytes[1] = static_cast<uint8_t>(count);
    count = (count + 1) & 0xffff;
  }
  uint8_t bytes[nonceLength];
};

void writeSize(uint32_t size, uint8_t* into) {
  into[0] = static_cast<uint8_t>(size >> 8);
  into[1] = static_cast<uint8_t>(size);
}

uint32_t readSize(const uint8_t* bytes) { return (static_cast<uint32_t>(bytes[0]) << 8) | bytes[1]; }

}  // namespace

int64_t Body::sealChunk(const uint8_t* plain, size_t length, uint8_t* into, size_t room, size_t at, RandomPool* random) {
  const uint32_t padding = drawPadding();
  const size_t field = fieldLength();
  const size_t end = at + field + length + tagLength + padding;
  if (end > room) return noRoom;
  if (!sealField(static_cast<uint32_t>(length + tagLength + padding), into + at)) return cipherFailed;
  Cipher* data = cipher(Direction::seal, state_.key);
  if (data == nullptr || !data->seal(Nonce(state_.iv, state_.count).bytes, plain, length, into + at + field)) return cipherFailed;
  if (padding > 0 && random != nullptr && !random->fill(into + end - padding, padding)) return cipherFailed;
  state_.padding = static_cast<int32_t>(padding);
  return static_cast<int64_t>(end);
}

bool Body::sealField(uint32_t size, uint8_t* into) {
  if (!is(bodyAuthenticatedLength)) {
    writeSize(size ^ drawMask(), into);
    return true;
  }
  uint8_t plain[2];
  writeSize(size - tagLength, plain);
  Cipher* length = cipher(Direction::seal, state_.lengthKey);
  return length != nullptr && length->seal(Nonce(state_.lengthIv, state_.lengthCount).bytes, plain, 2, into);
}

int64_t Body::takeUnit(const uint8_t* bytes, uint8_t* into, size_t room, size_t at) {
  if (state_.inChunk != 0) return takeChunk(bytes, into, room, at);
  const int64_t failure = takeField(bytes);
  return failure < 0 ? failure : static_cast<int64_t>(at);
}

int64_t Body::takeField(const uint8_t* bytes) {
  const uint32_t padding = drawPadding();
  uint32_t size;
  if (is(bodyAuthenticatedLength)) {
    uint8_t plain[2];
    Cipher* length = cipher(Direction::open, state_.lengthKey);
    if (length == nullptr) return cipherFailed;
    if (!length->open(Nonce(state_.lengthIv, state_.lengthCount).bytes, bytes, 2 + tagLength, plain)) return lengthNotAuthentic;
    // Peers calculate modulo 2^16, too.
    size = (readSize(plain) + tagLength) & 0xffff;
  } else {
    size = readSize(bytes) ^ drawMask();
  }
  state_.unit = static_cast<int32_t>(size);
  state_.padding = static_cast<int32_t>(padding);
  if (size < padding + tagLength) return sizeImpossible;
  state_.ended = size == padding + tagLength;
  state_.inChunk = 1;
  return 0;
}

int64_t Body::takeChunk(const uint8_t* bytes, uint8_t* into, size_t room, size_t at) {
  const size_t unit = static_cast<size_t>(state_.unit);
  const size_t padding = static_cast<size_t>(state_.padding);
  if (unit > 0xffff || padding > 63 || unit < padding + tagLength) return sizeImpossible;
  const size_t sealed = unit - padding;
  const size_t length = sealed - tagLength;
  if (at > room || length > room - at) return noRoom;
  Cipher* data = cipher(Direction::open, state_.key);
  if (data == nullptr) return cipherFailed;
  if (!data->open(Nonce(state_.iv, state_.count).bytes, bytes, sealed, into + at)) return chunkNotAuthentic;
  state_.inChunk = 0;
  state_.unit = static_cast<int32_t>(fieldLength());
  return static_cast<int64_t>(at + length);
}

}  // namespace twin
