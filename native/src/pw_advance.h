/* Extrusion smoothed by a triangular window (spec motion 7). */
#ifndef PW_ADVANCE_H
#define PW_ADVANCE_H
#include "pw_planner.h"

/* The track's extrusion from its time on: a cubic over 2^scale in k_q32 (mm).  Shortens *end where a cubic would not do, and carries the
 * track's state on to it. */
void pw_advance_slice(struct pw_planner *pl, struct pw_track *tr, int64_t *end_q16, int64_t k_q32[4]);

#endif
