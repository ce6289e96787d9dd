/* Linear support vector machines: one class against the rest, many classes on the same articles.
 *
 * Dual coordinate descent (Hsieh, Chang, Lin, Keerthi and Sundararajan, "A dual coordinate descent method for large-scale
 * linear SVM", ICML 2008) on the squared hinge loss, with liblinear's stopping rule. What differs from liblinear is which
 * articles are looked at. Most stand well on their side of the boundary, with a dual variable of 0, and say nothing: the
 * descent drops each at first sight and goes on with the few others. Whether the dropped ones still say nothing is then
 * measured for LANES classes at a time: an article's entries and their rows of weights are read once for all of them. */
#include "kernel.h"

#include <float.h>
#include <math.h>

#define LANES 8
#define AHEAD 4        /* articles whose entries are fetched before they are needed */
#define MOST_FETCHED 192 /* of its entries */
#define FETCHED 16     /* entries whose weights are fetched before they are measured */
#define UNMOVED 0.1    /* a projected gradient below this share of the tolerance moves nothing */
#define PACKED_ROWS 64 /* weights of a lane that are moved at a time */

/* The features of the articles in CSR form. */
typedef struct {
    const int64_t *indptr;
    const int32_t *indices;
    const double *values;
    const double *squares; /* (rows,) of each article, the intercept's 1 included */
    int64_t rows, width;
} Features;

/* One class. */
typedef struct {
    const uint8_t *truth; /* (rows,) whether an article is of the class */
    const double *cost;   /* (rows,) C of each article */
    double positive;      /* by which the cost of an article of the class is multiplied */
    double *weights;      /* (width + 1,), the intercept last */
    double *alpha;        /* (rows,) the dual variables */
    uint32_t *order;      /* the articles that are looked at, `count` of them */
    int64_t count;
    uint64_t random;
    double largest, smallest; /* projected gradients of the last pass or measurement */
} Machine;

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

static inline double product(const Features *features, const double *weights, int64_t row) {
    double sum = weights[features->width], other = 0.0; /* two: an addition waits for the one before */
    const int64_t end = features->indptr[row + 1];
    int64_t i = features->indptr[row];
    for (; i + 1 < end; i += 2) {
        sum += features->values[i] * weights[features->indices[i]];
        other += features->values[i + 1] * weights[features->indices[i + 1]];
    }
    if (i < end) sum += features->values[i] * weights[features->indices[i]];
    return sum + other;
}

static inline void add(const Features *features, double *weights, int64_t row, double step) {
    for (int64_t i = features->indptr[row]; i < features->indptr[row + 1]; i++)
        weights[features->indices[i]] += features->values[i] * step;
    weights[features->width] += step;
}

/* Half the reciprocal of an article's C. */
static inline double diagonal(const Machine *machine, int64_t row) {
    return 0.5 / (machine->cost[row] * (machine->truth[row] ? machine->positive : 1.0));
}

static inline double gradient(const Machine *machine, int64_t row, double score) {
    return (machine->truth[row] ? score : -score) - 1.0 + machine->alpha[row] * diagonal(machine, row);
}

static inline void widen(Machine *machine, double projected) {
    if (projected > machine->largest) machine->largest = projected;
    if (projected < machine->smallest) machine->smallest = projected;
}

/* One article. Returns whether it stays among those that are looked at. */
static inline int visit(const Features *features, Machine *machine, int64_t row, double unmoved) {
    double before = machine->alpha[row];
    double found = gradient(machine, row, product(features, machine->weights, row));
    if (before == 0.0 && found > 0.0) return 0;
    widen(machine, found);
    if (fabs(found) <= unmoved) return 1;
    double after = before - found / (diagonal(machine, row) + features->squares[row]);
    machine->alpha[row] = after > 0.0 ? after : 0.0;
    double step = machine->alpha[row] - before;
    add(features, machine->weights, row, machine->truth[row] ? step : -step);
    return 1;
}

/* Of a long article the beginning: of the rest the processor itself sees what comes next. */
static inline void fetch_entries(const Features *features, int64_t row) {
    int64_t start = features->indptr[row], end = features->indptr[row + 1];
    if (end > start + MOST_FETCHED) end = start + MOST_FETCHED;
    for (int64_t i = start; i < end; i += 8) __builtin_prefetch(features->values + i);
    for (int64_t i = start; i < end; i += 16) __builtin_prefetch(features->indices + i);
}

/* What is known of an article beside its entries: it lies in as many places. */
static inline void fetch_state(const Features *features, const Machine *machine, int64_t row) {
    __builtin_prefetch(features->indptr + row);
    __builtin_prefetch(features->squares + row);
    __builtin_prefetch(machine->alpha + row, 1);
    __builtin_prefetch(machine->cost + row);
    __builtin_prefetch(machine->truth + row);
}

