// What JavaScript sees: functions over memory that it owns. src/crypto/native/twin.ts describes them.
#include <memory>

#include "body-calls.h"
#include "thread.h"

namespace twin {

namespace {

// Counts up whenever functions or the layout of a state change: a file that was built from other sources is not used.
constexpr int interfaceVersion = 1;

struct Function {
  const char* name;
  napi_callback call;
};

constexpr Function functions[] = {
    {"sealBody", sealBody},
    {"openBody", openBody},
};

void freeThread(napi_env, void* thread, void*) { delete static_cast<Thread*>(thread); }

}  // namespace

}  // namespace twin

// Called once for every thread that loads the file.
NAPI_MODULE_INIT() {
  using namespace twin;
  auto* thread = new Thread();
  if (!thread->ciphers.load()) {
    delete thread;
    napi_throw_error(env, nullptr, "this OpenSSL lacks AES-128-GCM or ChaCha20-Poly1305");
    return nullptr;
  }
  napi_set_instance_data(env, thread, freeThread, nullptr);
  for (const Function& function : functions) {
    napi_value value = nullptr;
    napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.call, thread, &value);
    napi_set_named_property(env, exports, function.name, value);
  }
  napi_set_named_property(env, exports, "interfaceVersion", number(env, interfaceVersion));
  return exports;
}
