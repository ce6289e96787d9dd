/* Reading a text: lowercased as str.lower does, accents stripped or not, and which bytes are of words or white space. */
#include "kernel.h"

static inline uint32_t cell_of(const Chars *chars, uint32_t code) {
    return chars->cells[((uint32_t)chars->pages[code >> 8] << 8) | (code & 255)];
}

/* Decodes one code point beyond ASCII; surrogates pass, as they do in Python. Returns its bytes, 0 if it is malformed. */
static inline int decode(const uint8_t *at, const uint8_t *end, uint32_t *code) {
    uint32_t first = at[0];
    if (first < 0xC2) return 0;
    if (first < 0xE0) {
        if (end - at < 2 || (at[1] & 0xC0) != 0x80) return 0;
        *code = (first & 0x1F) << 6 | (at[1] & 0x3F);
        return 2;
    }
    if (first < 0xF0) {
        if (end - at < 3 || (at[1] & 0xC0) != 0x80 || (at[2] & 0xC0) != 0x80) return 0;
        *code = (first & 0x0F) << 12 | (uint32_t)(at[1] & 0x3F) << 6 | (at[2] & 0x3F);
        return *code < 0x800 ? 0 : 3;
    }
    if (first > 0xF4 || end - at < 4) return 0;
    if ((at[1] & 0xC0) != 0x80 || (at[2] & 0xC0) != 0x80 || (at[3] & 0xC0) != 0x80) return 0;
    *code = (first & 0x07) << 18 | (uint32_t)(at[1] & 0x3F) << 12 | (uint32_t)(at[2] & 0x3F) << 6 | (at[3] & 0x3F);
    return *code < 0x10000 || *code > 0x10FFFF ? 0 : 4;
}

/* Of the code point that ends before `at`: str.lower looks through ignored ones for a cased one. */
static int cased_before(const Chars *chars, const uint8_t *start, const uint8_t *at) {
    while (at > start) {
        const uint8_t *end = at--;
        uint32_t code = *at;
        if (code >= 0x80) {
            while (at > start && (*at & 0xC0) == 0x80) at--;
            if (!decode(at, end, &code)) return 0; /* found malformed when it was read */
        }
        uint32_t cell = cell_of(chars, code);
        if (!(cell & CELL_IGNORED)) return (cell & CELL_CASED) != 0;
    }
    return 0;
}

static int cased_after(const Chars *chars, const uint8_t *at, const uint8_t *end) {
    while (at < end) {
        uint32_t code = *at;
        int bytes = 1;
        if (code >= 0x80 && !(bytes = decode(at, end, &code))) return 0;
        uint32_t cell = cell_of(chars, code);
        if (!(cell & CELL_IGNORED)) return (cell & CELL_CASED) != 0;
        at += bytes;
    }
    return 0;
}

static inline void put_bits(uint64_t *bits, int64_t at, uint64_t mask) { /* up to 16 of them */
    int shift = (int)(at & 63);
    bits[at >> 6] |= mask << shift;
    if (shift > 48) bits[(at >> 6) + 1] |= mask >> (64 - shift);
}

typedef struct {
    const Chars *chars;
    Text *text;
    uint8_t *out;
    int64_t length;   /* written */
    int64_t capacity; /* of bytes, PAD aside */
    int64_t clean;    /* words of bits that were cleared */
    uint32_t code_points;
} Writer;

static int make_room(Writer *writer, int64_t bytes) {
    Text *text = writer->text;
    int64_t words = (bytes + PAD) / 64 + 2;
    if (!(writer->out = room(&text->bytes_memory, (size_t)bytes + 2 * PAD, 1))) return 0;
    if (!(text->word = room(&text->word_memory, (size_t)words * 8, 1))) return 0;
    if (text->want_space && !(text->space = room(&text->space_memory, (size_t)words * 8, 1))) return 0;
    if (text->want_origin && !(text->origin = room(&text->origin_memory, ((size_t)bytes + PAD) * 4, 1))) return 0;
    memset(text->word + writer->clean, 0, (size_t)(words - writer->clean) * 8);
    if (text->want_space) memset(text->space + writer->clean, 0, (size_t)(words - writer->clean) * 8);
    writer->clean = words;
    writer->capacity = bytes;
    return 1;
}

