/* A linear support vector machine: one class against the rest.
 *
 * Dual coordinate descent (Hsieh, Chang, Lin, Keerthi and Sundararajan, "A dual coordinate descent method for large-scale
 * linear SVM", ICML 2008) on the squared hinge loss, as liblinear's solver for it, with its shrinking and its stopping rule. */
#include "kernel.h"

#include <float.h>
#include <math.h>

#define TINY 1e-12 /* a projected gradient that moves nothing */
#define AHEAD 4    /* articles whose entries are fetched before they are needed */

typedef struct {
    const int64_t *indptr;
    const int32_t *indices;
    const double *values;
    int64_t rows, width;
    const uint8_t *truth; /* (rows,) whether an article is of the class */
    const double *cost;   /* (rows,) C of each article */
    double positive;      /* by which the cost of an article of the class is multiplied */
    double tolerance;
    int64_t most_passes;
    uint64_t seed;
    const volatile int32_t *stop; /* no further pass once it is not 0 */
} Problem;

/* The state of the descent: weights (width + 1,), the intercept last, and the dual variables. */
typedef struct {
    double *weights;
    double *alpha;
    double *square;  /* (rows,) of each article, the intercept's 1 included */
    uint32_t *order; /* articles that are not shrunk, `count` of them */
    int64_t count;
    double largest, smallest; /* projected gradients of this pass */
    double bound;             /* the largest of the last one: beyond it an article is shrunk */
} Descent;

static uint64_t next_random(uint64_t *state) { /* SplitMix64 */
    uint64_t z = (*state += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

static void shuffle(uint32_t *order, int64_t count, uint64_t *state) {
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t j = (int64_t)(((__uint128_t)next_random(state) * (uint64_t)(i + 1)) >> 64);
        uint32_t swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
}

static inline double product(const Problem *problem, const double *weights, int64_t row) {
    double sum = weights[problem->width];
    for (int64_t i = problem->indptr[row]; i < problem->indptr[row + 1]; i++)
        sum += problem->values[i] * weights[problem->indices[i]];
    return sum;
}

static inline void add(const Problem *problem, double *weights, int64_t row, double step) {
    for (int64_t i = problem->indptr[row]; i < problem->indptr[row + 1]; i++)
        weights[problem->indices[i]] += problem->values[i] * step;
    weights[problem->width] += step;
}

/* One article. Returns whether it stays among those that are looked at. */
static inline int visit(const Problem *problem, Descent *descent, int64_t row) {
    double sign = problem->truth[row] ? 1.0 : -1.0;
    double diagonal = 0.5 / (problem->cost[row] * (problem->truth[row] ? problem->positive : 1.0));
    double before = descent->alpha[row];
    double gradient = sign * product(problem, descent->weights, row) - 1.0 + before * diagonal;
    double projected = gradient;
    if (before == 0.0) {
        if (gradient > descent->bound) return 0;
        if (gradient > 0.0) projected = 0.0;
    }
    if (projected > descent->largest) descent->largest = projected;
    if (projected < descent->smallest) descent->smallest = projected;
    if (fabs(projected) <= TINY) return 1;
    double after = before - gradient / (diagonal + descent->square[row]);
    descent->alpha[row] = after > 0.0 ? after : 0.0;
    add(problem, descent->weights, row, (descent->alpha[row] - before) * sign);
    return 1;
}

static void pass(const Problem *problem, Descent *descent) {
    int64_t kept = 0;
    descent->largest = -DBL_MAX;
    descent->smallest = DBL_MAX;
    for (int64_t i = 0; i < descent->count; i++) {
        uint32_t row = descent->order[i];
        if (i + AHEAD < descent->count) {
            int64_t next = problem->indptr[descent->order[i + AHEAD]];
            __builtin_prefetch(problem->indices + next);
            __builtin_prefetch(problem->values + next);
        }
        int stays = visit(problem, descent, row);
        descent->order[kept] = row;
        kept += stays;
    }
    descent->count = kept;
}

static void open_all(const Problem *problem, Descent *descent) {
    for (int64_t row = 0; row < problem->rows; row++) descent->order[row] = (uint32_t)row;
    descent->count = problem->rows;
    descent->bound = DBL_MAX;
}

/* Passes until it has converged on all articles. Returns how many there were. */
static int64_t descend(const Problem *problem, Descent *descent) {
    uint64_t state = problem->seed;
    int64_t passes = 0;
    int whole = 1; /* no article is shrunk */
    open_all(problem, descent);
    while (passes < problem->most_passes && !*problem->stop) {
        shuffle(descent->order, descent->count, &state);
        pass(problem, descent);
        passes++;
        int nothing = descent->largest < descent->smallest;
        if (nothing || descent->largest - descent->smallest <= problem->tolerance) {
            if (whole) break;
            open_all(problem, descent);
            whole = 1;
        } else {
            descent->bound = descent->largest > 0.0 ? descent->largest : DBL_MAX;
            whole = 0; /* from now on some may be shrunk */
        }
    }
    return passes;
}

/* Fits one machine; `weights` (width + 1,), cleared, gets it, the intercept last. Returns the passes it took: `most_passes`
 * if it did not converge. */
API int64_t nd_fit_svc(const Problem *problem, double *weights) {
    const size_t rows = (size_t)problem->rows;
    Descent descent = {.weights = weights};
    descent.alpha = calloc(rows + 1, 8);
    descent.square = malloc(rows * 8 + 8);
    descent.order = malloc(rows * 4 + 4);
    int64_t result = ERROR_MEMORY;
    if (descent.alpha && descent.square && descent.order) {
        for (int64_t row = 0; row < problem->rows; row++) {
            double square = 1.0;
            for (int64_t i = problem->indptr[row]; i < problem->indptr[row + 1]; i++)
                square += problem->values[i] * problem->values[i];
            descent.square[row] = square;
        }
        result = descend(problem, &descent);
    }
    free(descent.alpha);
    free(descent.square);
    free(descent.order);
    return result;
}
