/* Counting the n-grams of many texts, batch after batch: the fitting side of scikit-learn's CountVectorizer. */
#include "weigh.h"

#define AHEAD 16

typedef struct {
    uint64_t hash;
    uint32_t term; /* number of the term + 1; 0 is empty */
    uint32_t last; /* its latest entry */
} Slot;

/* Terms are numbered in the order in which they are first seen. Entries are (term, count) pairs, row by row. */
typedef struct {
    Analysis analysis;
    Chars chars;
    Text text;
    Slot *slots;
    int64_t size; /* a power of two */
    int64_t terms, rows, entries;
    Buffer string_memory, end_memory; /* the terms' strings end to end, and where each ends */
    int64_t string_bytes;
    Buffer term_memory, count_memory, row_memory; /* entries; where each row ends */
    /* Of nd_finish: */
    uint32_t *rank; /* by term: its column + 1, or 0 if it is dropped */
    uint32_t *order; /* by column: its term */
    int64_t kept, kept_entries, kept_bytes;
} Counter;

#define MOST_ENTRIES 0xFFFFFFF0ll

API void nd_counter_free(Counter *counter) {
    if (!counter) return;
    release_text(&counter->text);
    free(counter->slots);
    release(&counter->string_memory);
    release(&counter->end_memory);
    release(&counter->term_memory);
    release(&counter->count_memory);
    release(&counter->row_memory);
    free(counter->rank);
    free(counter->order);
    free(counter);
}

/* `analysis` and `chars` are copied; what they point to must live as long as the counter. NULL without memory. */
API Counter *nd_counter_new(const Analysis *analysis, const Chars *chars) {
    Counter *counter = calloc(1, sizeof(Counter));
    if (!counter) return NULL;
    counter->analysis = *analysis;
    counter->chars = *chars;
    counter->text.want_space = analysis->kind != KIND_WORD;
    counter->text.want_spans = analysis->kind != KIND_WORD;
    counter->size = 1 << 12;
    counter->slots = calloc((size_t)counter->size, sizeof(Slot));
    if (!counter->slots) {
        nd_counter_free(counter);
        return NULL;
    }
    return counter;
}

static int64_t grow(Counter *counter) {
    int64_t size = counter->size * 2;
    Slot *slots = calloc((size_t)size, sizeof(Slot));
    if (!slots) return ERROR_MEMORY;
    for (int64_t i = 0; i < counter->size; i++) {
        if (!counter->slots[i].term) continue;
        uint64_t at = counter->slots[i].hash & (uint64_t)(size - 1);
        while (slots[at].term) at = (at + 1) & (uint64_t)(size - 1);
        slots[at] = counter->slots[i];
    }
    free(counter->slots);
    counter->slots = slots;
    counter->size = size;
    return 0;
}

static int64_t add_term(Counter *counter, int64_t gram) {
    if (counter->terms >= UINT32_MAX - 1) return ERROR_LENGTH;
    int64_t bytes =
        gram_string(&counter->text, &counter->analysis, gram, &counter->string_memory, counter->string_bytes);
    if (bytes < 0) return bytes;
    int64_t *ends = room(&counter->end_memory, (size_t)(counter->terms + 1) * 8, 1);
    if (!ends) return ERROR_MEMORY;
    counter->string_bytes += bytes;
    ends[counter->terms++] = counter->string_bytes;
    return counter->terms;
}

