/* Cutting a text into n-grams of words or characters, as scikit-learn's analyzers do, and hashing each. */
#include "kernel.h"

#define NONE 0xFFFFFFFFu

#define ALL (~0ull)
const uint64_t first_bytes[17][2] = {
    {0, 0},          {ALL >> 56, 0},  {ALL >> 48, 0},  {ALL >> 40, 0},  {ALL >> 32, 0},  {ALL >> 24, 0},
    {ALL >> 16, 0},  {ALL >> 8, 0},   {ALL, 0},        {ALL, ALL >> 56}, {ALL, ALL >> 48}, {ALL, ALL >> 40},
    {ALL, ALL >> 32}, {ALL, ALL >> 24}, {ALL, ALL >> 16}, {ALL, ALL >> 8}, {ALL, ALL},
};

/* Where runs of set bits start and end, in turn. */
static int64_t find_edges(const uint64_t *bits, int64_t length, uint32_t *edges) {
    int64_t count = 0;
    uint64_t carry = 0;
    int64_t words = (length >> 6) + 1; /* one more bit than the text has: its last run ends there */
    for (int64_t i = 0; i < words; i++) {
        uint64_t all = bits[i];
        uint64_t change = all ^ (all << 1 | carry);
        carry = all >> 63;
        uint32_t base = (uint32_t)(i << 6);
        while (change) {
            edges[count++] = base + (uint32_t)__builtin_ctzll(change);
            change &= change - 1;
        }
    }
    return count;
}

/* The bytes of a character by the first of them; a continuation is never first. */
static const uint8_t character_bytes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 4, 4, 4, 4, 2, 2, 3, 4};

/* Words of two characters or more; hashes go to `hashes`. Returns how many. Most words have 16 bytes at most, and whether
 * one has a single character cannot be foretold: nothing branches on that. */
static int64_t find_words(Text *text, const Analysis *analysis, uint64_t *hashes) {
    const uint32_t *edges = text->edges_memory.memory;
    int64_t runs = find_edges(text->word, text->length, text->edges_memory.memory) / 2;
    int64_t count = 0;
    for (int64_t i = 0; i < runs; i++) {
        uint32_t start = edges[2 * i], end = edges[2 * i + 1];
        const uint8_t *at = text->bytes + start;
        uint64_t hash = hash_bytes(analysis->seed, at, end - start);
        hashes[count] = hash;
        text->token_start[count] = start;
        text->token_end[count] = end;
        count += end - start > character_bytes[at[0] >> 4];
    }
    if (!analysis->stop) return count;
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++) {
        hashes[kept] = hashes[i];
        text->token_start[kept] = text->token_start[i];
        text->token_end[kept] = text->token_end[i];
        kept += !is_stop(analysis, hashes[i]);
    }
    return kept;
}

static int64_t cut_words(Text *text, const Analysis *analysis) {
    size_t most = (size_t)text->length / 2 + 3; /* runs, those of one character among them */
    if (!room(&text->edges_memory, most * 8 + 16, 0)) return ERROR_MEMORY;
    if (!(text->token_start = room(&text->token_memory, most * 8, 0))) return ERROR_MEMORY;
    text->token_end = text->token_start + most;
    int64_t orders = analysis->high - analysis->low + 1;
    /* The orders that are kept, and the one before the next. */
    uint64_t *words = room(&text->gram_memory, most * 8 * (size_t)(orders + 2), 0);
    if (!words) return ERROR_MEMORY;
    int64_t count = find_words(text, analysis, words);
    text->token_count = count;
    text->joined = text->bytes;
    text->joined_origin = text->origin;
    uint64_t *before = words + most, *kept = analysis->low == 1 ? words : before;
    int64_t found = analysis->low == 1 ? count : 0;
    const uint64_t *last = words;
    for (int64_t n = 2; n <= analysis->high && n <= count; n++) {
        /* In place below `low`; from there on each order behind the one before. */
        uint64_t *next = n < analysis->low ? before : kept + found;
        int64_t windows = count - n + 1;
        for (int64_t i = 0; i < windows; i++) next[i] = hash_pair(analysis->seed, last[i], words[i + n - 1]);
        last = next;
        if (n >= analysis->low) found += windows;
    }
    text->grams = kept;
    text->gram_count = found;
    return 0;
}

/* White space as one analyzer or the other sees it: `flat` bytes, and where each of its characters starts. */
typedef struct {
    uint8_t *flat;
    uint32_t *origin;
    uint32_t *places;
    int64_t length, characters;
} Flat;

static int64_t make_flat(Text *text, Flat *flat) {
    size_t most = (size_t)text->length + 4 + 2 * PAD;
    if (!(flat->flat = room(&text->flat_memory, most, 0))) return ERROR_MEMORY;
    if (!(flat->places = room(&text->places_memory, most * 4, 0))) return ERROR_MEMORY;
    if (!room(&text->edges_memory, most * 8, 0)) return ERROR_MEMORY;
    flat->origin = NULL;
    if (text->want_origin && !(flat->origin = room(&text->flat_origin_memory, most * 4, 0))) return ERROR_MEMORY;
    flat->length = flat->characters = 0;
    return 0;
}

