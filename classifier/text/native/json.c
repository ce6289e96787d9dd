/* JSON Lines cut into cells, column by column: what stands where, without making an object of each line.
 *
 * Strict as Python's json is, and sound rather than complete: a line that is not plainly one object (bad JSON, bad UTF-8,
 * half a surrogate pair, a name twice, a number of hundreds of digits, deep nesting) is doubtful, and somebody else's. */
#include "kernel.h"

#define MAX_DEPTH 64
#define MAX_DIGITS 300
#define NAME_SLOTS 8192 /* a power of two, well above the most names that are asked for */

enum { LINE_ROW, LINE_BLANK, LINE_DOUBTFUL };
enum { CELL_NULL, CELL_STRING, CELL_INT, CELL_FLOAT, CELL_BOOL, CELL_NESTED };

/* A value: bytes from `start` on; of a string, what is between the quotation marks. */
typedef struct {
    uint32_t start, length;
    uint32_t row;
    uint16_t name;
    uint8_t kind, escaped;
} Cell;

typedef struct {
    uint32_t start, length;
    uint32_t state;
} Line;

typedef struct {
    uint32_t start, length; /* in the bytes of all names */
    int64_t last;           /* the line that had it last, counted over all scans */
    uint32_t first_cell, cell_count;
    uint32_t kinds; /* a bit a kind */
    uint32_t reserved;
    int64_t bytes;
} Name;

typedef struct {
    int64_t most_names;
    Buffer cell_memory, line_memory, order_memory, name_bytes;
    Name *names;
    uint16_t *slots;     /* 0 is empty, else a name's number + 1 */
    uint16_t *predicted; /* the name at each place of the line before */
    int64_t name_count, name_size, cell_count, line_count, row_count, lines_before;
} Scanner;

typedef struct {
    const uint8_t *at, *end;
    int depth;
    int high;    /* bytes beyond ASCII were seen */
    int escaped; /* of the last string */
} Cursor;

API void nd_json_free(Scanner *scanner) {
    if (!scanner) return;
    release(&scanner->cell_memory);
    release(&scanner->line_memory);
    release(&scanner->order_memory);
    release(&scanner->name_bytes);
    free(scanner->names);
    free(scanner->slots);
    free(scanner->predicted);
    free(scanner);
}

API Scanner *nd_json_new(int64_t most_names) {
    if (most_names < 1 || most_names > NAME_SLOTS / 2) return NULL;
    Scanner *scanner = calloc(1, sizeof(Scanner));
    if (!scanner) return NULL;
    scanner->most_names = most_names;
    scanner->names = calloc((size_t)most_names, sizeof(Name));
    scanner->slots = calloc(NAME_SLOTS, sizeof(uint16_t));
    scanner->predicted = calloc((size_t)most_names, sizeof(uint16_t));
    if (!scanner->names || !scanner->slots || !scanner->predicted) {
        nd_json_free(scanner);
        return NULL;
    }
    return scanner;
}

static inline void skip_space(Cursor *cursor) {
    while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\t' || *cursor->at == '\r')) cursor->at++;
}

static int hex4(const uint8_t *at, uint32_t *value) {
    *value = 0;
    for (int i = 0; i < 4; i++) {
        uint32_t digit = at[i], letter = digit | 32;
        if (digit >= '0' && digit <= '9') digit -= '0';
        else if (letter >= 'a' && letter <= 'f') digit = letter - 'a' + 10;
        else return 0;
        *value = *value << 4 | digit;
    }
    return 1;
}

/* Behind the escape that `cursor` is at; 0 where it is none, or half of a surrogate pair. */
static int skip_escape(Cursor *cursor) {
    const uint8_t *at = cursor->at;
    int64_t left = cursor->end - at;
    uint32_t code, other;
    if (left < 2) return 0;
    switch (at[1]) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
        cursor->at += 2;
        return 1;
    case 'u':
        if (left < 6 || !hex4(at + 2, &code)) return 0;
        if (code < 0xD800 || code > 0xDFFF) {
            cursor->at += 6;
            return 1;
        }
        if (code > 0xDBFF || left < 12 || at[6] != '\\' || at[7] != 'u' || !hex4(at + 8, &other)) return 0;
        if (other < 0xDC00 || other > 0xDFFF) return 0;
        cursor->at += 12;
        return 1;
    default:
        return 0;
    }
}

