// Arguments of a call from JavaScript. Whatever is not what it should be is refused with a TypeError or RangeError of JavaScript, so no
// length that comes from outside is ever believed.
#pragma once

#define NAPI_VERSION 8
#include <node_api.h>

#include <cstddef>
#include <cstdint>

namespace twin {

// Memory that belongs to JavaScript, for the time of one call. A detached buffer has no bytes.
template <typename T>
struct View {
  T* data = nullptr;
  size_t length = 0;
};

using Bytes = View<uint8_t>;
using Words = View<int32_t>;

// The arguments of one call, read in order. After the first that is wrong an exception is pending, and `ok` is false.
template <size_t Count>
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = Count;
    ok_ = napi_get_cb_info(env, info, &count, values_, nullptr, &data_) == napi_ok;
  }

  bool ok() const { return ok_; }
  // What the function was registered with.
  void* data() const { return data_; }

  Bytes bytes() { return view<uint8_t>(napi_uint8_array, "a Uint8Array was expected"); }
  Words words() { return view<int32_t>(napi_int32_array, "an Int32Array was expected"); }

  // The same where undefined stands for nothing.
  Bytes optionalBytes() { return skipUndefined() ? Bytes{} : bytes(); }
  Words optionalWords() { return skipUndefined() ? Words{} : words(); }

  uint32_t number() {
    uint32_t value = 0;
    if (ok_ && napi_get_value_uint32(env_, values_[next_++], &value) != napi_ok) fail("a number was expected");
    return value;
  }

  bool flag() {
    bool value = false;
    if (ok_ && napi_get_value_bool(env_, values_[next_++], &value) != napi_ok) fail("a boolean was expected");
    return value;
  }

 private:
  template <typename T>
  View<T> view(napi_typedarray_type wanted, const char* message) {
    View<T> result;
    if (!ok_) return result;
    napi_typedarray_type type;
    void* data = nullptr;
    size_t length = 0;
    if (napi_get_typedarray_info(env_, values_[next_++], &type, &length, &data, nullptr, nullptr) != napi_ok || type != wanted) {
      fail(message);
      return result;
    }
    if (data != nullptr) result = {static_cast<T*>(data), length};
    return result;
  }

  bool skipUndefined() {
    napi_valuetype type;
    if (!ok_ || napi_typeof(env_, values_[next_], &type) != napi_ok || type != napi_undefined) return false;
    next_++;
    return true;
  }

  void fail(const char* message) {
    napi_throw_type_error(env_, nullptr, message);
    ok_ = false;
  }

  napi_env env_;
  napi_value values_[Count];
  void* data_ = nullptr;
  size_t next_ = 0;
  bool ok_;
};

inline napi_value outOfRange(napi_env env, const char* message) {
  napi_throw_range_error(env, nullptr, message);
  return nullptr;
}

inline napi_value number(napi_env env, int64_t value) {
  napi_value result = nullptr;
  napi_create_int64(env, value, &result);
  return result;
}

inline napi_value flag(napi_env env, bool value) {
  napi_value result = nullptr;
  napi_get_boolean(env, value, &result);
  return result;
}

}  // namespace twin