static int64_t add_text(Counter *counter) {
    const Text *text = &counter->text;
    const int64_t count = text->gram_count, row_start = counter->entries;
    if (row_start + count > MOST_ENTRIES) return ERROR_LENGTH;
    uint32_t *terms = room(&counter->term_memory, (size_t)(row_start + count) * 4 + 4, 1);
    uint32_t *counts = room(&counter->count_memory, (size_t)(row_start + count) * 4 + 4, 1);
    int64_t *row_ends = room(&counter->row_memory, (size_t)(counter->rows + 1) * 8, 1);
    if (!terms || !counts || !row_ends) return ERROR_MEMORY;
    while (2 * (counter->terms + count) > counter->size && counter->terms * 8 > counter->size) {
        int64_t error = grow(counter);
        if (error < 0) return error;
    }
    uint64_t mask = (uint64_t)counter->size - 1;
    int64_t entries = row_start;
    for (int64_t i = 0; i < count && i < AHEAD; i++) __builtin_prefetch(&counter->slots[text->grams[i] & mask], 1);
    for (int64_t i = 0; i < count; i++) {
        if (i + AHEAD < count) __builtin_prefetch(&counter->slots[text->grams[i + AHEAD] & mask], 1);
        uint64_t hash = text->grams[i], at = hash & mask;
        while (counter->slots[at].term && counter->slots[at].hash != hash) at = (at + 1) & mask;
        Slot *slot = &counter->slots[at];
        if (slot->term && slot->last >= row_start && slot->last < entries) {
            counts[slot->last]++;
            continue;
        }
        if (!slot->term) {
            if (4 * counter->terms > 3 * counter->size) { /* one very long text */
                int64_t error = grow(counter);
                if (error < 0) return error;
                mask = (uint64_t)counter->size - 1;
                i--;
                continue;
            }
            int64_t term = add_term(counter, i);
            if (term < 0) return term;
            slot->hash = hash;
            slot->term = (uint32_t)term;
        }
        slot->last = (uint32_t)entries;
        terms[entries] = slot->term - 1;
        counts[entries++] = 1;
    }
    counter->entries = entries;
    row_ends[counter->rows++] = entries;
    return 0;
}

/* Counts rows [start, stop); on an error its row is in `failed`, and the counter is good for nothing but nd_counter_free. */
API int64_t nd_counter_add(Counter *counter, const Column *columns, int64_t column_count, int64_t start, int64_t stop,
                           int64_t *failed) {
    for (int64_t row = start; row < stop; row++) {
        *failed = row;
        int64_t error = read_text(&counter->text, &counter->chars, columns, column_count, row);
        if (error >= 0) error = cut_text(&counter->text, &counter->analysis);
        if (error >= 0) error = add_text(counter);
        if (error < 0) return error;
    }
    return 0;
}

API void nd_counter_sizes(const Counter *counter, int64_t *sizes) {
    sizes[0] = counter->rows;
    sizes[1] = counter->terms;
    sizes[2] = counter->entries;
    sizes[3] = counter->kept;
    sizes[4] = counter->kept_entries;
    sizes[5] = counter->kept_bytes;
}

/* A term to be sorted: its first bytes as a number, which mostly decide. */
typedef struct {
    uint64_t start;
    uint32_t term;
} Key;

typedef struct {
    const uint8_t *bytes;
    const int64_t *ends;
} Strings;

static inline int64_t string_start(const Strings *strings, uint32_t term) { return term ? strings->ends[term - 1] : 0; }

static inline int before(const Strings *strings, const Key *a, const Key *b) {
    if (a->start != b->start) return a->start < b->start;
    int64_t at_a = string_start(strings, a->term), at_b = string_start(strings, b->term);
    int64_t length_a = strings->ends[a->term] - at_a, length_b = strings->ends[b->term] - at_b;
    int64_t shorter = length_a < length_b ? length_a : length_b;
    int order = memcmp(strings->bytes + at_a, strings->bytes + at_b, (size_t)shorter);
    return order ? order < 0 : length_a < length_b;
}

static uint64_t key_start(const Strings *strings, uint32_t term) {
    int64_t at = string_start(strings, term), length = strings->ends[term] - at;
    uint64_t start = 0;
    for (int64_t i = 0; i < 8; i++) start = start << 8 | (i < length ? strings->bytes[at + i] : 0);
    return start;
}

/* Merge sort, so that no choice of words makes it slow. The result is in `keys`. */
static void sort_keys(const Strings *strings, Key *keys, Key *other, int64_t count) {
    const int64_t run = 16;
    for (int64_t start = 0; start < count; start += run) {
        int64_t stop = start + run < count ? start + run : count;
        for (int64_t i = start + 1; i < stop; i++) {
            Key key = keys[i];
            int64_t j = i;
            for (; j > start && before(strings, &key, &keys[j - 1]); j--) keys[j] = keys[j - 1];
            keys[j] = key;
        }
    }
    Key *from = keys, *to = other;
    for (int64_t width = run; width < count; width *= 2) {
        for (int64_t start = 0; start < count; start += 2 * width) {
            int64_t middle = start + width < count ? start + width : count;
            int64_t stop = start + 2 * width < count ? start + 2 * width : count;
            int64_t a = start, b = middle;
            for (int64_t i = start; i < stop; i++)
                to[i] = a < middle && (b >= stop || !before(strings, &from[b], &from[a])) ? from[a++] : from[b++];
        }
        Key *swap = from;
        from = to;
        to = swap;
    }
    if (from != keys) memcpy(keys, from, (size_t)count * sizeof(Key));
}