/* From behind the opening quotation mark to the closing one. PAD bytes behind the data may be read. */
static int scan_string(Cursor *cursor) {
    cursor->escaped = 0;
    for (;;) {
#if defined(__SSE2__)
        const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\'), low = _mm_set1_epi8(0x1F);
        for (;;) {
            __m128i bytes = _mm_loadu_si128((const __m128i *)cursor->at);
            __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, back));
            stop = _mm_or_si128(stop, _mm_cmpeq_epi8(_mm_max_epu8(bytes, low), low));
            int found = _mm_movemask_epi8(stop), high = _mm_movemask_epi8(bytes);
            if (found) {
                int step = __builtin_ctz((unsigned)found);
                cursor->high |= high & ((1 << step) - 1);
                cursor->at += step;
                break;
            }
            cursor->high |= high;
            cursor->at += 16;
        }
#else
        while (*cursor->at != '"' && *cursor->at != '\\' && *cursor->at > 0x1F) {
            cursor->high |= *cursor->at & 0x80;
            cursor->at++;
        }
#endif
        if (cursor->at >= cursor->end) return 0;
        if (*cursor->at == '"') return 1;
        if (*cursor->at != '\\' || !skip_escape(cursor)) return 0;
        cursor->escaped = 1;
    }
}

static int scan_number(Cursor *cursor, uint8_t *kind) {
    const uint8_t *at = cursor->at, *end = cursor->end, *start = at;
    *kind = CELL_INT;
    if (at < end && *at == '-') at++;
    if (at >= end || *at < '0' || *at > '9') return 0;
    if (*at == '0') at++;
    else while (at < end && *at >= '0' && *at <= '9') at++;
    if (at - start == 2 && start[0] == '-' && start[1] == '0' && (at >= end || (*at != '.' && (*at | 32) != 'e')))
        return 0; /* Python's integers know no -0 */
    if (at < end && *at == '.') {
        const uint8_t *digits = ++at;
        while (at < end && *at >= '0' && *at <= '9') at++;
        if (at == digits) return 0;
        *kind = CELL_FLOAT;
    }
    if (at < end && (*at | 32) == 'e') {
        at++;
        if (at < end && (*at == '+' || *at == '-')) at++;
        const uint8_t *digits = at;
        while (at < end && *at >= '0' && *at <= '9') at++;
        if (at == digits) return 0;
        *kind = CELL_FLOAT;
    }
    cursor->at = at;
    return at - start <= MAX_DIGITS;
}

static int scan_word(Cursor *cursor, const char *word, int64_t length) {
    if (cursor->end - cursor->at < length || memcmp(cursor->at, word, (size_t)length) != 0) return 0;
    cursor->at += length;
    return 1;
}

static int scan_value(Cursor *cursor, uint8_t *kind);

static int scan_nested(Cursor *cursor) {
    uint8_t close = *cursor->at == '{' ? '}' : ']', kind;
    if (++cursor->depth > MAX_DEPTH) return 0;
    cursor->at++;
    skip_space(cursor);
    if (cursor->at < cursor->end && *cursor->at == close) {
        cursor->at++;
        cursor->depth--;
        return 1;
    }
    for (;;) {
        skip_space(cursor);
        if (close == '}') {
            if (cursor->at >= cursor->end || *cursor->at != '"') return 0;
            cursor->at++;
            if (!scan_string(cursor)) return 0;
            cursor->at++;
            skip_space(cursor);
            if (cursor->at >= cursor->end || *cursor->at != ':') return 0;
            cursor->at++;
            skip_space(cursor);
        }
        if (!scan_value(cursor, &kind)) return 0;
        skip_space(cursor);
        if (cursor->at >= cursor->end) return 0;
        if (*cursor->at == close) break;
        if (*cursor->at != ',') return 0;
        cursor->at++;
    }
    cursor->at++;
    cursor->depth--;
    return 1;
}

