// Sixteen keys tried on one block.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)

namespace twin {

// A bit for each slot of a group whose key opens `block` to one that proves itself. Empty slots count.
using SearchGroup = uint32_t(const uint8_t* group, const uint8_t* block);

// Eight blocks in flight, in two turns; and eight registers of two blocks.
SearchGroup searchGroupNarrow;
SearchGroup searchGroupWide;

}  // namespace twin
#endif
