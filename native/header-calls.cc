// The calls of JavaScript that seal and open headers, as src/protocol/vmess/header-seals.ts does.
#include "header-calls.h"

#include <cstring>

#include "headers.h"
#include "thread.h"

namespace twin {

namespace {

// Request: AuthID 16 | length 2 + tag | nonce 8 | fields + tag. Answer: length 2 + tag | fields + tag.
constexpr size_t sealedLength = 2 + tagLength;
constexpr size_t requestNonceAt = authIdLength + sealedLength;
constexpr size_t requestHead = requestNonceAt + pathNonceLength;

constexpr int64_t notAuthentic = -1;

bool atLeast(napi_env env, Bytes bytes, size_t length) {
  if (bytes.length >= length) return true;
  outOfRange(env, "a buffer is too small");
  return false;
}

Part requestLength(const uint8_t* key, const Path& path) { return {Salt::requestLengthKey, Salt::requestLengthNonce, key, key, path}; }
Part requestFields(const uint8_t* key, const Path& path) { return {Salt::requestKey, Salt::requestNonce, key, key, path}; }
Part responseLength(Bytes key, Bytes iv) { return {Salt::responseLengthKey, Salt::responseLengthNonce, key.data, iv.data, {}}; }
Part responseFields(Bytes key, Bytes iv) { return {Salt::responseKey, Salt::responseNonce, key.data, iv.data, {}}; }

napi_value sealTwo(napi_env env, Thread& thread, const Part& first, const Part& second, Bytes plain, uint8_t* at, size_t gap) {
  const uint8_t length[2] = {static_cast<uint8_t>(plain.length >> 8), static_cast<uint8_t>(plain.length)};
  const bool sealed = sealPart(thread.kdf, thread.ciphers, first, length, 2, at) &&
                      sealPart(thread.kdf, thread.ciphers, second, plain.data, plain.length, at + sealedLength + gap);
  if (!sealed) napi_throw_error(env, nullptr, "a cipher of OpenSSL failed");
  return nullptr;
}

napi_value openLength(napi_env env, Thread& thread, const Part& part, const uint8_t* sealed) {
  uint8_t plain[2];
  const bool open = openPart(thread.kdf, thread.ciphers, part, sealed, sealedLength, plain);
  return number(env, open ? (plain[0] << 8) | plain[1] : notAuthentic);
}

napi_value openFields(napi_env env, Thread& thread, const Part& part, const uint8_t* sealed, size_t length, Bytes into) {
  if (!atLeast(env, into, length - tagLength)) return nullptr;
  return flag(env, openPart(thread.kdf, thread.ciphers, part, sealed, length, into.data));
}

// (key, into)
napi_value deriveKey(napi_env env, napi_callback_info info, Salt salt) {
  Arguments<2> arguments(env, info);
  const Bytes key = arguments.bytes();
  const Bytes into = arguments.bytes();
  if (!arguments.ok() || !atLeast(env, key, keyLength) || !atLeast(env, into, keyLength)) return nullptr;
  uint8_t derived[digestLength];
  static_cast<Thread*>(arguments.data())->kdf.derive(salt, {}, key.data, derived);
  std::memcpy(into.data, derived, keyLength);
  return nullptr;
}

}  // namespace

napi_value authIdKey(napi_env env, napi_callback_info info) { return deriveKey(env, info, Salt::authId); }
napi_value lengthKey(napi_env env, napi_callback_info info) { return deriveKey(env, info, Salt::length); }

// (key, authId, nonce, plain, into)
napi_value sealRequest(napi_env env, napi_callback_info info) {
  Arguments<5> arguments(env, info);
  const Bytes key = arguments.bytes();
  const Bytes authId = arguments.bytes();
  const Bytes nonce = arguments.bytes();
  const Bytes plain = arguments.bytes();
  const Bytes into = arguments.bytes();
  if (!arguments.ok() || !atLeast(env, key, keyLength) || !atLeast(env, authId, authIdLength)) return nullptr;
  if (!atLeast(env, nonce, pathNonceLength) || !atLeast(env, into, requestHead + plain.length + tagLength)) return nullptr;
  std::memcpy(into.data, authId.data, authIdLength);
  std::memcpy(into.data + requestNonceAt, nonce.data, pathNonceLength);
  const Path path{into.data, into.data + requestNonceAt};
  return sealTwo(env, *static_cast<Thread*>(arguments.data()), requestLength(key.data, path), requestFields(key.data, path), plain,
                 into.data + authIdLength, pathNonceLength);
}

// (key, wire) => length of the fields, or -1
napi_value openRequestLength(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  const Bytes key = arguments.bytes();
  const Bytes wire = arguments.bytes();
  if (!arguments.ok() || !atLeast(env, key, keyLength) || !atLeast(env, wire, requestHead)) return nullptr;
  const Path path{wire.data, wire.data + requestNonceAt};
  return openLength(env, *static_cast<Thread*>(arguments.data()), requestLength(key.data, path), wire.data + authIdLength);
}

// (key, wire, into) => whether it is authentic
napi_value openRequest(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  const Bytes key = arguments.bytes();
  const Bytes wire = arguments.bytes();
  const Bytes into = arguments.bytes();
  if (!arguments.ok() || !atLeast(env, key, keyLength) || !atLeast(env, wire, requestHead + tagLength)) return nullptr;
  const Path path{wire.data, wire.data + requestNonceAt};
  return openFields(env, *static_cast<Thread*>(arguments.data()), requestFields(key.data, path), wire.data + requestHead,
                    wire.length - requestHead, into);
}

// (key, iv, plain, into)
napi_value sealResponse(napi_env env, napi_callback_info info) {
  Arguments<4> arguments(env, info);
  const Bytes key = arguments.bytes();
  const Bytes iv = arguments.bytes();
  const Bytes plain = arguments.bytes();
  const Bytes into = arguments.bytes();
  if (!arguments.ok() || !atLeast(env, key, keyLength) || !atLeast(env, iv, keyLength)) return nullptr;
  if (!atLeast(env, into, sealedLength + plain.length + tagLength)) return nullptr;
  return sealTwo(env, *static_cast<Thread*>(arguments.data()), responseLength(key, iv), responseFields(key, iv), plain, into.data, 0);
}

// (key, iv, sealed) => length of the fields, or -1
napi_value openResponseLength(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  const Bytes key = arguments.bytes();
  const Bytes iv = arguments.bytes();
  const Bytes sealed = arguments.bytes();
  if (!arguments.ok() || !atLeast(env, key, keyLength) || !atLeast(env, iv, keyLength)) return nullptr;
  if (!atLeast(env, sealed, sealedLength)) return nullptr;
  return openLength(env, *static_cast<Thread*>(arguments.data()), responseLength(key, iv), sealed.data);
}

// (key, iv, sealed, into) => whether it is authentic
napi_value openResponse(napi_env env, napi_callback_info info) {
  Arguments<4> arguments(env, info);
  const Bytes key = arguments.bytes();
  const Bytes iv = arguments.bytes();
  const Bytes sealed = arguments.bytes();
  const Bytes into = arguments.bytes();
  if (!arguments.ok() || !atLeast(env, key, keyLength) || !atLeast(env, iv, keyLength)) return nullptr;
  if (!atLeast(env, sealed, tagLength)) return nullptr;
  return openFields(env, *static_cast<Thread*>(arguments.data()), responseFields(key, iv), sealed.data, sealed.length, into);
}

}  // namespace twin
