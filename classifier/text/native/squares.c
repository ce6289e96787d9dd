/* Least squares on some rows of a matrix: what conjugate gradients ask of it, each in one pass over its entries. */
#include "kernel.h"

/* An addition waits for the one before: four sums do not wait for each other. */
static inline double dot(const int32_t *indices, const double *values, int64_t count, const double *weights) {
    double sums[4] = {0.0};
    int64_t i = 0;
    for (; i + 3 < count; i += 4)
        for (int64_t k = 0; k < 4; k++) sums[k] += values[i + k] * weights[indices[i + k]];
    for (; i < count; i++) sums[0] += values[i] * weights[indices[i]];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* Adds Xᵀr to `out` (width,), where r = emphasis · (X @ weights - shift) and X are those `rows` of a matrix in CSR form. A
 * row's entries are still at hand when they are added. */
API void nd_normal(const int64_t *indptr, const int32_t *indices, const double *values, const int64_t *rows,
                   const double *emphasis, int64_t count, const double *weights, double shift, double *out) {
    for (int64_t i = 0; i < count; i++) {
        const int64_t start = indptr[rows[i]], own = indptr[rows[i] + 1] - start;
        const double left = emphasis[i] * (dot(indices + start, values + start, own, weights) - shift);
        for (int64_t j = start; j < start + own; j++) out[indices[j]] += values[j] * left;
    }
}

/* Adds Xᵀ emphasis, the same of squared values, and Xᵀ residual to `sums`, `squares` and `right`, (width,) each. */
API void nd_moments(const int64_t *indptr, const int32_t *indices, const double *values, const int64_t *rows,
                    const double *emphasis, const double *residual, int64_t count, double *sums, double *squares,
                    double *right) {
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = indptr[rows[i]]; j < indptr[rows[i] + 1]; j++) {
            const double value = values[j] * emphasis[i];
            sums[indices[j]] += value;
            squares[indices[j]] += value * values[j];
            right[indices[j]] += values[j] * residual[i];
        }
}
