/* Building a vocabulary's table, and the hashes of its terms. */
#include "kernel.h"

/* The hash of a term as `cut_text` would find it in a text; words are separated by single spaces. `at` has PAD bytes behind. */
static uint64_t hash_term(const Analysis *analysis, const uint8_t *at, int64_t length) {
    if (analysis->kind != KIND_WORD) return hash_bytes(analysis->seed, at, length);
    uint64_t hash = 0;
    const uint8_t *end = at + length;
    for (int n = 0;; n++) {
        const uint8_t *space = memchr(at, ' ', (size_t)(end - at));
        uint64_t word = hash_bytes(analysis->seed, at, (space ? space : end) - at);
        hash = n ? hash_pair(analysis->seed, hash, word) : word;
        if (!space) return hash;
        at = space + 1;
    }
}

/* Hashes of `count` terms, whose UTF-8 lies end to end with PAD bytes behind. */
API void nd_hash_terms(const Analysis *analysis, const uint8_t *bytes, const int64_t *offsets, int64_t count,
                       uint64_t *hashes) {
    for (int64_t i = 0; i < count; i++) hashes[i] = hash_term(analysis, bytes + offsets[i], offsets[i + 1] - offsets[i]);
}

int64_t find_beyond(const Table *table, uint64_t hash) {
    for (int64_t i = 0; i <= table->reach; i++) {
        const uint64_t *bucket = table->slots + ((hash + (uint64_t)i) & table->mask) * BUCKET;
        for (int j = 0; j < BUCKET; j++) {
            if (!bucket[j]) return -1;
            if (holds(table, bucket[j], hash)) return (int64_t)(bucket[j] & table->id_mask) - 1;
        }
    }
    return -1;
}

/* Fills the cleared slots of mask + 1 buckets. Returns how many buckets away from its own a term is at most; ERROR_MEMORY if
 * that were more than `most`: then a larger table is needed; ERROR_LENGTH - 1 - i if term i has the hash of an earlier one. */
API int64_t nd_build_table(const uint64_t *hashes, int64_t count, uint64_t *slots, uint64_t mask, uint64_t id_mask,
                           int64_t most) {
    int64_t reach = 0;
    for (int64_t i = 0; i < count; i++) {
        uint64_t high = hashes[i] & ~id_mask;
        int64_t away = 0;
        int place = 0;
        uint64_t *bucket = slots + (hashes[i] & mask) * BUCKET;
        while (bucket[place]) {
            if ((bucket[place] & ~id_mask) == high && hashes[(bucket[place] & id_mask) - 1] == hashes[i])
                return ERROR_LENGTH - 1 - i;
            if (++place < BUCKET) continue;
            if (++away > most) return ERROR_MEMORY;
            place = 0;
            bucket = slots + ((hashes[i] + (uint64_t)away) & mask) * BUCKET;
        }
        bucket[place] = high | (uint64_t)(i + 1);
        if (away > reach) reach = away;
    }
    return reach;
}
