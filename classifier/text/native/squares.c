/* Features side by side, column by column: what fits of linear models ask of them. A score is added to at a row, and a row's
 * residual is read, wherever its entries are: both are small beside the features, and stay in the processor's cache. What
 * takes time is to fetch the entries, so they are as short as can be: of up to 65,536 rows the numbers have 16 bits. */
#include "kernel.h"

/* `width` columns from number `first` on: in each, which `rows` (of 16 bits where `narrow`, else of 32) have what `values`, each
 * times its row's `fade` unless that is NULL. Where `twin` is not negative, as many columns from there on have the same entries,
 * times their rows' `twin_fade`. */
typedef struct {
    const int64_t *starts;
    const void *rows;
    const float *values;
    const double *fade, *twin_fade;
    int64_t first, twin, width, narrow;
} Part;

/* What is done alike with rows of 16 and of 32 bits, as `NAME` of `ROW`s. */
#define OF_ROWS(NAME, ROW)                                                                                             \
    static void transpose_##NAME(const int64_t *indptr, const int32_t *indices, const double *values,                  \
                                 const int64_t *rows, int64_t count, int64_t *ends, ROW *found, float *entries) {      \
        for (int64_t i = 0; i < count; i++)                                                                            \
            for (int64_t j = indptr[rows[i]]; j < indptr[rows[i] + 1]; j++) {                                          \
                const int64_t at = ends[indices[j]]++;                                                                 \
                found[at] = (ROW)i;                                                                                    \
                entries[at] = (float)values[j];                                                                        \
            }                                                                                                          \
    }                                                                                                                  \
                                                                                                                       \
    static void scores_##NAME(const Part *own, int64_t from, int64_t to, const double *weights, double *scores) {      \
        const ROW *rows = own->rows;                                                                                   \
        for (int64_t k = from; k < to; k++) {                                                                          \
            const int64_t stop = own->starts[k + 1];                                                                   \
            const double weight = weights[own->first + k];                                                             \
            if (own->twin >= 0) {                                                                                      \
                const double twin = weights[own->twin + k];                                                            \
                for (int64_t j = own->starts[k]; j < stop; j++) {                                                      \
                    const double fade = own->fade ? own->fade[rows[j]] : 1.0;                                          \
                    scores[rows[j]] += own->values[j] * (weight * fade + twin * own->twin_fade[rows[j]]);              \
                }                                                                                                      \
            } else if (own->fade)                                                                                      \
                for (int64_t j = own->starts[k]; j < stop; j++)                                                        \
                    scores[rows[j]] += own->values[j] * (weight * own->fade[rows[j]]);                                 \
            else                                                                                                       \
                for (int64_t j = own->starts[k]; j < stop; j++) scores[rows[j]] += own->values[j] * weight;            \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    /* An addition waits for the one before: two sums do not wait for each other. */                                   \
    static double along_##NAME(const Part *own, int64_t k, const double *slopes, const double *fade) {                 \
        const ROW *rows = own->rows;                                                                                   \
        const float *values = own->values;                                                                             \
        const int64_t stop = own->starts[k + 1];                                                                       \
        int64_t j = own->starts[k];                                                                                    \
        double sums[2] = {0.0};                                                                                        \
        if (fade) {                                                                                                    \
            for (; j < stop; j++) sums[0] += values[j] * (slopes[rows[j]] * fade[rows[j]]);                            \
            return sums[0];                                                                                            \
        }                                                                                                              \
        for (; j + 1 < stop; j += 2) {                                                                                 \
            sums[0] += values[j] * slopes[rows[j]];                                                                    \
            sums[1] += values[j + 1] * slopes[rows[j + 1]];                                                            \
        }                                                                                                              \
        if (j < stop) sums[0] += values[j] * slopes[rows[j]];                                                          \
        return sums[0] + sums[1];                                                                                      \
    }                                                                                                                  \
                                                                                                                       \
    static double sums_##NAME(const Part *own, int64_t from, int64_t to, const double *slopes, double alpha,           \
                              const double *weights, double *sums) {                                                   \
        double product = 0.0;                                                                                          \
        for (int64_t k = from; k < to; k++) {                                                                          \
            const int64_t i = own->first + k, twin = own->twin + k;                                                    \
            sums[i] = alpha * weights[i] + along_##NAME(own, k, slopes, own->fade);                                    \
            product += weights[i] * sums[i];                                                                           \
            if (own->twin < 0) continue;                                                                               \
            sums[twin] = alpha * weights[twin] + along_##NAME(own, k, slopes, own->twin_fade);                         \
            product += weights[twin] * sums[twin];                                                                     \
        }                                                                                                              \
        return product;                                                                                                \
    }                                                                                                                  \
                                                                                                                       \
    static void moments_##NAME(const Part *own, const double *emphasis, const double *residual, double *sums,          \
                               double *squares, double *right) {                                                       \
        const ROW *rows = own->rows;                                                                                   \
        for (int64_t k = 0; k < own->width; k++) {                                                                     \
            double sum = 0.0, square = 0.0, product = 0.0;                                                             \
            for (int64_t j = own->starts[k]; j < own->starts[k + 1]; j++) {                                            \
                const double value = own->fade ? own->values[j] * own->fade[rows[j]] : own->values[j];                 \
                sum += value * emphasis[rows[j]];                                                                      \
                square += value * emphasis[rows[j]] * value;                                                           \
                product += value * residual[rows[j]];                                                                  \
            }                                                                                                          \
            sums[k] = sum;                                                                                             \
            squares[k] = square;                                                                                       \
            right[k] = product;                                                                                        \
        }                                                                                                              \
    }

