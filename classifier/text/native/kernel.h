/* What the files of the kernel share: the tables they read, the memory they work in, the hashes they agree on.
 *
 * Everything here is plain C11 on little-endian machines, without a header of Python; only objects.c reads its strings.
 * Every function returns 0 or more when it has done its work, and one of the errors below otherwise. */
#ifndef NEWSDESK_KERNEL_H
#define NEWSDESK_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(_WIN32)
#define API __declspec(dllexport)
#else
#define API __attribute__((visibility("default")))
#endif

#define ERROR_MEMORY (-1)
#define ERROR_UTF8 (-2)   /* bytes that are no UTF-8 */
#define ERROR_LENGTH (-3) /* a text of 2 GiB or more, or more entries than a matrix may have */

#define PAD 64 /* bytes that may be read or written past the end of a text in our own memory */

/* Cells of `Chars.cells`: what becomes of a code point. */
#define CELL_CODE 0x1FFFFFu  /* how far away the code point is that it becomes (modulo 2^21), or with CELL_MANY a place */
#define CELL_MANY (1u << 21) /* none or several: sequences[place] says how many; each code point with its bits follows */
#define CELL_WORD (1u << 22) /* what it becomes is part of words (as re sees them) */
#define CELL_SPACE (1u << 23) /* what it becomes is white space (str.isspace) */
#define CELL_CASED (1u << 24) /* before lowercasing: has case */
#define CELL_IGNORED (1u << 25) /* before lowercasing: is looked through for case (str.lower's final sigma) */
#define CELL_SIGMA (1u << 26) /* a capital sigma, which lowercases by what stands around it */

/* Two steps from a code point to its cell: cells[pages[code >> 8] << 8 | (code & 255)]. */
typedef struct {
    const uint16_t *pages;
    const uint32_t *cells;
    const uint32_t *sequences;
    int32_t lowercase;
} Chars;

/* Where in a Python string is what; Python says it (classifier/text/objects.py). */
typedef struct {
    const void *none, *type; /* None and str */
    int64_t type_at, length_at, state_at; /* bytes from the start of a string */
    int64_t ascii_at, wide_at; /* where its characters begin, if all are ASCII and if not */
    int64_t shift; /* of the state: where the bits are that count */
} Objects;

/* A column of strings: as Arrow lays it out, with `offsets` of 32 bits, or of 64 where `wide`; or of Python's objects, where
 * `objects` is not NULL: `data` are their addresses, and only it and `first` count. */
typedef struct {
    const uint8_t *data;
    const void *offsets;
    const uint8_t *valid; /* a bit a row, or NULL where none is null */
    int64_t first;        /* of a sliced column: where its row 0 is */
    int64_t wide;
    const Objects *objects;
} Column;

enum { KIND_WORD, KIND_CHAR, KIND_CHAR_WB };

/* How texts are cut: n-grams of `low` to `high` words or characters, without the words in `stop`. */
typedef struct {
    int32_t kind, low, high, reserved;
    uint64_t seed[4];
    const uint64_t *stop; /* hashes, open addressing, 0 is empty; NULL without any */
    uint64_t stop_mask;
} Analysis;

/* A vocabulary: buckets of BUCKET slots, a power of two of buckets, a bucket a cache line. A slot is empty (0) or holds the
 * high bits of a hash, the term's identifier + 1 below. A bucket is filled from its start; what does not fit goes to the
 * next, `reach` buckets away at most. */
#define BUCKET 8

typedef struct {
    const uint64_t *slots;
    uint64_t mask; /* buckets - 1 */
    uint64_t id_mask;
    int64_t reach;
} Table;

typedef struct {
    void *memory;
    size_t size;
} Buffer;

/* At least `size` bytes; what was there is kept only with `keep`. */
static inline void *room(Buffer *buffer, size_t size, int keep) {
    if (buffer->size < size || !buffer->memory) {
        size_t more = size + (size >> 1) + PAD;
        void *memory;
        if (keep) {
            memory = realloc(buffer->memory, more);
        } else {
            free(buffer->memory);
            buffer->memory = NULL;
            buffer->size = 0;
            memory = malloc(more);
        }
        if (!memory) return NULL;
        buffer->memory = memory;
        buffer->size = more;
    }
    return buffer->memory;
}

static inline void release(Buffer *buffer) {
    free(buffer->memory);
    buffer->memory = NULL;
    buffer->size = 0;
}

/* One text at a time: as it was read, and as it was cut. */
typedef struct {
    Buffer bytes_memory, word_memory, space_memory, origin_memory, encoded_memory, size_memory;
    Buffer flat_memory, flat_origin_memory, places_memory, edges_memory, token_memory, gram_memory, span_memory;
    Buffer seen_memory, time_memory;
    uint8_t *bytes;   /* normalised UTF-8, `length` of it, PAD bytes of nothing behind */
    uint64_t *word;   /* a bit a byte: part of a word character */
    uint64_t *space;  /* a bit a byte: white space; only where `want_space` */
    uint32_t *origin; /* the code point of the source that a byte came from; only where `want_origin` */
    int64_t length;
    int want_space, want_origin;
    uint64_t *grams; /* hashes of the n-grams */
    uint32_t *spans; /* for each n-gram where it starts and ends in `joined`; only where `want_spans` */
    const uint8_t *joined;
    const uint32_t *joined_origin;
    int64_t gram_count;
    int want_spans;
    uint32_t *times; /* how often each n-gram counts; NULL where each counts once. Only where `want_times` */
    int want_times;
    uint32_t *token_start, *token_end; /* of words */
    int64_t token_count;
} Text;