/* Behind the value that `cursor` is at. */
static int scan_value(Cursor *cursor, uint8_t *kind) {
    if (cursor->at >= cursor->end) return 0;
    switch (*cursor->at) {
    case '"':
        *kind = CELL_STRING;
        cursor->at++;
        if (!scan_string(cursor)) return 0;
        cursor->at++;
        return 1;
    case '{': case '[':
        *kind = CELL_NESTED;
        return scan_nested(cursor);
    case 't':
        *kind = CELL_BOOL;
        return scan_word(cursor, "true", 4);
    case 'f':
        *kind = CELL_BOOL;
        return scan_word(cursor, "false", 5);
    case 'n':
        *kind = CELL_NULL;
        return scan_word(cursor, "null", 4);
    default:
        return scan_number(cursor, kind);
    }
}

static int is_utf8(const uint8_t *at, const uint8_t *end) {
    while (at < end) {
        if (end - at >= 8 && !(load8(at) & 0x8080808080808080u)) {
            at += 8;
            continue;
        }
        uint32_t first = *at;
        if (first < 0x80) {
            at++;
            continue;
        }
        int more = first < 0xC2 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : first < 0xF5 ? 3 : 0;
        if (!more || end - at <= more) return 0;
        uint32_t low = 0x80, high = 0xBF; /* of the second byte */
        if (first == 0xE0) low = 0xA0;
        if (first == 0xED) high = 0x9F;
        if (first == 0xF0) low = 0x90;
        if (first == 0xF4) high = 0x8F;
        if (at[1] < low || at[1] > high) return 0;
        for (int i = 2; i <= more; i++)
            if ((at[i] & 0xC0) != 0x80) return 0;
        at += more + 1;
    }
    return 1;
}

static inline int is_name(const Scanner *scanner, int64_t number, const uint8_t *at, uint32_t length) {
    const Name *name = &scanner->names[number];
    return name->length == length &&
           memcmp((const uint8_t *)scanner->name_bytes.memory + name->start, at, length) == 0;
}

/* The number of a name as it is written; -1 where there is no room for another. */
static int64_t find_name(Scanner *scanner, const uint8_t *at, uint32_t length, int64_t place) {
    int64_t guess = place < scanner->most_names ? scanner->predicted[place] : 0;
    if (guess < scanner->name_count && is_name(scanner, guess, at, length)) return guess;
    uint32_t hash = 2166136261u;
    for (uint32_t i = 0; i < length; i++) hash = (hash ^ at[i]) * 16777619u;
    uint32_t slot = (hash ^ hash >> 15) & (NAME_SLOTS - 1);
    for (; scanner->slots[slot]; slot = (slot + 1) & (NAME_SLOTS - 1))
        if (is_name(scanner, scanner->slots[slot] - 1, at, length)) break;
    int64_t number = (int64_t)scanner->slots[slot] - 1;
    if (number < 0) {
        if (scanner->name_count >= scanner->most_names) return -1;
        if (!room(&scanner->name_bytes, (size_t)scanner->name_size + length, 1)) return -1;
        number = scanner->name_count++;
        memcpy((uint8_t *)scanner->name_bytes.memory + scanner->name_size, at, length);
        scanner->names[number] = (Name){.start = (uint32_t)scanner->name_size, .length = length, .last = -1};
        scanner->name_size += length;
        scanner->slots[slot] = (uint16_t)(number + 1);
    }
    if (place < scanner->most_names) scanner->predicted[place] = (uint16_t)number;
    return number;
}

