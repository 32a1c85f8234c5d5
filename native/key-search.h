// Which of many AES-128 keys opens a block to one that proves itself: its last four bytes are the CRC-32 (big-endian) of the twelve before.
#pragma once

#include <cstddef>
#include <cstdint>

namespace twin {

/*
 * Keys lie in groups of sixteen slots, in memory of JavaScript: for each round of decryption the round keys of all of them, so that a search
 * reads them in a row, then for every slot whether there is a key in it. Without keySearchInstructions() none of this does anything.
 */
constexpr size_t groupSlots = 16;
constexpr size_t groupBytes = 11 * groupSlots * 16 + groupSlots;

// Which instructions the search uses on this processor; nullptr where it has none for AES and carry-less multiplication.
const char* keySearchInstructions();

void keySearchSet(uint8_t* table, size_t slot, const uint8_t* key);
void keySearchClear(uint8_t* table, size_t slot);
// The first slot of from..to-1 that matches, or -1. The table has all of them.
int64_t keySearchFind(const uint8_t* table, const uint8_t* block, size_t from, size_t to);
void keySearchOpen(const uint8_t* table, size_t slot, const uint8_t* block, uint8_t* into);

}  // namespace twin
