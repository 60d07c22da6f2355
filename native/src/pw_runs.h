/* Runs of steps from polynomials: the one kernel that all motion ends in. */
#ifndef PW_RUNS_H
#define PW_RUNS_H
#include "pw_planner.h"

#define PW_ONE ((int64_t)1 << 32)
#define PW_CLOSE ((int64_t)1 << 45) /* with a length of time: root tolerance of 1/8 tick */

/* c[0] u + c[1] u^2 + c[2] u^3 for u in 0..1, Q32 */
int64_t pw_cubic(const int64_t c[3], int64_t u);
/* u in [lo, hi] with cubic(u) = target, for a rising cubic */
int64_t pw_root(const int64_t c[3], int64_t target, int64_t lo, int64_t hi, int64_t u, int64_t close);
void pw_begin_span(struct pw_span *sp, int64_t time_q16, int64_t length_q16);
/* The motor's part of a span: from u = lo to hi, over which it does not turn. */
void pw_begin_part(struct pw_motor *mo, int64_t lo, int64_t hi, const struct pw_span *sp);
/* All steps of the motor from lo to hi, over which it does not turn.  0: its ring is full, or `work` has come to `most`; call again. */
int pw_make_runs(struct pw_planner *pl, int32_t motor, const struct pw_span *sp, int32_t *work, int32_t most);

#endif
