// The calls of JavaScript that seal and open whole batches.
#include "body-calls.h"

#include <algorithm>

#include "body.h"
#include "bytes.h"
#include "thread.h"

namespace twin {

namespace {

// Sealed bytes of one chunk of a stream, before padding; core/limits.ts says why.
constexpr size_t payloadMax = 0xffff - tagLength - 63;

BodyState* stateOf(napi_env env, Words words) {
  if (words.length * sizeof(int32_t) >= sizeof(BodyState) && reinterpret_cast<uintptr_t>(words.data) % alignof(BodyState) == 0) {
    return reinterpret_cast<BodyState*>(words.data);
  }
  outOfRange(env, "the state of a body is too small");
  return nullptr;
}

napi_value fault(napi_env env, int64_t failure) {
  if (failure == noRoom) return outOfRange(env, "the buffer is too small for what goes into it");
  napi_throw_error(env, nullptr, "a cipher of OpenSSL failed");
  return nullptr;
}

}  // namespace

// (state, plain, longest, into, at, pad) => offset behind what was written
napi_value sealBody(napi_env env, napi_callback_info info) {
  Arguments<6> arguments(env, info);
  const Words words = arguments.words();
  const Bytes plain = arguments.bytes();
  const size_t longest = arguments.number();
  const Bytes into = arguments.bytes();
  size_t at = arguments.number();
  const bool pad = arguments.flag();
  if (!arguments.ok()) return nullptr;
  BodyState* state = stateOf(env, words);
  if (state == nullptr) return nullptr;
  if (longest == 0 || longest > payloadMax + 63) return outOfRange(env, "a chunk cannot be that long");
  Thread& thread = *static_cast<Thread*>(arguments.data());
  Body body(*state, thread.ciphers);
  size_t from = 0;
  // Once with nothing, too: that is the terminator.
  do {
    const size_t length = std::min(longest, plain.length - from);
    const int64_t end = body.sealChunk(plain.data + from, length, into.data, into.length, at, pad ? &thread.random : nullptr);
    if (end < 0) return fault(env, end);
    at = static_cast<size_t>(end);
    from += length;
  } while (from < plain.length);
  return number(env, static_cast<int64_t>(at));
}

// (state, head, batch, from, into, at, lengths) => bytes in `into`, or why it failed
napi_value openBody(napi_env env, napi_callback_info info) {
  Arguments<7> arguments(env, info);
  const Words words = arguments.words();
  const Bytes head = arguments.optionalBytes();
  const Bytes batch = arguments.bytes();
  size_t from = arguments.number();
  const Bytes into = arguments.bytes();
  int64_t at = arguments.number();
  const Words lengths = arguments.optionalWords();
  if (!arguments.ok()) return nullptr;
  BodyState* state = stateOf(env, words);
  if (state == nullptr) return nullptr;
  if (from > batch.length) return outOfRange(env, "the batch ends before that");
  Body body(*state, static_cast<Thread*>(arguments.data())->ciphers);
  state->datagrams = 0;
  bool headTaken = head.data == nullptr;
  size_t found = 0;
  while (state->ended == 0 && (lengths.data == nullptr || found < lengths.length)) {
    const bool chunk = state->inChunk != 0;
    // Whatever the state says, a field is read whole.
    const size_t unit = chunk ? static_cast<size_t>(static_cast<uint32_t>(state->unit)) : body.fieldLength();
    const size_t left = headTaken ? batch.length - from : head.length;
    if (unit == 0 || left < unit) break;
    const int64_t end = body.takeUnit(headTaken ? batch.data + from : head.data, into.data, into.length, static_cast<size_t>(at));
    if (end == noRoom || end == cipherFailed) return fault(env, end);
    if (end < 0) return number(env, end);
    if (chunk && lengths.data != nullptr) lengths.data[found++] = static_cast<int32_t>(end - at);
    state->datagrams = static_cast<int32_t>(found);
    at = end;
    if (headTaken) from += unit;
    headTaken = true;
  }
  state->consumed = static_cast<int32_t>(from);
  return number(env, at);
}

}  // namespace twin
