#include "weigh.h"

#include <math.h>

#define AHEAD 32      /* n-grams whose slots are fetched before they are needed */
#define MOST_STEPS 48 /* in the table of one text: then it grows, so that no choice of words makes it slow */

double logarithms[LOGARITHMS];

/* Called once, when the library is loaded. */
__attribute__((constructor)) static void make_logarithms(void) {
    for (uint32_t n = 1; n < LOGARITHMS; n++) logarithms[n] = one_plus_log(n);
}

double one_plus_log(uint32_t count) { return 1.0 + log((double)count); }

/* Of the sum of `norm_part`; what has no length is left as it is. */
double norm_of(const Weighting *weighting, double sum) {
    if (weighting->norm == NORM_NONE || sum == 0.0) return 1.0;
    return weighting->norm == NORM_L2 ? sqrt(sum) : sum;
}

/* The identifiers of the known n-grams, with repetitions, and, where `times` says how often each counts, that in `counts`.
 * Whether one is known cannot be foretold, so nothing branches on it. */
static inline __attribute__((always_inline)) int64_t look_up(Terms *terms, const Text *text, const Table *table,
                                                             const uint8_t *rows, int64_t stride,
                                                             const uint32_t *times) {
    const uint64_t *grams = text->grams;
    const int64_t count = text->gram_count;
    uint32_t *ids = room(&terms->id_memory, (size_t)count * 4 + 4, 0);
    uint32_t *counts = room(&terms->count_memory, (size_t)count * 4 + 4, 0);
    if (!ids || !counts) return ERROR_MEMORY;
    for (int64_t i = 0; i < count && i < AHEAD; i++) __builtin_prefetch(bucket_of(table, grams[i]));
    int64_t found = 0;
    for (int64_t i = 0; i < count; i++) {
        if (i + AHEAD < count) __builtin_prefetch(bucket_of(table, grams[i + AHEAD]));
        const uint64_t *bucket = bucket_of(table, grams[i]);
        uint64_t slot = candidate(bucket, grams[i]);
        int64_t id = (int64_t)(slot & table->id_mask) - 1;
        int known = holds(table, slot, grams[i]);
        if (!known && may_be_beyond(bucket, slot, grams[i])) {
            id = find_beyond(table, grams[i]);
            known = id >= 0;
        }
        ids[found] = (uint32_t)id;
        if (times) counts[found] = times[i];
        __builtin_prefetch(rows + (known ? id : 0) * stride);
        found += known;
    }
    terms->ids = ids;
    terms->counts = counts;
    return found;
}

typedef struct {
    uint32_t *slots; /* the number of a different one, from 1; 0 is empty */
    int bits;
    int whole; /* there is a slot for every term: each has its own */
} Places;

static int make_places(Terms *terms, Places *places, int bits, int64_t width) {
    places->whole = ((int64_t)1 << bits) >= width;
    places->bits = bits;
    if (!(places->slots = room(&terms->slot_memory, (size_t)4 << bits, 0))) return 0;
    memset(places->slots, 0, (size_t)4 << bits);
    return 1;
}

/* Where `id` is or belongs, or -1 if that is too far from where it should be. */
static inline int64_t place_of(const Places *places, const uint32_t *ids, uint32_t id) {
    if (places->whole) return id;
    size_t mask = ((size_t)1 << places->bits) - 1;
    size_t at = (uint32_t)(id * 0x9E3779B1u) >> (32 - places->bits);
    for (int steps = 0; steps < MOST_STEPS; steps++, at = (at + 1) & mask)
        if (!places->slots[at] || ids[places->slots[at] - 1] == id) return (int64_t)at;
    return -1;
}

/* A larger table with the `count` ones that are there. */
static int64_t spread(Terms *terms, Places *places, int64_t count, int64_t width) {
    for (int bits = places->bits + 2; bits < 40; bits += 2) {
        if (!make_places(terms, places, bits, width)) return ERROR_MEMORY;
        int64_t i = 0, at;
        for (; i < count && (at = place_of(places, terms->ids, terms->ids[i])) >= 0; i++)
            places->slots[at] = (uint32_t)i + 1;
        if (i == count) return 0;
    }
    return ERROR_LENGTH;
}

/* Makes of `found` identifiers, with repetitions, the different ones and their counts. */
static inline __attribute__((always_inline)) int64_t count_terms(Terms *terms, int64_t found, int64_t width,
                                                                 int repeated) {
    uint32_t *ids = terms->ids, *counts = terms->counts;
    int bits = 4;
    while (((int64_t)1 << bits) < 3 * found) bits++;
    Places places;
    if (!make_places(terms, &places, bits, width)) return ERROR_MEMORY;
    uint32_t different = 0;
    for (int64_t i = 0; i < found; i++) {
        uint32_t id = ids[i], times = repeated ? counts[i] : 1;
        size_t at = places.whole ? id : (uint32_t)(id * 0x9E3779B1u) >> (32 - places.bits);
        uint32_t number = places.slots[at];
        /* New or seen: that cannot be foretold, so both do the same. That something else is there is rare. */
        uint32_t own = number ? number - 1 : different;
        if (__builtin_expect(number && ids[own] != id, 0)) {
            int64_t place;
            while ((place = place_of(&places, ids, id)) < 0) {
                int64_t error = spread(terms, &places, different, width);
                if (error < 0) return error;
            }
            at = (size_t)place;
            number = places.slots[at];
            own = number ? number - 1 : different;
        }
        ids[own] = id; /* never behind i */
        counts[own] = (number ? counts[own] : 0) + times;
        places.slots[at] = own + 1;
        different += number == 0;
    }
    terms->count = different;
    return 0;
}

int64_t find_terms(Terms *terms, const Text *text, const Table *table, int64_t width, const uint8_t *rows,
                   int64_t stride) {
    if (text->times) {
        int64_t found = look_up(terms, text, table, rows, stride, text->times);
        return found < 0 ? found : count_terms(terms, found, width, 1);
    }
    int64_t found = look_up(terms, text, table, rows, stride, NULL);
    return found < 0 ? found : count_terms(terms, found, width, 0);
}

void release_terms(Terms *terms) {
    release(&terms->id_memory);
    release(&terms->count_memory);
    release(&terms->slot_memory);
}

void sort_pairs(uint64_t *pairs, uint64_t *other, int64_t count) {
    if (count < 64) {
        for (int64_t i = 1; i < count; i++) {
            uint64_t pair = pairs[i];
            int64_t j = i;
            for (; j > 0 && pairs[j - 1] > pair; j--) pairs[j] = pairs[j - 1];
            pairs[j] = pair;
        }
        return;
    }
    uint64_t all = 0;
    for (int64_t i = 0; i < count; i++) all |= pairs[i] >> 32;
    uint64_t *from = pairs, *to = other;
    for (int shift = 32; shift < 64 && all >> (shift - 32); shift += 8) {
        uint32_t starts[257] = {0};
        for (int64_t i = 0; i < count; i++) starts[(from[i] >> shift & 255) + 1]++;
        for (int i = 0; i < 256; i++) starts[i + 1] += starts[i];
        for (int64_t i = 0; i < count; i++) to[starts[from[i] >> shift & 255]++] = from[i];
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != pairs) memcpy(pairs, from, (size_t)count * 8);
}