/* One line's cells behind the others; 0 where the line is doubtful, an error where there is no memory. */
static int64_t scan_line(Scanner *scanner, const uint8_t *data, Cursor *cursor) {
    const uint8_t *begin = cursor->at;
    const int64_t line = scanner->lines_before + scanner->line_count;
    if (*cursor->at != '{') return 0;
    cursor->at++;
    skip_space(cursor);
    int more = !(cursor->at < cursor->end && *cursor->at == '}');
    for (int64_t place = 0; more; place++) {
        skip_space(cursor);
        if (cursor->at >= cursor->end || *cursor->at != '"') return 0;
        const uint8_t *name = ++cursor->at;
        if (!scan_string(cursor) || cursor->at - name > 0xFFFF) return 0;
        int64_t number = find_name(scanner, name, (uint32_t)(cursor->at - name), place);
        if (number < 0 || scanner->names[number].last == line) return 0;
        scanner->names[number].last = line;
        cursor->at++;
        skip_space(cursor);
        if (cursor->at >= cursor->end || *cursor->at != ':') return 0;
        cursor->at++;
        skip_space(cursor);
        Cell *cells = room(&scanner->cell_memory, (size_t)(scanner->cell_count + 1) * sizeof(Cell), 1);
        if (!cells) return ERROR_MEMORY;
        Cell *cell = &cells[scanner->cell_count++];
        const uint8_t *value = cursor->at;
        cursor->escaped = 0;
        if (!scan_value(cursor, &cell->kind)) return 0;
        const int quotes = cell->kind == CELL_STRING;
        cell->start = (uint32_t)(value - data) + (uint32_t)quotes;
        cell->length = (uint32_t)(cursor->at - value) - 2 * (uint32_t)quotes;
        cell->row = (uint32_t)scanner->row_count;
        cell->name = (uint16_t)number;
        cell->escaped = (uint8_t)(quotes && cursor->escaped);
        skip_space(cursor);
        if (cursor->at >= cursor->end) return 0;
        if (*cursor->at == '}') break;
        if (*cursor->at != ',') return 0;
        cursor->at++;
    }
    cursor->at++;
    skip_space(cursor);
    if (cursor->at != cursor->end) return 0;
    return !cursor->high || is_utf8(begin, cursor->end);
}

/* The cells in the order of their names, and what kinds each name has. */
static int64_t sort_cells(Scanner *scanner) {
    const Cell *cells = scanner->cell_memory.memory;
    uint32_t *order = room(&scanner->order_memory, (size_t)(scanner->cell_count + 1) * sizeof(uint32_t), 0);
    if (!order) return ERROR_MEMORY;
    for (int64_t i = 0; i < scanner->name_count; i++) {
        scanner->names[i].cell_count = scanner->names[i].kinds = 0;
        scanner->names[i].bytes = 0;
    }
    for (int64_t i = 0; i < scanner->cell_count; i++) {
        Name *name = &scanner->names[cells[i].name];
        name->cell_count++;
        name->kinds |= 1u << cells[i].kind;
        name->bytes += cells[i].length + 2;
    }
    uint32_t first = 0;
    for (int64_t i = 0; i < scanner->name_count; i++) {
        scanner->names[i].first_cell = first;
        first += scanner->names[i].cell_count;
        scanner->names[i].cell_count = 0;
    }
    for (int64_t i = 0; i < scanner->cell_count; i++) {
        Name *name = &scanner->names[cells[i].name];
        order[name->first_cell + name->cell_count++] = (uint32_t)i;
    }
    return 0;
}

/* Cuts whole lines until there are `most` rows, or as many doubtful lines, or the data ends (with `ended`, its last line
 * needs no line break). `size` is below 2^31; PAD bytes behind it are zero. Returns how many bytes were cut, and what was
 * found: the number of lines, of rows, of names. */
API int64_t nd_json_scan(Scanner *scanner, const uint8_t *data, int64_t size, int64_t most, int64_t ended,
                         int64_t found[3]) {
    const uint8_t *at = data, *end = data + size;
    int64_t doubtful = 0;
    scanner->lines_before += scanner->line_count;
    scanner->cell_count = scanner->line_count = scanner->row_count = 0;
    while (at < end && scanner->row_count < most && doubtful < most) {
        const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop && !ended) break;
        if (!stop) stop = end;
        Line *lines = room(&scanner->line_memory, (size_t)(scanner->line_count + 1) * sizeof(Line), 1);
        if (!lines) return ERROR_MEMORY;
        Line *line = &lines[scanner->line_count];
        *line = (Line){(uint32_t)(at - data), (uint32_t)(stop - at), LINE_BLANK};
        Cursor cursor = {.at = at, .end = stop};
        skip_space(&cursor);
        if (cursor.at < stop) {
            const int64_t cells = scanner->cell_count;
            int64_t good = scan_line(scanner, data, &cursor);
            if (good < 0) return good;
            line->state = good ? LINE_ROW : LINE_DOUBTFUL;
            scanner->row_count += good;
            doubtful += !good;
            if (!good) scanner->cell_count = cells;
        }
        scanner->line_count++;
        at = stop < end ? stop + 1 : end;
    }
    int64_t error = sort_cells(scanner);
    if (error) return error;
    found[0] = scanner->line_count;
    found[1] = scanner->row_count;
    found[2] = scanner->name_count;
    return at - data;
}

