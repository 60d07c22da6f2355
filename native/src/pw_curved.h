/* Motors that are not linear in x y z: cubics that meet them at both ends of a slice. */
#ifndef PW_CURVED_H
#define PW_CURVED_H
#include "pw_planner.h"

enum { PW_CURVED_SCALE = 36 }; /* the longest slice, so that an axis moves less than 2^13 mm in it */

/* Places and speeds (steps a U) of the three motors at both ends of the track's slice; where a cubic of these would not do, `end` comes nearer.
 * at, speed: of the axes at the end. */
void pw_curved_slice(const struct pw_planner *pl, struct pw_track *tr, int64_t *end_q16, int64_t at_q32[4], int64_t speed_q32[4],
                     int64_t place_q32[][2], int64_t v_q32[][2]);

/* z of a piece with the mesh, w from 0 to u; 0 when a cubic does not follow it closely enough. */
int pw_curved_mesh(const struct pw_planner *pl, int64_t x_q32[4][4], int64_t u_q32);

#endif
