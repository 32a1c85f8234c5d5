#pragma once

#include "bytes.h"

namespace twin {

napi_value authIdKey(napi_env env, napi_callback_info info);
napi_value lengthKey(napi_env env, napi_callback_info info);
napi_value sealRequest(napi_env env, napi_callback_info info);
napi_value openRequestLength(napi_env env, napi_callback_info info);
napi_value openRequest(napi_env env, napi_callback_info info);
napi_value sealResponse(napi_env env, napi_callback_info info);
napi_value openResponseLength(napi_env env, napi_callback_info info);
napi_value openResponse(napi_env env, napi_callback_info info);

}  // namespace twin