/* Start, length and state of each line. */
API void nd_json_lines(const Scanner *scanner, uint32_t *lines) {
    if (scanner->line_count)
        memcpy(lines, scanner->line_memory.memory, (size_t)scanner->line_count * sizeof(Line));
}

/* A name: where it is written, its length, its kinds (a bit each), its cells, and the most bytes that they can be. */
API const uint8_t *nd_json_name(const Scanner *scanner, int64_t number, int64_t about[4]) {
    const Name *name = &scanner->names[number];
    about[0] = name->length;
    about[1] = name->kinds;
    about[2] = name->cell_count;
    about[3] = name->bytes;
    return (const uint8_t *)scanner->name_bytes.memory + name->start;
}

static uint8_t *put_utf8(uint8_t *out, uint32_t code) {
    if (code < 0x80) {
        *out++ = (uint8_t)code;
    } else if (code < 0x800) {
        *out++ = (uint8_t)(0xC0 | code >> 6);
        *out++ = (uint8_t)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        *out++ = (uint8_t)(0xE0 | code >> 12);
        *out++ = (uint8_t)(0x80 | (code >> 6 & 63));
        *out++ = (uint8_t)(0x80 | (code & 63));
    } else {
        *out++ = (uint8_t)(0xF0 | code >> 18);
        *out++ = (uint8_t)(0x80 | (code >> 12 & 63));
        *out++ = (uint8_t)(0x80 | (code >> 6 & 63));
        *out++ = (uint8_t)(0x80 | (code & 63));
    }
    return out;
}

/* A string whose escapes are known to be good; what comes out is never longer. */
static uint8_t *unescape(uint8_t *out, const uint8_t *at, const uint8_t *end) {
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    while (at < end) {
        const uint8_t *back = memchr(at, '\\', (size_t)(end - at));
        if (!back) back = end;
        memcpy(out, at, (size_t)(back - at));
        out += back - at;
        at = back;
        if (at == end) break;
        if (at[1] == 'u') {
            uint32_t code, other;
            hex4(at + 2, &code);
            at += 6;
            if (code >= 0xD800 && code <= 0xDBFF) {
                hex4(at + 2, &other);
                at += 6;
                code = 0x10000 + ((code - 0xD800) << 10) + (other - 0xDC00);
            }
            out = put_utf8(out, code);
        } else {
            const char *known = strchr(from, at[1]);
            *out++ = known ? (uint8_t)to[known - from] : at[1];
            at += 2;
        }
    }
    return out;
}

/* The column of a name over all rows, as Arrow lays out strings: values as they are written, strings without quotation
 * marks and escapes (with `raw`: with them), null where there is none. `valid` is zero before. Returns the bytes put. */
API int64_t nd_json_column(const Scanner *scanner, const uint8_t *data, int64_t number, int64_t raw, int32_t *offsets,
                           uint8_t *valid, uint8_t *out) {
    const Cell *cells = scanner->cell_memory.memory;
    const Name *name = &scanner->names[number];
    const uint32_t *order = (const uint32_t *)scanner->order_memory.memory + name->first_cell;
    uint8_t *put = out;
    int64_t row = 0;
    for (uint32_t i = 0; i < name->cell_count; i++) {
        const Cell *cell = &cells[order[i]];
        for (; row <= cell->row; row++) offsets[row] = (int32_t)(put - out);
        if (cell->kind == CELL_NULL) continue;
        valid[cell->row >> 3] |= (uint8_t)(1u << (cell->row & 7));
        const int quotes = raw && cell->kind == CELL_STRING;
        const uint8_t *start = data + cell->start - quotes;
        const size_t length = cell->length + 2 * (size_t)quotes;
        if (cell->escaped && !raw) {
            put = unescape(put, start, start + length);
        } else {
            memcpy(put, start, length);
            put += length;
        }
    }
    for (; row <= scanner->row_count; row++) offsets[row] = (int32_t)(put - out);
    return put - out;
}
