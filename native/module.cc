// What JavaScript sees: functions over memory that it owns. src/crypto/twin.ts describes them.
#include <memory>

#include "body-calls.h"
#include "header-calls.h"
#include "key-search-calls.h"
#include "key-search.h"
#include "thread.h"

namespace twin {

namespace {

// Counts up whenever functions or the layout of a state change: a file that was built from other sources is not used.
constexpr int interfaceVersion = 4;

struct Function {
  const char* name;
  napi_callback call;
};

constexpr Function functions[] = {
    {"sealBody", sealBody},
    {"openBody", openBody},
    {"authIdKey", authIdKey},
    {"lengthKey", lengthKey},
    {"sealRequest", sealRequest},
    {"openRequestLength", openRequestLength},
    {"openRequest", openRequest},
    {"sealResponse", sealResponse},
    {"openResponseLength", openResponseLength},
    {"openResponse", openResponse},
};

constexpr Function searchFunctions[] = {
    {"setKey", setKey},
    {"clearKey", clearKey},
    {"findKey", findKey},
    {"openWithKey", openWithKey},
};

template <size_t Count>
void add(napi_env env, napi_value object, const Function (&functions)[Count], Thread* thread) {
  for (const Function& function : functions) {
    napi_value value = nullptr;
    napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.call, thread, &value);
    napi_set_named_property(env, object, function.name, value);
  }
}

void addText(napi_env env, napi_value object, const char* name, const char* text) {
  napi_value value = nullptr;
  napi_create_string_latin1(env, text, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, object, name, value);
}

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
  add(env, exports, functions, thread);
  addText(env, exports, "gcm", thread->ciphers.gcm());
  const char* instructions = keySearchInstructions();
  if (instructions != nullptr) {
    napi_value search = nullptr;
    napi_create_object(env, &search);
    add(env, search, searchFunctions, thread);
    addText(env, search, "instructions", instructions);
    napi_set_named_property(env, search, "groupBytes", number(env, groupBytes));
    napi_set_named_property(env, exports, "search", search);
  }
  napi_set_named_property(env, exports, "interfaceVersion", number(env, interfaceVersion));
  return exports;
}
