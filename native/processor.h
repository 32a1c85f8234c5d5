// Which instructions of the processor the twin uses.
#pragma once

namespace twin {

// AES on one block at a time, and carry-less multiplication.
bool hasAes();
// Both on two blocks at a time; VMESS_NATIVE=narrow in the environment does without.
bool hasWideAes();

}  // namespace twin
