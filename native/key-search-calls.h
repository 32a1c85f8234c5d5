#pragma once

#include "bytes.h"

namespace twin {

napi_value setKey(napi_env env, napi_callback_info info);
napi_value clearKey(napi_env env, napi_callback_info info);
napi_value findKey(napi_env env, napi_callback_info info);
napi_value openWithKey(napi_env env, napi_callback_info info);

}  // namespace twin
