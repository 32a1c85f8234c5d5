#pragma once

#include "bytes.h"

namespace twin {

napi_value sealBody(napi_env env, napi_callback_info info);
napi_value openBody(napi_env env, napi_callback_info info);

}  // namespace twin
