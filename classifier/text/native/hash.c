/* The ids of articles without one: BLAKE2b (RFC 7693) of their address or texts, 16 bytes of it, in hexadecimal.
 *
 * The same bits as `classifier.articles.content_hash`, for a whole table and without an object a row. */
#include "kernel.h"

#define BLOCK 128
#define DIGEST 16
#define FIELDS 4 /* url, headline, summary, body */

typedef struct {
    uint64_t state[8];
    uint64_t total;       /* bytes that are in `state` */
    uint8_t block[BLOCK]; /* bytes that are not, `used` of them */
    size_t used;
} Hash;

static const uint64_t start[8] = {
    0x6a09e667f3bcc908u, 0xbb67ae8584caa73bu, 0x3c6ef372fe94f82bu, 0xa54ff53a5f1d36f1u,
    0x510e527fade682d1u, 0x9b05688c2b3e6c1fu, 0x1f83d9abfb41bd6bu, 0x5be0cd19137e2179u,
};

/* Which words of a block a round mixes in; the last two of twelve rounds are the first two again. */
static const uint8_t words[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static inline uint64_t turned(uint64_t value, int bits) {
    return value >> bits | value << (64 - bits);
}

/* Written out, so that a compiler keeps all of `v` in registers and knows every place. */
#define MIX(a, b, c, d, x, y)                 \
    do {                                      \
        v[a] += v[b] + (x);                   \
        v[d] = turned(v[d] ^ v[a], 32);       \
        v[c] += v[d];                         \
        v[b] = turned(v[b] ^ v[c], 24);       \
        v[a] += v[b] + (y);                   \
        v[d] = turned(v[d] ^ v[a], 16);       \
        v[c] += v[d];                         \
        v[b] = turned(v[b] ^ v[c], 63);       \
    } while (0)
#define WORD(round, i) load8(block + 8 * words[(round) % 10][i])
#define ROUND(round)                                               \
    do {                                                           \
        MIX(0, 4, 8, 12, WORD(round, 0), WORD(round, 1));          \
        MIX(1, 5, 9, 13, WORD(round, 2), WORD(round, 3));          \
        MIX(2, 6, 10, 14, WORD(round, 4), WORD(round, 5));         \
        MIX(3, 7, 11, 15, WORD(round, 6), WORD(round, 7));         \
        MIX(0, 5, 10, 15, WORD(round, 8), WORD(round, 9));         \
        MIX(1, 6, 11, 12, WORD(round, 10), WORD(round, 11));       \
        MIX(2, 7, 8, 13, WORD(round, 12), WORD(round, 13));        \
        MIX(3, 4, 9, 14, WORD(round, 14), WORD(round, 15));        \
    } while (0)

/* Takes up a block, `length` bytes of which count. */
static void take_block(Hash *hash, const uint8_t *block, size_t length, int is_last) {
    uint64_t v[16];
    hash->total += length;
    memcpy(v, hash->state, sizeof hash->state);
    memcpy(v + 8, start, sizeof start);
    v[12] ^= hash->total;
    if (is_last) v[14] = ~v[14];
    ROUND(0);
    ROUND(1);
    ROUND(2);
    ROUND(3);
    ROUND(4);
    ROUND(5);
    ROUND(6);
    ROUND(7);
    ROUND(8);
    ROUND(9);
    ROUND(10);
    ROUND(11);
    for (int i = 0; i < 8; i++) hash->state[i] ^= v[i] ^ v[i + 8];
}

static void begin(Hash *hash) {
    memcpy(hash->state, start, sizeof start);
    hash->state[0] ^= 0x01010000u ^ DIGEST;
    hash->total = 0;
    hash->used = 0;
}

/* A full block is taken up only once there is more: the last one is taken up as such. */
static void add(Hash *hash, const uint8_t *at, size_t length) {
    while (length) {
        if (hash->used == BLOCK) {
            take_block(hash, hash->block, BLOCK, 0);
            hash->used = 0;
        }
        if (!hash->used && length > BLOCK) {
            take_block(hash, at, BLOCK, 0);
            at += BLOCK;
            length -= BLOCK;
            continue;
        }
        size_t part = BLOCK - hash->used < length ? BLOCK - hash->used : length;
        memcpy(hash->block + hash->used, at, part);
        hash->used += part;
        at += part;
        length -= part;
    }
}

static void write_digest(Hash *hash, uint8_t *digits) {
    static const char hexadecimal[] = "0123456789abcdef";
    memset(hash->block + hash->used, 0, BLOCK - hash->used);
    take_block(hash, hash->block, hash->used, 1);
    for (int i = 0; i < DIGEST; i++) {
        uint8_t byte = (uint8_t)(hash->state[i / 8] >> 8 * (i % 8));
        digits[2 * i] = (uint8_t)hexadecimal[byte >> 4];
        digits[2 * i + 1] = (uint8_t)hexadecimal[byte & 15];
    }
}

/* The bytes of a row; none of one that is null. */
static const uint8_t *row_bytes(const Column *column, int64_t row, uint64_t *length) {
    int64_t at = column->first + row, from, to;
    *length = 0;
    if (column->valid && !(column->valid[at >> 3] >> (at & 7) & 1)) return NULL;
    if (column->wide) {
        from = ((const int64_t *)column->offsets)[at];
        to = ((const int64_t *)column->offsets)[at + 1];
    } else {
        from = ((const int32_t *)column->offsets)[at];
        to = ((const int32_t *)column->offsets)[at + 1];
    }
    *length = (uint64_t)(to - from);
    return column->data + from;
}

/* 32 `digits` for each of `count` rows of the columns url, headline, summary and body: of the url, or of the texts where
 * there is none, each with its length before it. */
API void nd_content_ids(const Column *columns, int64_t count, uint8_t *digits) {
    for (int64_t row = 0; row < count; row++, digits += 2 * DIGEST) {
        Hash hash;
        begin(&hash);
        for (int field = 0; field < FIELDS; field++) {
            uint64_t length;
            const uint8_t *bytes = row_bytes(columns + field, row, &length);
            add(&hash, (const uint8_t *)&length, sizeof length);
            add(&hash, bytes, length);
            if (field == 0 && length) break;
        }
        write_digest(&hash, digits);
    }
}