int64_t read_text(Text *text, const Chars *chars, const Column *columns, int64_t count, int64_t row);
int64_t object_bytes(const Column *column, int64_t row);
const uint8_t *object_text(const Column *column, int64_t row, int64_t bytes, Buffer *memory);
int64_t cut_text(Text *text, const Analysis *analysis);
void release_text(Text *text);
int64_t gram_string(const Text *text, const Analysis *analysis, int64_t gram, Buffer *buffer, int64_t at);
void gram_place(const Text *text, const Analysis *analysis, int64_t gram, uint32_t *start, uint32_t *end);

/* The bytes of a code point in UTF-8; returns how many. */
static inline int encode_code(uint8_t *to, uint32_t code) {
    if (code < 0x80) {
        to[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (uint8_t)(0xC0 | code >> 6);
        to[1] = (uint8_t)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (uint8_t)(0xE0 | code >> 12);
        to[1] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        to[2] = (uint8_t)(0x80 | (code & 0x3F));
        return 3;
    }
    to[0] = (uint8_t)(0xF0 | code >> 18);
    to[1] = (uint8_t)(0x80 | (code >> 12 & 0x3F));
    to[2] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
    to[3] = (uint8_t)(0x80 | (code & 0x3F));
    return 4;
}

static inline uint64_t load8(const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, 8);
    return value;
}

static inline uint64_t fold(uint64_t a, uint64_t b) {
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The first 0 to 8 bytes of a word, of 16 alike. */
extern const uint64_t first_bytes[17][2];

/* A keyed hash of some bytes; 16 bytes from `at` may be read, whatever its `length`. */
static inline uint64_t hash_bytes(const uint64_t seed[4], const uint8_t *at, int64_t length) {
    uint64_t state = seed[0], bytes = (uint64_t)length;
    while (__builtin_expect(length > 16, 0)) {
        state = fold(load8(at) ^ seed[1], load8(at + 8) ^ state);
        at += 16;
        length -= 16;
    }
    uint64_t low = load8(at) & first_bytes[length][0], high = load8(at + 8) & first_bytes[length][1];
    /* The length comes last: beside the bytes it could make up for a difference between them. */
    return fold(fold(low ^ seed[1], high ^ state), seed[2] + bytes);
}

/* Of n words, given the hash of the first n - 1 and that of the last. */
static inline uint64_t hash_pair(const uint64_t seed[4], uint64_t before, uint64_t last) {
    return fold(before ^ seed[3], last + seed[2]);
}

static inline const uint64_t *bucket_of(const Table *table, uint64_t hash) {
    return table->slots + (hash & table->mask) * BUCKET;
}

/* The slot of a bucket that a hash could be in; whether it is must still be seen. Without branches on what is there: they
 * could not be foretold. */
static inline uint64_t candidate(const uint64_t *bucket, uint64_t hash) {
#if defined(__SSE2__)
    /* The high halves of eight slots against that of the hash. */
#define ODD _MM_SHUFFLE(3, 1, 3, 1)
    const float *halves = (const float *)bucket;
    const __m128i wanted = _mm_set1_epi32((int)(hash >> 32));
    __m128i low = _mm_castps_si128(_mm_shuffle_ps(_mm_loadu_ps(halves), _mm_loadu_ps(halves + 4), ODD));
    __m128i high = _mm_castps_si128(_mm_shuffle_ps(_mm_loadu_ps(halves + 8), _mm_loadu_ps(halves + 12), ODD));
    __m128i equal = _mm_packs_epi32(_mm_cmpeq_epi32(low, wanted), _mm_cmpeq_epi32(high, wanted));
    uint32_t found = (uint32_t)_mm_movemask_epi8(equal);
    return bucket[(uint32_t)__builtin_ctz(found | 0x4000u) >> 1];
#undef ODD
#else
    uint64_t slot = 0;
    for (int i = 0; i < BUCKET; i++) slot = (bucket[i] ^ hash) >> 32 == 0 ? bucket[i] : slot;
    return slot;
#endif
}

/* Whether a slot holds the hash; what an empty one seems to hold is nothing. */
static inline int holds(const Table *table, uint64_t slot, uint64_t hash) {
    return ((slot ^ hash) & ~table->id_mask) == 0 && slot != 0;
}

/* Whether the term may be elsewhere, although `slot` is not it: the bucket ran over, or two slots have the same high half. */
static inline int may_be_beyond(const uint64_t *bucket, uint64_t slot, uint64_t hash) {
    return bucket[BUCKET - 1] != 0 || (slot ^ hash) >> 32 == 0;
}

/* The rest of a search, slot by slot. -1 if there is no such term. */
int64_t find_beyond(const Table *table, uint64_t hash);

static inline int64_t find_term(const Table *table, uint64_t hash) {
    const uint64_t *bucket = bucket_of(table, hash);
    uint64_t slot = candidate(bucket, hash);
    if (holds(table, slot, hash)) return (int64_t)(slot & table->id_mask) - 1;
    return may_be_beyond(bucket, slot, hash) ? find_beyond(table, hash) : -1;
}

static inline int is_stop(const Analysis *analysis, uint64_t hash) {
    uint64_t at = hash & analysis->stop_mask;
    while (analysis->stop[at]) {
        if (analysis->stop[at] == hash) return 1;
        at = (at + 1) & analysis->stop_mask;
    }
    return 0;
}

#endif
