/* From the n-grams of a text to its TF-IDF: which terms it has, how often, and what each counts. */
#ifndef NEWSDESK_WEIGH_H
#define NEWSDESK_WEIGH_H

#include "kernel.h"

enum { NORM_NONE, NORM_L1, NORM_L2 };

/* scikit-learn's options of the same names. */
typedef struct {
    int32_t binary, sublinear, norm, reserved;
    double weight; /* all values are multiplied by it */
} Weighting;

/* The terms of a text: `ids` and `counts` of `count` different ones, in the order in which they first stand there. */
typedef struct {
    Buffer id_memory, count_memory, slot_memory;
    uint32_t *ids, *counts;
    int64_t count;
} Terms;

/* `rows` has `stride` bytes a term that will be read soon, or is NULL. */
int64_t find_terms(Terms *terms, const Text *text, const Table *table, int64_t width, const uint8_t *rows,
                   int64_t stride);
void release_terms(Terms *terms);
double norm_of(const Weighting *weighting, double sum);

/* Sorts by the high halves, which are different; `other` has room for as many. */
void sort_pairs(uint64_t *pairs, uint64_t *other, int64_t count);

#define LOGARITHMS 256
extern double logarithms[LOGARITHMS]; /* 1 + log(n) */
double one_plus_log(uint32_t count);

static inline double term_frequency(const Weighting *weighting, uint32_t count) {
    if (weighting->binary) return 1.0;
    if (!weighting->sublinear) return (double)count;
    return count < LOGARITHMS ? logarithms[count] : one_plus_log(count);
}

static inline double norm_part(const Weighting *weighting, double value) {
    return weighting->norm == NORM_L2 ? value * value : value < 0 ? -value : value;
}

#endif