static void pass(const Features *features, Machine *machine, double unmoved) {
    int64_t kept = 0;
    machine->largest = -DBL_MAX;
    machine->smallest = DBL_MAX;
    for (int64_t i = 0; i < machine->count; i++) {
        uint32_t row = machine->order[i];
        if (i + 2 * AHEAD < machine->count) fetch_state(features, machine, machine->order[i + 2 * AHEAD]);
        if (i + AHEAD < machine->count) fetch_entries(features, machine->order[i + AHEAD]);
        int stays = visit(features, machine, row, unmoved);
        machine->order[kept] = row;
        kept += stays;
    }
    machine->count = kept;
}

static int converged(const Machine *machine, double tolerance) {
    return machine->largest < machine->smallest || machine->largest - machine->smallest <= tolerance;
}

/* Adds to the weights, which are 0, what the dual variables make of them. */
API void nd_begin(const Features *features, Machine *machine) {
    for (int64_t row = 0; row < features->rows; row++) {
        double own = machine->alpha[row];
        if (own != 0.0) add(features, machine->weights, row, machine->truth[row] ? own : -own);
    }
}

/* Passes over the articles in `order` until their projected gradients are within the tolerance of each other, at most
 * `most`, none once `stop` is not 0. Returns how many there were. */
API int64_t nd_descend(const Features *features, Machine *machine, double tolerance, int64_t most,
                       const volatile int32_t *stop) {
    int64_t passes = 0;
    while (passes < most && !*stop) {
        shuffle(machine->order, machine->count, &machine->random);
        pass(features, machine, tolerance * UNMOVED);
        passes++;
        if (converged(machine, tolerance)) break;
    }
    return passes;
}

/* The weights of `lanes` machines side by side: `packed` (width + 1, LANES). */
API void nd_pack(Machine *const *machines, int64_t lanes, int64_t start, int64_t end, double *packed) {
    for (int64_t from = start; from < end; from += PACKED_ROWS) {
        int64_t to = from + PACKED_ROWS < end ? from + PACKED_ROWS : end;
        for (int64_t lane = 0; lane < LANES; lane++)
            for (int64_t i = from; i < to; i++)
                packed[i * LANES + lane] = lane < lanes ? machines[lane]->weights[i] : 0.0;
    }
}

/* Measures all articles in [from, to) for `lanes` machines. `active` (lanes, rows): whether an article has something to
 * say; `ranges` (lanes, 2): the largest and the smallest projected gradient. Nothing is changed. */
API void nd_measure(const Features *features, Machine *const *machines, int64_t lanes, const double *packed, int64_t from,
                    int64_t to, uint8_t *active, double *ranges) {
    const int64_t end = features->indptr[to];
    for (int64_t lane = 0; lane < lanes; lane++) ranges[2 * lane] = -DBL_MAX, ranges[2 * lane + 1] = DBL_MAX;
    for (int64_t row = from; row < to; row++) {
        double scores[LANES];
        for (int lane = 0; lane < LANES; lane++) scores[lane] = packed[features->width * LANES + lane];
        for (int64_t i = features->indptr[row]; i < features->indptr[row + 1]; i++) {
            if (i + FETCHED < end) __builtin_prefetch(packed + (int64_t)features->indices[i + FETCHED] * LANES);
            const double *weights = packed + (int64_t)features->indices[i] * LANES;
            const double value = features->values[i];
            for (int lane = 0; lane < LANES; lane++) scores[lane] += value * weights[lane];
        }
        for (int64_t lane = 0; lane < lanes; lane++) {
            const Machine *machine = machines[lane];
            double found = gradient(machine, row, scores[lane]);
            int says = machine->alpha[row] != 0.0 || found < 0.0;
            active[lane * features->rows + row] = (uint8_t)says;
            if (!says) found = 0.0;
            if (found > ranges[2 * lane]) ranges[2 * lane] = found;
            if (found < ranges[2 * lane + 1]) ranges[2 * lane + 1] = found;
        }
    }
}

/* (rows,) the sums of squares of each article's values, the intercept's 1 included. */
API void nd_squares(const int64_t *indptr, const double *values, int64_t rows, double *squares) {
    for (int64_t row = 0; row < rows; row++) {
        squares[row] = 1.0;
        for (int64_t i = indptr[row]; i < indptr[row + 1]; i++) squares[row] += values[i] * values[i];
    }
}

/* Some rows of one matrix at their places among the columns of several side by side. `ends` (count,): where in `indices` and
 * `values` the next entry of each of these rows goes; moved behind what is written. `first` is the matrix's first column. */
API void nd_place(const int64_t *indptr, const int32_t *indices, const double *values, const int64_t *rows, int64_t count,
                  int32_t first, int64_t *ends, int32_t *placed, double *written) {
    for (int64_t i = 0; i < count; i++) {
        int64_t at = ends[i];
        for (int64_t j = indptr[rows[i]]; j < indptr[rows[i] + 1]; j++, at++) {
            placed[at] = indices[j] + first;
            written[at] = values[j];
        }
        ends[i] = at;
    }
}