OF_ROWS(narrow, uint16_t)
OF_ROWS(wide, int32_t)

/* Some `rows` (count,) of a matrix in CSR form, column by column: `starts` (width + 1,), zeros before; `found` are the rows'
 * numbers among those. */
API void nd_transpose(const int64_t *indptr, const int32_t *indices, const double *values, const int64_t *rows,
                      int64_t count, int64_t width, int64_t narrow, int64_t *starts, void *found, float *entries) {
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = indptr[rows[i]]; j < indptr[rows[i] + 1]; j++) starts[indices[j]]++;
    int64_t total = 0;
    for (int64_t k = 0; k <= width; k++) {
        const int64_t own = starts[k];
        starts[k] = total;
        total += own;
    }
    if (narrow)
        transpose_narrow(indptr, indices, values, rows, count, starts, found, entries);
    else
        transpose_wide(indptr, indices, values, rows, count, starts, found, entries);
    for (int64_t k = width; k > 0; k--) starts[k] = starts[k - 1];
    starts[0] = 0;
}

/* Adds X @ weights to `scores`, of the columns from cuts[2p] to cuts[2p + 1] of each part. */
API void nd_scores(const Part *parts, int64_t many, const int64_t *cuts, const double *weights, double *scores) {
    for (int64_t p = 0; p < many; p++)
        (parts[p].narrow ? scores_narrow : scores_wide)(parts + p, cuts[2 * p], cuts[2 * p + 1], weights, scores);
}

/* sums = Xᵀ slopes + alpha · weights, of those columns; weights · sums of them. */
API double nd_sums(const Part *parts, int64_t many, const int64_t *cuts, const double *slopes, double alpha,
                   const double *weights, double *sums) {
    double product = 0.0;
    for (int64_t p = 0; p < many; p++)
        product += (parts[p].narrow ? sums_narrow : sums_wide)(parts + p, cuts[2 * p], cuts[2 * p + 1], slopes, alpha,
                                                               weights, sums);
    return product;
}

/* Of all columns of a part, whatever its `first` and without its twin: Xᵀ emphasis, the same of squared values, and Xᵀ
 * residual. */
API void nd_moments(const Part *own, const double *emphasis, const double *residual, double *sums, double *squares,
                    double *right) {
    (own->narrow ? moments_narrow : moments_wide)(own, emphasis, residual, sums, squares, right);
}

/* The next direction of conjugate gradients: diagonal · residual + beta · the last one. */
API void nd_direction(int64_t width, const double *residual, const double *diagonal, double beta, double *direction) {
    for (int64_t i = 0; i < width; i++) direction[i] = diagonal[i] * residual[i] + beta * direction[i];
}

/* A step of that length along the direction, which changes the residual by `product`: weights and residual after it, and in
 * `found` the residual's square, times the diagonal and as it is. */
API void nd_step(int64_t width, double length, const double *direction, const double *product, const double *diagonal,
                 double *weights, double *residual, double *found) {
    double scaled = 0.0, plain = 0.0;
    for (int64_t i = 0; i < width; i++) {
        weights[i] += length * direction[i];
        residual[i] -= length * product[i];
        const double square = residual[i] * residual[i];
        scaled += square * diagonal[i];
        plain += square;
    }
    found[0] = scaled;
    found[1] = plain;
}
