// SPDX-License-Identifier: MIT
//
// Searches in the bitmaps of a group. Bit n is bit n%8 of byte n/8; `end` is at most 32768, the
// bits of one block, so eight bytes at a multiple of eight can always be read.
#include "internal.h"

bool ext_bit_test(const uint8_t *map, uint32_t bit)
{
    return map[bit / 8] >> (bit % 8) & 1;
}

static uint32_t find(const uint8_t *map, uint32_t from, uint32_t end, uint64_t flip)
{
    for (uint32_t base = from & ~63u; base < end; base += 64) {
        uint64_t word;
        memcpy(&word, map + base / 8, sizeof(word));
        word ^= flip;
        if (base < from)
            word &= ~(((uint64_t)1 << (from - base)) - 1);
        if (word) {
            uint32_t bit = base + (uint32_t)__builtin_ctzll(word);
            return bit < end ? bit : end;
        }
    }
    return end;
}

// First clear bit in [from, end), or end.
uint32_t ext_bit_find(const uint8_t *map, uint32_t from, uint32_t end)
{
    return find(map, from, end, UINT64_MAX);
}

// First set bit in [from, end), or end.
uint32_t ext_bit_find_set(const uint8_t *map, uint32_t from, uint32_t end)
{
    return find(map, from, end, 0);
}

// Sets or clears the bits of [from, end).
void ext_bits_put(uint8_t *map, uint32_t from, uint32_t end, bool on)
{
    for (uint32_t bit = from, next; bit < end; bit = next) {
        next = (uint32_t)ext_min((bit / 8 + 1ul) * 8, end);
        uint8_t mask = (uint8_t)((1u << (next - bit)) - 1) << bit % 8;
        map[bit / 8] = on ? map[bit / 8] | mask : map[bit / 8] & (uint8_t)~mask;
    }
}

// First bit of the first wholly clear byte in [from, end), or end.
uint32_t ext_byte_find(const uint8_t *map, uint32_t from, uint32_t end)
{
    for (uint32_t byte = (from + 7) / 8; byte < end / 8; byte++)
        if (!map[byte])
            return byte * 8;
    return end;
}
