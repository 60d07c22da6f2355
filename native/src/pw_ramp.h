/* Jerk-limited changes of speed along the path: a ramp has constant jerk, constant acceleration, constant jerk, and no
 * acceleration at either end.
 *
 * Units: the planner's own.  Length mm, time U = 65536 plan ticks, both Q32, so that a time in Q32 counts 1/65536 ticks.  Speed is
 * mm/U, acceleration mm/U^2, jerk mm/U^3, all Q32; squared speeds are Q48. */
#ifndef PW_RAMP_H
#define PW_RAMP_H
#include <stdint.h>

struct pw_limits {
    int64_t accel; /* Q32 */
    int64_t jerk;  /* Q32 */
};

/* Shape of the ramp over a speed change dv >= 0: time at constant jerk (twice) and at constant acceleration, both rounded up so
 * that the limits hold. */
struct pw_shape {
    int64_t tj; /* Q32 U */
    int64_t ta;
};

struct pw_shape pw_ramp_shape(const struct pw_limits *lim, int64_t dv);
/* Length of the ramp between two speeds. */
int64_t pw_ramp_length(const struct pw_limits *lim, int64_t v0, int64_t v1);
/* Length of the ramp from v0 up to v1 (v0 <= v1) until it has the speed v (v0 <= v <= v1). */
int64_t pw_ramp_length_to(const struct pw_limits *lim, int64_t v0, int64_t v1, int64_t v);
/* The highest speed w <= cap with length(v0, w) + length(w, v1) <= length; at least max(v0, v1), which the caller knows to fit. */
int64_t pw_ramp_peak(const struct pw_limits *lim, int64_t v0, int64_t v1, int64_t length, int64_t cap);
/* The longest ramp down from v to any lower speed: what must lie ahead so that every slower place beyond can be honoured. */
int64_t pw_ramp_reserve(const struct pw_limits *lim, int64_t v);

#endif
