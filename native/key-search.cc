#include "key-search.h"

#include <cstring>

#include "aes.h"
#include "key-search-group.h"
#include "processor.h"

#if defined(__x86_64__)

namespace twin {

namespace {

constexpr size_t rowBytes = groupSlots * 16;
constexpr size_t flagsAt = (rounds + 1) * rowBytes;

// Only where there are instructions for it.
SearchGroup* const searchGroup = hasWideAes() ? searchGroupWide : searchGroupNarrow;

}  // namespace

const char* keySearchInstructions() { return !hasAes() ? nullptr : hasWideAes() ? "vaes" : "aes-ni"; }

WITH_AES void keySearchSet(uint8_t* table, size_t slot, const uint8_t* key) {
  __m128i keys[rounds + 1];
  expandKey(key, keys);
  uint8_t* group = table + slot / groupSlots * groupBytes;
  uint8_t* row = group + slot % groupSlots * 16;
  for (size_t round = 0; round <= rounds; round++, row += rowBytes) {
    const bool middle = round > 0 && round < rounds;
    store(row, middle ? _mm_aesimc_si128(keys[rounds - round]) : keys[rounds - round]);
  }
  group[flagsAt + slot % groupSlots] = 1;
}

void keySearchClear(uint8_t* table, size_t slot) {
  uint8_t* group = table + slot / groupSlots * groupBytes;
  group[flagsAt + slot % groupSlots] = 0;
  for (size_t round = 0; round <= rounds; round++) std::memset(group + round * rowBytes + slot % groupSlots * 16, 0, 16);
}

int64_t keySearchFind(const uint8_t* table, const uint8_t* block, size_t from, size_t to) {
  for (size_t first = from / groupSlots * groupSlots; first < to; first += groupSlots) {
    const uint8_t* group = table + first / groupSlots * groupBytes;
    const uint32_t proven = searchGroup(group, block);
    if (proven == 0) continue;
    for (size_t i = 0; i < groupSlots; i++) {
      const bool found = (proven >> i & 1) != 0 && group[flagsAt + i] != 0;
      if (found && first + i >= from && first + i < to) return static_cast<int64_t>(first + i);
    }
  }
  return -1;
}

WITH_AES void keySearchOpen(const uint8_t* table, size_t slot, const uint8_t* block, uint8_t* into) {
  const uint8_t* row = table + slot / groupSlots * groupBytes + slot % groupSlots * 16;
  __m128i state = _mm_xor_si128(load(block), load(row));
  for (size_t round = 1; round < rounds; round++) state = _mm_aesdec_si128(state, load(row += rowBytes));
  store(into, _mm_aesdeclast_si128(state, load(row + rowBytes)));
}

}  // namespace twin

#else

namespace twin {

const char* keySearchInstructions() { return nullptr; }
void keySearchSet(uint8_t*, size_t, const uint8_t*) {}
void keySearchClear(uint8_t*, size_t) {}
int64_t keySearchFind(const uint8_t*, const uint8_t*, size_t, size_t) { return -1; }
void keySearchOpen(const uint8_t*, size_t, const uint8_t*, uint8_t*) {}

}  // namespace twin

#endif
