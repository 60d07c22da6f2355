/* Motors that are not linear in x y z: cubics that meet them at both ends of a slice. */
#ifndef PW_CURVED_H
#define PW_CURVED_H
#include "pw_planner.h"

enum { PW_CURVED_SCALE = 36 }; /* the longest slice, so that an axis moves less than 2^13 mm in it */

/* x: polynomials of the axes over 2^scale of the track's slice, w from 0 to u.  Gives those of the three motors; where a cubic would not do,
 * the scale becomes smaller, and u stays. */
void pw_curved_slice(const struct pw_planner *pl, struct pw_track *tr, int64_t x_q32[5][4], int64_t u_q32, int32_t *scale,
                     int64_t k_q32[3][4]);

/* z of a piece with the mesh, w from 0 to u; 0 when a cubic does not follow it closely enough. */
int pw_curved_mesh(const struct pw_planner *pl, int64_t x_q32[4][4], int64_t u_q32);

#endif
