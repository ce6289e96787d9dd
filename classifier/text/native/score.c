/* Texts straight to scores, without a matrix between them; and the matrix, for those who want it. */
#include "weigh.h"

#include <math.h>

/* A block once for each category: entries of a term lie from starts[id] to starts[id + 1], categories rising. */
typedef struct {
    const int64_t *starts;
    const int32_t *categories;
    const float *weights; /* `outputs` an entry */
    const int32_t *of_row; /* each row's category; below 0 for none */
    double weight;
} Cross;

/* A block to score: `rows` holds for each of `width` terms its idf (a double) and `outputs` weights (floats). */
typedef struct {
    Table table;
    Weighting weighting;
    int64_t width, outputs, stride;
    const uint8_t *rows;
    const Cross *crosses;
    int64_t cross_count;
    double *scores; /* added to; `score_stride` numbers a row */
    int64_t score_stride;
    int32_t *known; /* added to: how many terms; may be NULL */
} Target;

static inline void add_scaled(double *restrict sum, const float *restrict weights, int64_t count, double value) {
    for (int64_t i = 0; i < count; i++) sum[i] += value * (double)weights[i];
}

static void add_crosses(const Target *target, int64_t row, uint32_t id, double value, double *sums) {
    for (int64_t c = 0; c < target->cross_count; c++) {
        const Cross *cross = &target->crosses[c];
        int32_t category = cross->of_row[row];
        if (category < 0) continue;
        int64_t low = cross->starts[id], high = cross->starts[id + 1];
        while (low < high) { /* the first that is not below */
            int64_t middle = low + (high - low) / 2;
            if (cross->categories[middle] < category) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low < cross->starts[id + 1] && cross->categories[low] == category)
            add_scaled(sums + c * target->outputs, cross->weights + low * target->outputs, target->outputs, value);
    }
}

/* The weighted sum of a text's rows, `outputs` of them; of a constant number of outputs the sums stay in registers. */
static inline __attribute__((always_inline)) double sum_rows(const Target *target, const Terms *terms,
                                                             double *restrict sums, int64_t outputs) {
    const Weighting weighting = target->weighting;
    double length = 0.0;
    for (int64_t i = 0; i < terms->count; i++) {
        const uint8_t *row = target->rows + (int64_t)terms->ids[i] * target->stride;
        double idf;
        memcpy(&idf, row, 8);
        double value = term_frequency(&weighting, terms->counts[i]) * idf;
        length += norm_part(&weighting, value);
        add_scaled(sums, (const float *)(row + 8), outputs, value);
    }
    return length;
}

#define FEW(n)                                                              \
    case n: {                                                               \
        double few[n] = {0.0};                                              \
        double length = sum_rows(target, terms, few, n);                    \
        memcpy(sums, few, sizeof(few));                                     \
        return length;                                                      \
    }

static double sum_of(const Target *target, const Terms *terms, double *sums) {
    switch (target->outputs) {
        FEW(1) FEW(2) FEW(3) FEW(4) FEW(5) FEW(6) FEW(7) FEW(8)
        default: return sum_rows(target, terms, sums, target->outputs);
    }
}

static int64_t score_target(Terms *terms, const Text *text, const Target *target, int64_t row, Buffer *sum_memory) {
    int64_t error = find_terms(terms, text, &target->table, target->width, target->rows, target->stride);
    if (error < 0) return error;
    int64_t outputs = target->outputs, many = outputs * (1 + target->cross_count);
    double *sums = room(sum_memory, (size_t)many * 8, 0);
    if (!sums) return ERROR_MEMORY;
    memset(sums, 0, (size_t)many * 8);
    double factor = target->weighting.weight / norm_of(&target->weighting, sum_of(target, terms, sums));
    double *scores = target->scores + row * target->score_stride;
    for (int64_t i = 0; i < outputs; i++) scores[i] += sums[i] * factor;
    if (target->cross_count) {
        for (int64_t i = 0; i < terms->count; i++) {
            double idf;
            memcpy(&idf, target->rows + (int64_t)terms->ids[i] * target->stride, 8);
            add_crosses(target, row, terms->ids[i], term_frequency(&target->weighting, terms->counts[i]) * idf,
                        sums + outputs);
        }
        for (int64_t c = 0; c < target->cross_count; c++)
            for (int64_t i = 0; i < outputs; i++)
                scores[i] += sums[outputs * (1 + c) + i] * factor * target->crosses[c].weight;
    }
    if (target->known) target->known[row] += (int32_t)terms->count;
    return 0;
}

/* Scores rows [start, stop). `ends[i]` is the end of the targets of analysis i. On an error its row is in `failed`. */
API int64_t nd_score(const Chars *chars, const Column *columns, int64_t column_count, const Analysis *analyses,
                     const int64_t *ends, int64_t analysis_count, const Target *targets, int64_t start, int64_t stop,
                     int64_t *failed) {
    Text text = {.want_times = 1};
    Terms terms = {0};
    Buffer sums = {0};
    int64_t error = 0;
    for (int64_t i = 0; i < analysis_count; i++) text.want_space |= analyses[i].kind != KIND_WORD;
    for (int64_t row = start; row < stop && error >= 0; row++) {
        *failed = row;
        error = read_text(&text, chars, columns, column_count, row);
        for (int64_t i = 0, t = 0; i < analysis_count && error >= 0; i++) {
            error = cut_text(&text, &analyses[i]);
            for (; t < ends[i] && error >= 0; t++) error = score_target(&terms, &text, &targets[t], row, &sums);
        }
    }
    release_text(&text);
    release_terms(&terms);
    release(&sums);
    return error < 0 ? error : 0;
}

