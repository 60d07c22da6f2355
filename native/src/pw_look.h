/* What the parts of look-ahead share: pw_curve.c (curve rule), pw_knots.c (where limits bind), pw_climb.c (what can be reached),
 * pw_profile.c (ramps), pw_look.c (what is final). */
#ifndef PW_LOOK_H
#define PW_LOOK_H
#include "pw_planner.h"

enum { PW_FINE = 6, PW_HUMP = 6 }; /* 2^-6: climbs (pl->fine) and humps below this share of the speed are not worth a ramp */

/* One end of an interval; dir +1 climbs towards higher knots, -1 towards lower ones. */
struct pw_climb {
    int32_t knot; /* the last one passed */
    int32_t dir;
    int64_t s_q32, u_q32;
};

/* Ramps on their way into the ring, behind those that are final. */
struct pw_out {
    uint32_t head;
    uint32_t base; /* the interval's first */
    int32_t room;
    int64_t s_q32;
};

/* Lowers the limit of the junction behind segment n by the curve rule; 0 when the window ends too soon to know. */
int pw_curve(struct pw_planner *pl, uint32_t n, uint32_t end);

int64_t pw_seg_start(const struct pw_planner *pl, uint32_t n);
void pw_two_passes(struct pw_planner *pl, uint32_t end);
int32_t pw_gather(struct pw_planner *pl, uint32_t end, int64_t u);
void pw_limits_between(const struct pw_planner *pl, int32_t a, int32_t b, struct pw_limits *lim);
void pw_valleys(struct pw_planner *pl, int32_t count);

int pw_climb_once(const struct pw_planner *pl, const struct pw_limits *lim, struct pw_climb *c, int32_t last, int64_t goal,
                  int64_t room_q32, int64_t *length_q32, int64_t *to_q32);
int pw_settle(struct pw_planner *pl, int32_t count);

void pw_put(struct pw_planner *pl, struct pw_out *o, int64_t v0, int64_t v1, int64_t tj, int64_t ta, int64_t length);
void pw_put_ramp(struct pw_planner *pl, struct pw_out *o, const struct pw_limits *lim, int64_t v0, int64_t v1);
/* Ramps from the final place to the end of segment `end` - 1, which is passed with speed u.  1: all of it; 0: as far as ramps may
 * be added; -1: impossible. */
int pw_solve(struct pw_planner *pl, uint32_t end, int64_t u, struct pw_out *o);

#endif
