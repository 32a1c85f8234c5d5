// The calls of JavaScript that search for a key. Not registered where the processor lacks what they need.
#include "key-search-calls.h"

#include <algorithm>

#include "key-search.h"

namespace twin {

namespace {

constexpr size_t blockLength = 16;

size_t slotsIn(Bytes table) { return table.length / groupBytes * groupSlots; }

bool isBlock(napi_env env, Bytes bytes) {
  if (bytes.length >= blockLength) return true;
  outOfRange(env, "16 bytes were expected");
  return false;
}

bool isSlot(napi_env env, Bytes table, size_t slot) {
  if (slot < slotsIn(table)) return true;
  outOfRange(env, "there is no such slot");
  return false;
}

}  // namespace

// (table, slot, key)
napi_value setKey(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  const Bytes table = arguments.bytes();
  const size_t slot = arguments.number();
  const Bytes key = arguments.bytes();
  if (arguments.ok() && isSlot(env, table, slot) && isBlock(env, key)) keySearchSet(table.data, slot, key.data);
  return nullptr;
}

// (table, slot)
napi_value clearKey(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  const Bytes table = arguments.bytes();
  const size_t slot = arguments.number();
  if (arguments.ok() && isSlot(env, table, slot)) keySearchClear(table.data, slot);
  return nullptr;
}

// (table, block, from, to) => slot or -1
napi_value findKey(napi_env env, napi_callback_info info) {
  Arguments<4> arguments(env, info);
  const Bytes table = arguments.bytes();
  const Bytes block = arguments.bytes();
  const size_t from = arguments.number();
  const size_t to = arguments.number();
  if (!arguments.ok() || !isBlock(env, block)) return nullptr;
  return number(env, keySearchFind(table.data, block.data, from, std::min(to, slotsIn(table))));
}

// (table, slot, block, into)
napi_value openWithKey(napi_env env, napi_callback_info info) {
  Arguments<4> arguments(env, info);
  const Bytes table = arguments.bytes();
  const size_t slot = arguments.number();
  const Bytes block = arguments.bytes();
  const Bytes into = arguments.bytes();
  if (arguments.ok() && isSlot(env, table, slot) && isBlock(env, block) && isBlock(env, into)) {
    keySearchOpen(table.data, slot, block.data, into.data);
  }
  return nullptr;
}

}  // namespace twin