static inline void put_blank(Flat *flat, uint8_t blank, uint32_t origin) {
    flat->places[flat->characters++] = (uint32_t)flat->length;
    if (flat->origin) flat->origin[flat->length] = origin;
    flat->flat[flat->length++] = blank;
}

static inline void put_run(Flat *flat, const Text *text, uint32_t start, uint32_t end) {
    memcpy(flat->flat + flat->length, text->bytes + start, end - start);
    if (flat->origin) memcpy(flat->origin + flat->length, text->origin + start, 4 * (size_t)(end - start));
    uint32_t shift = (uint32_t)flat->length - start;
    int64_t count = flat->characters;
    for (uint32_t at = start; at < end; at++) {
        flat->places[count] = at + shift;
        count += (text->bytes[at] & 0xC0) != 0x80;
    }
    flat->characters = count;
    flat->length += end - start;
}

static int64_t close_flat(Text *text, Flat *flat, int64_t grams) {
    flat->places[flat->characters] = (uint32_t)flat->length;
    memset(flat->flat + flat->length, 0, PAD);
    text->joined = flat->flat;
    text->joined_origin = flat->origin;
    if (!(text->grams = room(&text->gram_memory, (size_t)grams * 8 + 8, 0))) return ERROR_MEMORY;
    if (text->want_spans && !(text->spans = room(&text->span_memory, (size_t)grams * 8 + 8, 0))) return ERROR_MEMORY;
    text->gram_count = 0;
    return 0;
}

static inline void put_gram(Text *text, const Analysis *analysis, uint32_t start, uint32_t end) {
    if (text->want_spans) {
        text->spans[2 * text->gram_count] = start;
        text->spans[2 * text->gram_count + 1] = end;
    }
    text->grams[text->gram_count++] = hash_bytes(analysis->seed, text->joined + start, end - start);
}

/* Every window of characters, after runs of white space have become one space; white space alone stays what it is. */
static int64_t cut_characters(Text *text, const Analysis *analysis) {
    Flat flat;
    int64_t error = make_flat(text, &flat);
    if (error < 0) return error;
    const uint32_t *edges = text->edges_memory.memory;
    int64_t runs = find_edges(text->space, text->length, text->edges_memory.memory) / 2;
    uint32_t at = 0;
    for (int64_t i = 0; i < runs; i++) {
        uint32_t start = edges[2 * i], end = edges[2 * i + 1];
        put_run(&flat, text, at, start);
        uint8_t first = text->bytes[start];
        uint32_t one = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
        if (end - start > one) {
            put_blank(&flat, ' ', text->want_origin ? text->origin[start] : 0);
        } else {
            put_run(&flat, text, start, end);
        }
        at = end;
    }
    put_run(&flat, text, at, (uint32_t)text->length);
    int64_t orders = analysis->high - analysis->low + 1;
    error = close_flat(text, &flat, flat.characters * orders);
    if (error < 0) return error;
    for (int64_t n = analysis->low; n <= analysis->high; n++)
        for (int64_t i = 0; i + n <= flat.characters; i++)
            put_gram(text, analysis, flat.places[i], flat.places[i + n]);
    return 0;
}

/* The different words of a text: `hashes` and `numbers` (from 0) by slot, and how often each stands there. */
typedef struct {
    uint64_t *hashes;
    uint32_t *numbers, *times;
    uint64_t mask;
    uint32_t count;
} Seen;

#define MANY_WORDS 64 /* of a text in which looking for repeated ones pays */
#define MOST_STEPS 48 /* a word that is not found by then is taken for a new one: it only costs its n-grams */

static int64_t make_seen(Text *text, Seen *seen, int64_t words) {
    int64_t slots = 16;
    while (slots < 2 * words) slots *= 2;
    if (!(seen->hashes = room(&text->seen_memory, (size_t)(slots * 12 + words * 4), 0))) return ERROR_MEMORY;
    memset(seen->hashes, 0, (size_t)slots * 8);
    seen->numbers = (uint32_t *)(seen->hashes + slots);
    seen->times = seen->numbers + slots;
    seen->mask = (uint64_t)slots - 1;
    seen->count = 0;
    return 0;
}

/* Whether the word is there for the first time. */
static inline int is_new(Seen *seen, uint64_t hash) {
    uint64_t at = hash & seen->mask;
    hash += !hash; /* 0 is empty */
    for (int steps = 0; steps < MOST_STEPS; steps++, at = (at + 1) & seen->mask) {
        if (seen->hashes[at] == hash) {
            seen->times[seen->numbers[at]]++;
            return 0;
        }
        if (!seen->hashes[at]) {
            seen->hashes[at] = hash;
            seen->numbers[at] = seen->count;
            break;
        }
    }
    seen->times[seen->count++] = 1;
    return 1;
}

