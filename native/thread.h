// What one thread of JavaScript has of the twin. Threads share nothing.
#pragma once

#include "ciphers.h"
#include "kdf.h"
#include "random-pool.h"

namespace twin {

struct Thread {
  Ciphers ciphers;
  RandomPool random;
  Kdf kdf;
};

}  // namespace twin