/* A sparse matrix that grows: `indices` and `values` of each row by rising index. */
typedef struct {
    Buffer index_memory, value_memory;
    int64_t count;
} Matrix;

static int64_t append_row(Matrix *matrix, const Terms *terms, const Weighting *weighting, const uint8_t *idf,
                          int64_t stride, Buffer *pair_memory) {
    int64_t count = terms->count;
    uint64_t *pairs = room(pair_memory, (size_t)count * 16, 0);
    int32_t *indices = room(&matrix->index_memory, (size_t)(matrix->count + count) * 4, 1);
    double *values = room(&matrix->value_memory, (size_t)(matrix->count + count) * 8, 1);
    if (!pairs || !indices || !values) return ERROR_MEMORY;
    indices += matrix->count;
    values += matrix->count;
    for (int64_t i = 0; i < count; i++) pairs[i] = (uint64_t)terms->ids[i] << 32 | terms->counts[i];
    sort_pairs(pairs, pairs + count, count);
    double length = 0.0; /* summed in this order: the bits of nd_weigh */
    for (int64_t i = 0; i < count; i++) {
        double own;
        indices[i] = (int32_t)(pairs[i] >> 32);
        memcpy(&own, idf + indices[i] * stride, 8);
        values[i] = term_frequency(weighting, (uint32_t)pairs[i]) * own;
        length += norm_part(weighting, values[i]);
    }
    double norm = norm_of(weighting, length);
    for (int64_t i = 0; i < count; i++) values[i] = values[i] / norm * weighting->weight;
    matrix->count += count;
    return 0;
}

/* The TF-IDF of rows [start, stop); the idf of a term lies `stride` bytes behind that of the one before. `indptr` gets stop - start + 1 places. The matrix is released with nd_release_matrix. */
API int64_t nd_transform(const Chars *chars, const Column *columns, int64_t column_count, const Analysis *analysis,
                         const Table *table, const uint8_t *idf, int64_t stride, int64_t width,
                         const Weighting *weighting, int64_t start, int64_t stop, int64_t *indptr, Matrix *matrix,
                         int64_t *failed) {
    Text text = {.want_space = analysis->kind != KIND_WORD, .want_times = 1};
    Terms terms = {0};
    Buffer pairs = {0};
    int64_t error = 0;
    indptr[0] = 0;
    for (int64_t row = start; row < stop && error >= 0; row++) {
        *failed = row;
        error = read_text(&text, chars, columns, column_count, row);
        if (error >= 0) error = cut_text(&text, analysis);
        if (error >= 0) error = find_terms(&terms, &text, table, width, NULL, 0);
        if (error >= 0) error = append_row(matrix, &terms, weighting, idf, stride, &pairs);
        indptr[row - start + 1] = matrix->count;
    }
    release_text(&text);
    release_terms(&terms);
    release(&pairs);
    return error < 0 ? error : 0;
}

API void nd_take_matrix(Matrix *matrix, int32_t *indices, double *values) {
    if (!matrix->count) return;
    memcpy(indices, matrix->index_memory.memory, (size_t)matrix->count * 4);
    memcpy(values, matrix->value_memory.memory, (size_t)matrix->count * 8);
}

API void nd_release_matrix(Matrix *matrix) {
    release(&matrix->index_memory);
    release(&matrix->value_memory);
    matrix->count = 0;
}

/* Every known n-gram of one text with the code points that it stands for: three numbers each. Returns how many there are;
 * `places` is given out as it is and released with nd_release. */
API int64_t nd_places(const Chars *chars, const Column *columns, int64_t column_count, const Analysis *analysis,
                      const Table *table, int64_t row, Buffer *places) {
    Text text = {.want_space = analysis->kind != KIND_WORD, .want_origin = 1, .want_spans = 1};
    int64_t found = 0, error = read_text(&text, chars, columns, column_count, row);
    if (error >= 0) error = cut_text(&text, analysis);
    uint32_t *to = error < 0 ? NULL : room(places, (size_t)text.gram_count * 12 + 4, 0);
    if (error >= 0 && !to) error = ERROR_MEMORY;
    for (int64_t i = 0; error >= 0 && i < text.gram_count; i++) {
        int64_t id = find_term(table, text.grams[i]);
        if (id < 0) continue;
        to[3 * found] = (uint32_t)id;
        gram_place(&text, analysis, i, &to[3 * found + 1], &to[3 * found + 2]);
        found++;
    }
    release_text(&text);
    return error < 0 ? error : found;
}

/* Adds rows @ weights to `scores` (rows, outputs), each row in the order of its entries. */
API void nd_add_product(const int64_t *indptr, const int32_t *indices, const double *values, int64_t rows,
                        const double *weights, int64_t outputs, double *scores) {
    for (int64_t row = 0; row < rows; row++)
        for (int64_t i = indptr[row]; i < indptr[row + 1]; i++)
            for (int64_t k = 0; k < outputs; k++)
                scores[row * outputs + k] += values[i] * weights[indices[i] * outputs + k];
}

/* Rows of logits (rows, columns) to probabilities that add up to 1, where they lie. */
API void nd_softmax(double *logits, int64_t rows, int64_t columns) {
    for (double *row = logits; row < logits + rows * columns; row += columns) {
        double most = row[0], sum = 0.0;
        for (int64_t i = 1; i < columns; i++) most = row[i] > most ? row[i] : most;
        for (int64_t i = 0; i < columns; i++) sum += row[i] = exp(row[i] - most);
        for (int64_t i = 0; i < columns; i++) row[i] /= sum;
    }
}

API void nd_release(Buffer *buffer) { release(buffer); }
