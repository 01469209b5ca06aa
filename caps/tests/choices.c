// SPDX-License-Identifier: MIT
// Where the model's choices come from: a fuzzer's bytes, or a generator (xorshift).

#include "model.h"

static uint8_t choose_byte(struct choices *c)
{
    if (c->bytes) {
        if (!c->left)
            return 0;
        c->left--;
        return *c->bytes++;
    }
    c->state ^= c->state << 13;
    c->state ^= c->state >> 7;
    c->state ^= c->state << 17;
    return (uint8_t)(c->state >> 32);
}

uint32_t choose(struct choices *c, uint32_t below)
{
    uint32_t value = choose_byte(c);

    return below > 256 ? (value << 8 | choose_byte(c)) % below : value % below;
}

uint32_t choose_budget(struct choices *c)
{
    uint32_t b = choose(c, 16);

    return b < 12 ? b : 1000;
}

uint32_t choose_rights(struct choices *c, uint32_t from)
{
    uint32_t mask = choose_byte(c);

    return choose(c, 8) ? from & (mask | mask << 4) : mask;
}

bool choices_left(struct choices *c)
{
    return c->bytes ? c->left > 0 : c->ops-- > 0;
}
