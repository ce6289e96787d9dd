/* Python's strings where they lie: ASCII is read as it is, everything else is encoded just before it is read.
 *
 * No lock of Python is held here. None is needed: a string never changes, and whoever calls keeps it alive. */
#include "kernel.h"

#define STEP 16  /* characters that are looked at together */
#define AHEAD 16 /* objects that are fetched before they are needed */

/* The five bits of a string's state: bytes a character, FOLLOWS where they come behind the header, PLAIN where all are ASCII. */
#define FOLLOWS 8u
#define PLAIN 16u
enum { ASCII = 1 | FOLLOWS | PLAIN, ONE = 1 | FOLLOWS, TWO = 2 | FOLLOWS, FOUR = 4 | FOLLOWS };

static inline const uint8_t *object_at(const Column *column, int64_t row) {
    return ((const uint8_t *const *)column->data)[column->first + row];
}

static inline uint32_t kind_of(const Objects *objects, const uint8_t *object) {
    uint32_t state;
    memcpy(&state, object + objects->state_at, 4);
    return state >> objects->shift & 31;
}

/* How many of `count` objects, from the first on, are strings that can be read here, or None where `empty`: no
 * other types, and none that keeps its characters elsewhere. */
API int64_t nd_plain(const Objects *objects, const uint8_t *const *from, int64_t count, int64_t empty) {
    int64_t i = 0;
    for (; i < count; i++) {
        const void *type;
        if (i + AHEAD < count) __builtin_prefetch(from[i + AHEAD]);
        if (empty && from[i] == objects->none) continue;
        memcpy(&type, from[i] + objects->type_at, sizeof(type));
        if (type != objects->type || !(kind_of(objects, from[i]) & FOLLOWS)) break;
    }
    return i;
}

/* Of characters of one width: how many bytes they have in UTF-8, and these. Surrogates are encoded like any other. */
#define WIDTH(character, bytes_of, plain, encode)                              \
    static int64_t bytes_of(const character *from, int64_t length) {           \
        int64_t bytes = length;                                                \
        for (int64_t i = 0; i < length; i++) {                                 \
            uint32_t code = from[i];                                           \
            bytes += (code >= 0x80) + (code >= 0x800) + (code >= 0x10000);     \
        }                                                                      \
        return bytes;                                                          \
    }                                                                          \
    static inline int plain(const character *from, uint8_t *to) {              \
        uint32_t all = 0;                                                      \
        for (int i = 0; i < STEP; i++) all |= from[i];                         \
        if (all >= 0x80) return 0;                                             \
        for (int i = 0; i < STEP; i++) to[i] = (uint8_t)from[i];               \
        return 1;                                                              \
    }                                                                          \
    static void encode(const character *from, int64_t length, uint8_t *to) {   \
        for (int64_t i = 0; i < length;) {                                     \
            int64_t end = length - i < STEP ? length : i + STEP;               \
            if (end == i + STEP && plain(from + i, to)) {                      \
                i = end;                                                       \
                to += STEP;                                                    \
            } else {                                                           \
                while (i < end) to += encode_code(to, from[i++]);              \
            }                                                                  \
        }                                                                      \
    }

WIDTH(uint8_t, bytes_of_one, plain_one, encode_one)
WIDTH(uint16_t, bytes_of_two, plain_two, encode_two)
WIDTH(uint32_t, bytes_of_four, plain_four, encode_four)

/* How many bytes a row has in UTF-8, at most INT32_MAX. */
int64_t object_bytes(const Column *column, int64_t row) {
    const Objects *objects = column->objects;
    const uint8_t *object = object_at(column, row);
    if (object == objects->none) return 0;
    int64_t length;
    memcpy(&length, object + objects->length_at, 8);
    if (length >= INT32_MAX) return INT32_MAX;
    const uint8_t *wide = object + objects->wide_at;
    switch (kind_of(objects, object)) {
        case ONE: length = bytes_of_one(wide, length); break;
        case TWO: length = bytes_of_two((const uint16_t *)wide, length); break;
        case FOUR: length = bytes_of_four((const uint32_t *)wide, length); break;
        default: break;
    }
    return length < INT32_MAX ? length : INT32_MAX;
}

/* The `object_bytes` of a row, encoded into `memory` unless they are ASCII; NULL without memory. */
const uint8_t *object_text(const Column *column, int64_t row, int64_t bytes, Buffer *memory) {
    const Objects *objects = column->objects;
    const uint8_t *object = object_at(column, row), *wide = object + objects->wide_at;
    uint32_t kind = kind_of(objects, object);
    if (kind == ASCII) return object + objects->ascii_at;
    uint8_t *to = room(memory, (size_t)bytes, 0);
    if (!to) return NULL;
    int64_t length;
    memcpy(&length, object + objects->length_at, 8);
    if (kind == ONE) encode_one(wide, length, to);
    if (kind == TWO) encode_two((const uint16_t *)wide, length, to);
    if (kind == FOUR) encode_four((const uint32_t *)wide, length, to);
    return to;
}
