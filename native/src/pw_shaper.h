/* Input shapers as lists of impulses (spec motion 6), computed with integers so that every target has the same. */
#ifndef PW_SHAPER_H
#define PW_SHAPER_H
#include "printwright.h"

enum { PW_IMPULSES = 5 };

struct pw_impulses {
    int32_t n;
    int32_t reserved;
    int64_t weight_q32[PW_IMPULSES]; /* sum exactly 1 */
    int64_t time_q16[PW_IMPULSES];   /* ticks from the first */
    int64_t centre_q16;              /* their mean */
};

/* type: enum pw_shaper; frequency in 1/1000 Hz, damping ratio in 1/10000 (ranges as in pw_config.c). */
void pw_shaper_impulses(struct pw_impulses *out, int32_t type, int32_t tick_hz, int32_t mhz, int32_t damping_1e4);

#endif