/* Keeps the keys of the `most` terms with the largest total counts, of equal ones those first in term order. */
static int64_t limit_terms(const uint64_t *totals, Key *keys, int64_t kept, int64_t most) {
    uint64_t largest = 0;
    for (int64_t i = 0; i < kept; i++)
        if (totals[keys[i].term] > largest) largest = totals[keys[i].term];
    /* The total that the last of them has: halving the range of totals. */
    uint64_t low = 0, high = largest + 1;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        int64_t at_least = 0;
        for (int64_t i = 0; i < kept; i++) at_least += totals[keys[i].term] >= middle;
        if (at_least >= most) {
            low = middle;
        } else {
            high = middle;
        }
    }
    int64_t above = 0;
    for (int64_t i = 0; i < kept; i++) above += totals[keys[i].term] > low;
    int64_t equal = most - above, left = 0;
    for (int64_t i = 0; i < kept; i++) {
        uint64_t total = totals[keys[i].term];
        if (total > low || (total == low && equal-- > 0)) keys[left++] = keys[i];
    }
    return left;
}

/* Orders keys by falling document frequency, of equal ones as they stand; `other` has room for them. */
static int64_t sort_by_frequency(const uint32_t *frequencies, Key *keys, Key *other, int64_t count) {
    uint32_t largest = 0;
    for (int64_t i = 0; i < count; i++)
        if (frequencies[keys[i].term] > largest) largest = frequencies[keys[i].term];
    int64_t *starts = calloc((size_t)largest + 2, 8);
    if (!starts) return ERROR_MEMORY;
    for (int64_t i = 0; i < count; i++) starts[largest - frequencies[keys[i].term] + 1]++;
    for (uint32_t i = 0; i < largest; i++) starts[i + 1] += starts[i];
    for (int64_t i = 0; i < count; i++) other[starts[largest - frequencies[keys[i].term]]++] = keys[i];
    memcpy(keys, other, (size_t)count * sizeof(Key));
    free(starts);
    return 0;
}

/* Drops terms in fewer than `min_df` or more than `max_df` texts, keeps the `most` (below 0: all) most frequent (`binary`: of
 * how many texts have them, not how often), and orders them by their strings, or `by_frequency` by falling document frequency
 * first. Once a counter; returns how many terms there are. */
API int64_t nd_counter_finish(Counter *counter, int64_t min_df, int64_t max_df, int64_t most, int64_t binary,
                              int64_t by_frequency) {
    int64_t terms = counter->terms, kept = 0;
    const uint32_t *entry_terms = counter->term_memory.memory, *counts = counter->count_memory.memory;
    Strings strings = {counter->string_memory.memory, counter->end_memory.memory};
    free(counter->slots); /* no more is counted */
    counter->slots = NULL;
    counter->size = 0;
    uint32_t *frequencies = calloc((size_t)terms + 1, 4);
    uint64_t *totals = most < 0 ? NULL : calloc((size_t)terms + 1, 8);
    counter->rank = calloc((size_t)terms + 1, 4);
    Key *keys = NULL, *other = NULL;
    int64_t result = ERROR_MEMORY;
    if (!frequencies || !counter->rank || (most >= 0 && !totals)) goto done;
    for (int64_t i = 0; i < counter->entries; i++) frequencies[entry_terms[i]]++;
    if (totals)
        for (int64_t i = 0; i < counter->entries; i++) totals[entry_terms[i]] += binary ? 1 : counts[i];
    for (int64_t t = 0; t < terms; t++) kept += frequencies[t] >= min_df && frequencies[t] <= max_df;
    keys = malloc((size_t)kept * sizeof(Key) + 1);
    other = malloc((size_t)kept * sizeof(Key) + 1);
    if (!keys || !other) goto done;
    int64_t at = 0;
    for (int64_t t = 0; t < terms; t++)
        if (frequencies[t] >= min_df && frequencies[t] <= max_df)
            keys[at++] = (Key){key_start(&strings, (uint32_t)t), (uint32_t)t};
    sort_keys(&strings, keys, other, kept);
    if (most >= 0 && kept > most) kept = limit_terms(totals, keys, kept, most);
    if (by_frequency && sort_by_frequency(frequencies, keys, other, kept) < 0) goto done;
    counter->order = malloc((size_t)kept * 4 + 4);
    if (!counter->order) goto done;
    counter->kept_bytes = counter->kept_entries = 0;
    for (int64_t i = 0; i < kept; i++) {
        uint32_t term = keys[i].term;
        counter->order[i] = term;
        counter->rank[term] = (uint32_t)i + 1;
        counter->kept_bytes += strings.ends[term] - string_start(&strings, term);
        counter->kept_entries += frequencies[term];
    }
    counter->kept = result = kept;
done:
    free(frequencies);
    free(totals);
    free(keys);
    free(other);
    return result;
}