/* Windows within each word, one space before and behind it; a word shorter than n counts once, whole. With `want_times` a
 * word that stands there again is not cut again: its n-grams count so often. */
static int64_t cut_within_words(Text *text, const Analysis *analysis) {
    Flat flat;
    Seen seen = {0};
    int64_t error = make_flat(text, &flat);
    if (error < 0) return error;
    const uint32_t *edges = text->edges_memory.memory;
    int64_t count = find_edges(text->space, text->length, text->edges_memory.memory);
    if (text->want_times && count >= 2 * MANY_WORDS && (error = make_seen(text, &seen, count / 2 + 1)) < 0) return error;
    /* Words lie between the runs of white space; neighbours share one space, which each of them counts as its own. */
    int64_t words = 0;
    uint32_t at = 0;
    for (int64_t i = 0; i <= count; i += 2) {
        uint32_t end = i < count ? edges[i] : (uint32_t)text->length;
        if (end > at && (!seen.times || is_new(&seen, hash_bytes(analysis->seed, text->bytes + at, end - at)))) {
            if (!flat.length) put_blank(&flat, ' ', NONE);
            put_run(&flat, text, at, end);
            put_blank(&flat, ' ', NONE);
            words++;
        }
        if (i < count) at = edges[i + 1];
    }
    int64_t orders = analysis->high - analysis->low + 1, most = flat.characters * orders + words;
    error = close_flat(text, &flat, most);
    if (error < 0) return error;
    if (seen.times && !(text->times = room(&text->time_memory, (size_t)most * 4 + 4, 0))) return ERROR_MEMORY;
    const uint32_t *places = flat.places, *times = seen.times;
    for (int64_t first = 0; first + 1 < flat.characters;) {
        int64_t last = first + 1, before = text->gram_count;
        while (flat.flat[places[last]] != ' ') last++; /* the space behind the word */
        int64_t length = last - first + 1;
        for (int64_t n = analysis->low; n <= analysis->high; n++) {
            if (length <= n) {
                put_gram(text, analysis, places[first], places[last + 1]);
                break;
            }
            for (int64_t i = first; i + n <= last + 1; i++) put_gram(text, analysis, places[i], places[i + n]);
        }
        if (times) {
            for (int64_t i = before; i < text->gram_count; i++) text->times[i] = *times;
            times++;
        }
        first = last;
    }
    return 0;
}

int64_t cut_text(Text *text, const Analysis *analysis) {
    text->times = NULL;
    switch (analysis->kind) {
        case KIND_WORD:
            return cut_words(text, analysis);
        case KIND_CHAR:
            return cut_characters(text, analysis);
        default:
            return cut_within_words(text, analysis);
    }
}

/* Which words gram number `gram` is made of. */
static void words_of(const Text *text, const Analysis *analysis, int64_t gram, int64_t *first, int64_t *n) {
    for (*n = analysis->low; gram >= text->token_count - *n + 1; ++*n) gram -= text->token_count - *n + 1;
    *first = gram;
}

/* Writes the string of a gram at `at` of the buffer; returns its bytes. Words are joined by single spaces. */
int64_t gram_string(const Text *text, const Analysis *analysis, int64_t gram, Buffer *buffer, int64_t at) {
    if (analysis->kind != KIND_WORD) {
        int64_t bytes = text->spans[2 * gram + 1] - text->spans[2 * gram];
        uint8_t *to = room(buffer, (size_t)(at + bytes), 1);
        if (!to) return ERROR_MEMORY;
        memcpy(to + at, text->joined + text->spans[2 * gram], (size_t)bytes);
        return bytes;
    }
    int64_t first, n, bytes = 0;
    words_of(text, analysis, gram, &first, &n);
    for (int64_t i = first; i < first + n; i++) bytes += text->token_end[i] - text->token_start[i] + 1;
    uint8_t *to = room(buffer, (size_t)(at + bytes), 1);
    if (!to) return ERROR_MEMORY;
    to += at;
    for (int64_t i = first; i < first + n; i++) {
        if (i > first) *to++ = ' ';
        uint32_t length = text->token_end[i] - text->token_start[i];
        memcpy(to, text->bytes + text->token_start[i], length);
        to += length;
    }
    return bytes - 1;
}

/* The code points [start, end) of the source that a gram stands for, without the spaces around a word. */
void gram_place(const Text *text, const Analysis *analysis, int64_t gram, uint32_t *start, uint32_t *end) {
    uint32_t from, to;
    if (analysis->kind == KIND_WORD) {
        int64_t first, n;
        words_of(text, analysis, gram, &first, &n);
        from = text->token_start[first];
        to = text->token_end[first + n - 1];
    } else {
        from = text->spans[2 * gram];
        to = text->spans[2 * gram + 1];
        while (from < to && text->joined_origin[from] == NONE) from++;
        while (to > from && text->joined_origin[to - 1] == NONE) to--;
    }
    if (from == to) { /* nothing but such spaces */
        *start = *end = 0;
        return;
    }
    *start = text->joined_origin[from];
    *end = text->joined_origin[to - 1] + 1;
}
