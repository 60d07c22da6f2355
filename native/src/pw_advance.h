/* Extrusion smoothed by a triangular window (spec motion 7). */
#ifndef PW_ADVANCE_H
#define PW_ADVANCE_H
#include "pw_planner.h"

/* The sum of extrusion over time up to a time within the piece: mm times half the window, modulo 2^64. */
int64_t pw_advance_sum(const struct pw_planner *pl, const struct pw_piece *p, int64_t time_q16);
/* Smoothed extrusion at `end`, up to which the track's taps reach: place (mm), speed (mm/U), second derivative
 * (mm a half window squared) and the change of that a U. */
void pw_advance_at(const struct pw_planner *pl, struct pw_track *tr, int64_t end_q16, int64_t *at_q32, int64_t *speed_q32, int64_t bend_q32[2]);

#endif