/* What nd_counter_finish kept: `indptr` (rows + 1,), `indices` and `counts` by rising column, `strings` end to end and
 * `offsets` (kept + 1,). */
API int64_t nd_counter_export(const Counter *counter, int64_t *indptr, int32_t *indices, int32_t *counts,
                              uint8_t *strings, int64_t *offsets) {
    const uint32_t *entry_terms = counter->term_memory.memory, *entry_counts = counter->count_memory.memory;
    const int64_t *row_ends = counter->row_memory.memory;
    Strings from = {counter->string_memory.memory, counter->end_memory.memory};
    Buffer pair_memory = {0};
    int64_t at = 0, entry = 0;
    offsets[0] = 0;
    for (int64_t i = 0; i < counter->kept; i++) {
        int64_t start = string_start(&from, counter->order[i]), length = from.ends[counter->order[i]] - start;
        memcpy(strings + offsets[i], from.bytes + start, (size_t)length);
        offsets[i + 1] = offsets[i] + length;
    }
    indptr[0] = 0;
    for (int64_t row = 0; row < counter->rows; row++) {
        int64_t most = row_ends[row] - entry, count = 0;
        uint64_t *pairs = room(&pair_memory, (size_t)most * 16 + 16, 0);
        if (!pairs) return ERROR_MEMORY;
        for (; entry < row_ends[row]; entry++) {
            uint32_t rank = counter->rank[entry_terms[entry]];
            if (rank) pairs[count++] = (uint64_t)(rank - 1) << 32 | entry_counts[entry];
        }
        sort_pairs(pairs, pairs + most, count);
        for (int64_t i = 0; i < count; i++, at++) {
            indices[at] = (int32_t)(pairs[i] >> 32);
            counts[at] = (int32_t)(uint32_t)pairs[i];
        }
        indptr[row + 1] = at;
    }
    release(&pair_memory);
    return 0;
}

/* Adds to `found` (width,) in how many of the `chosen` rows (a byte each; all where it is NULL) each column has an entry. */
API void nd_frequencies(const int64_t *indptr, const int32_t *indices, const uint8_t *chosen, int64_t rows,
                        int64_t *found) {
    for (int64_t row = 0; row < rows; row++) {
        if (chosen && !chosen[row]) continue;
        for (int64_t i = indptr[row]; i < indptr[row + 1]; i++) found[indices[i]]++;
    }
}

/* TF-IDF of counted rows. A count whose column has no `idf` (0) is left out: `indptr_out` (rows + 1,), `indices_out` and
 * `values` have room for all. Returns how many are left. */
API int64_t nd_weigh(const int64_t *indptr, const int32_t *indices, const int32_t *counts, int64_t rows, const double *idf,
                     const Weighting *weighting, int64_t *indptr_out, int32_t *indices_out, double *values) {
    int64_t at = 0;
    indptr_out[0] = 0;
    for (int64_t row = 0; row < rows; row++) {
        int64_t start = at;
        double length = 0.0;
        for (int64_t i = indptr[row]; i < indptr[row + 1]; i++) {
            double known = idf[indices[i]];
            if (known == 0.0) continue;
            double value = term_frequency(weighting, (uint32_t)counts[i]) * known;
            length += norm_part(weighting, value);
            indices_out[at] = indices[i];
            values[at++] = value;
        }
        double factor = norm_of(weighting, length);
        for (int64_t i = start; i < at; i++) values[i] = values[i] / factor * weighting->weight;
        indptr_out[row + 1] = at;
    }
    return at;
}