/* Up to 16 bytes of ASCII at `from`, which may be read whole. */
static inline void write_ascii(Writer *writer, const uint8_t *from, int count) {
    Text *text = writer->text;
    uint64_t keep = (1ull << count) - 1, word, space;
    uint8_t *to = writer->out + writer->length;
#if defined(__SSE2__)
    __m128i v = _mm_loadu_si128((const __m128i *)from);
    /* Signed comparisons: what lies from `low` to `high` is moved to the bottom of the range. */
#define BETWEEN(v, low, high) \
    _mm_cmplt_epi8(_mm_add_epi8(v, _mm_set1_epi8((char)(0x80 - (low)))), _mm_set1_epi8((char)(0x80 + (high) - (low) + 1)))
    __m128i upper = BETWEEN(v, 'A', 'Z');
    __m128i small = _mm_or_si128(v, _mm_set1_epi8(0x20));
    __m128i letter = BETWEEN(small, 'a', 'z');
    __m128i digit = BETWEEN(v, '0', '9');
    __m128i line = _mm_cmpeq_epi8(v, _mm_set1_epi8('_'));
    if (writer->chars->lowercase) v = _mm_or_si128(v, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
    _mm_storeu_si128((__m128i *)to, v);
    word = (uint64_t)_mm_movemask_epi8(_mm_or_si128(letter, _mm_or_si128(digit, line)));
    if (text->want_space) {
        __m128i blank = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(' ')),
                                     _mm_or_si128(BETWEEN(v, 9, 13), BETWEEN(v, 28, 31)));
        space = (uint64_t)_mm_movemask_epi8(blank);
        put_bits(text->space, writer->length, space & keep);
    }
#undef BETWEEN
#else
    word = space = 0;
    for (int i = 0; i < 16; i++) {
        uint8_t c = from[i];
        uint8_t small = c | 0x20;
        uint64_t upper = (uint8_t)(c - 'A') < 26;
        uint64_t is_word = ((uint8_t)(small - 'a') < 26) | ((uint8_t)(c - '0') < 10) | (c == '_');
        to[i] = writer->chars->lowercase && upper ? small : c;
        word |= is_word << i;
        space |= (uint64_t)((c == ' ') | ((uint8_t)(c - 9) < 5) | ((uint8_t)(c - 28) < 4)) << i;
    }
    if (text->want_space) put_bits(text->space, writer->length, space & keep);
#endif
    put_bits(text->word, writer->length, word & keep);
    if (text->want_origin)
        for (int i = 0; i < count; i++) text->origin[writer->length + i] = writer->code_points + (uint32_t)i;
    writer->code_points += (uint32_t)count;
    writer->length += count;
}

static inline void write_code(Writer *writer, uint32_t cell) {
    Text *text = writer->text;
    int bytes = encode_code(writer->out + writer->length, cell & CELL_CODE);
    uint64_t all = (1ull << bytes) - 1;
    if (cell & CELL_WORD) put_bits(text->word, writer->length, all);
    if (text->want_space && (cell & CELL_SPACE)) put_bits(text->space, writer->length, all);
    if (text->want_origin)
        for (int i = 0; i < bytes; i++) text->origin[writer->length + i] = writer->code_points;
    writer->length += bytes;
}

/* One code point beyond ASCII. Returns the bytes that were read. */
static inline int64_t write_other(Writer *writer, const uint8_t *start, const uint8_t *at, const uint8_t *end,
                                  int64_t after) {
    const Chars *chars = writer->chars;
    uint32_t code;
    int bytes = decode(at, end, &code);
    if (!bytes) return ERROR_UTF8;
    uint32_t cell = cell_of(chars, code);
    int64_t worst = (end - at) + after;
    if (!(cell & (CELL_MANY | CELL_SIGMA))) {
        if (writer->length + worst + 4 > writer->capacity && !make_room(writer, 2 * (writer->length + worst) + PAD))
            return ERROR_MEMORY;
        write_code(writer, (cell & ~CELL_CODE) | ((code + cell) & CELL_CODE));
    } else if (cell & CELL_SIGMA) {
        int final = cased_before(chars, start, at) && !cased_after(chars, at + bytes, end);
        write_code(writer, (final ? 0x3C2u : 0x3C3u) | (cell & CELL_WORD));
    } else {
        const uint32_t *sequence = chars->sequences + (cell & CELL_CODE);
        uint32_t count = *sequence++;
        if (writer->length + worst + 4 * (int64_t)count > writer->capacity &&
            !make_room(writer, 2 * (writer->length + worst + 4 * (int64_t)count) + PAD))
            return ERROR_MEMORY;
        for (uint32_t i = 0; i < count; i++) write_code(writer, sequence[i]);
    }
    writer->code_points++;
    return bytes;
}

static int64_t write_field(Writer *writer, const uint8_t *at, const uint8_t *end, int64_t after) {
    const uint8_t *start = at;
    uint8_t tail[16];
    while (at < end) {
        const uint8_t *from = at;
        int64_t left = end - at;
        int count = left < 16 ? (int)left : 16;
        if (count < 16) { /* nothing past the end may be read: it is not our memory */
            memset(tail, 0, 16);
            memcpy(tail, at, (size_t)count);
            from = tail;
        }
#if defined(__SSE2__)
        uint32_t high = (uint32_t)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)from));
        if (high) {
            int plain = __builtin_ctz(high);
            if (plain < count) count = plain;
        }
#else
        int plain = 0;
        while (plain < count && from[plain] < 0x80) plain++;
        count = plain;
#endif
        if (count) {
            write_ascii(writer, from, count);
            at += count;
        }
        while (at < end && *at >= 0x80) {
            int64_t bytes = write_other(writer, start, at, end, after);
            if (bytes < 0) return bytes;
            at += bytes;
        }
    }
    return 0;
}

static inline int64_t offset_of(const Column *column, int64_t row) {
    int64_t at = column->first + row;
    return column->wide ? ((const int64_t *)column->offsets)[at] : ((const int32_t *)column->offsets)[at];
}

/* The bytes that a row has in a column; none where it is null. */
static inline int64_t field_bytes(const Column *column, int64_t row) {
    if (column->objects) return object_bytes(column, row);
    int64_t at = column->first + row;
    if (column->valid && !(column->valid[at >> 3] >> (at & 7) & 1)) return 0;
    return offset_of(column, row + 1) - offset_of(column, row);
}

/* The non-empty fields of one row, joined by line breaks, into `text`. */
int64_t read_text(Text *text, const Chars *chars, const Column *columns, int64_t count, int64_t row) {
    int64_t total = 0, *bytes = room(&text->size_memory, (size_t)count * 8, 0);
    if (!bytes) return ERROR_MEMORY;
    for (int64_t i = 0; i < count; i++) total += (bytes[i] = field_bytes(&columns[i], row)) + 1;
    if (total >= INT32_MAX) return ERROR_LENGTH;
    Writer writer = {chars, text, NULL, 0, 0, 0, 0};
    if (!make_room(&writer, total + total / 16 + PAD)) return ERROR_MEMORY; /* some characters grow */
    for (int64_t i = 0; i < count; i++) {
        const Column *column = &columns[i];
        total -= bytes[i] + 1;
        if (!bytes[i]) continue;
        if (writer.length) {
            static const uint8_t line_break[16] = {'\n'};
            write_ascii(&writer, line_break, 1);
        }
        const uint8_t *start = column->objects ? object_text(column, row, bytes[i], &text->encoded_memory)
                                               : column->data + offset_of(column, row);
        if (!start) return ERROR_MEMORY;
        int64_t found = write_field(&writer, start, start + bytes[i], total);
        if (found < 0) return found;
    }
    text->bytes = writer.out;
    text->length = writer.length;
    if (text->length >= INT32_MAX) return ERROR_LENGTH;
    memset(text->bytes + text->length, 0, PAD);
    return 0;
}

void release_text(Text *text) {
    release(&text->bytes_memory);
    release(&text->word_memory);
    release(&text->space_memory);
    release(&text->origin_memory);
    release(&text->encoded_memory);
    release(&text->size_memory);
    release(&text->flat_memory);
    release(&text->flat_origin_memory);
    release(&text->places_memory);
    release(&text->edges_memory);
    release(&text->token_memory);
    release(&text->gram_memory);
    release(&text->span_memory);
    release(&text->seen_memory);
    release(&text->time_memory);
}
