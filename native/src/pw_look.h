/* What the parts of look-ahead share: pw_curve.c (curve rule), pw_knots.c (where limits bind), pw_climb.c (what can be reached),
 * pw_profile.c (ramps), pw_look.c (the order of all that, and what is final).
 *
 * Look-ahead is cut into pieces: the functions below that take `work` do at most so many steps of it, keep their place in pl->look, and
 * return 1 when they are through. */
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

static inline int64_t pw_knot_s(const struct pw_planner *pl, int32_t i) { return i ? pl->segs[pl->knots[i].slot].end_q32 : pl->look.start_s_q32; }

/* Speed limit between knot i - 1 and knot i. */
static inline int64_t pw_knot_over(const struct pw_planner *pl, int32_t i)
{
    int32_t over = pl->knots[i].over_um_s;
    return over == PW_NO_LIMIT ? INT64_MAX : pw_speed(pl, over);
}

/* Time to wait between knot i - 1 and knot i: a dwell has knots on both sides. */
static inline int64_t pw_knot_dwell(const struct pw_planner *pl, int32_t i)
{
    const struct pw_seg *sg = &pl->segs[pl->knots[i].slot];
    return i && (sg->flags & PW_SEG_DWELL) ? pw_seg_dwell(sg) : 0;
}

/* Lowers the limit of the junction behind segment n by the curve rule; 0 when the window ends too soon to know. */
int pw_curve(struct pw_planner *pl, uint32_t n, uint32_t end);

int64_t pw_seg_start(const struct pw_planner *pl, uint32_t n);
int64_t pw_limit2(struct pw_planner *pl, uint32_t n); /* squared speed allowed where segment n meets the next */
/* Squared speeds at the ends of the segments [open, look.end), by constant acceleration, with a stop at the end: backward from
 * look.n = end, then forward from look.n = open. */
int pw_pass_back(struct pw_planner *pl, int32_t work);
int pw_pass_on(struct pw_planner *pl, int32_t work);
/* Knots of [open, look.end): the final place, every junction where that speed meets its limit, the end with speed look.u_q32. */
int pw_gather(struct pw_planner *pl, int32_t work);
/* Valleys: lowest places of the knots, and both sides of a hump that is worth climbing. */
int pw_valleys(struct pw_planner *pl, int32_t work);
void pw_limits_between(struct pw_planner *pl, int32_t a, int32_t b, struct pw_limits *lim);

/* Takes one ramp, or cruises to the knot in the way; *to_q32 is the speed then.  0: neither is possible before `last`. */
int pw_climb_once(const struct pw_planner *pl, const struct pw_limits *lim, struct pw_climb *c, int32_t last, int64_t goal,
                  int64_t room_q32, int64_t *length_q32, int64_t *to_q32);
/* Drops the valleys that the profile passes below, from the end and from the start.  -1 when that is impossible. */
int pw_settle_back(struct pw_planner *pl, int32_t work);
int pw_settle_on(struct pw_planner *pl, int32_t work);

void pw_put(struct pw_planner *pl, struct pw_out *o, int64_t v1, int64_t tj, int64_t ta, int64_t length);
void pw_put_ramp(struct pw_planner *pl, struct pw_out *o, const struct pw_limits *lim, int64_t v1);
/* Ramps between valleys.  1: all of it; 0: up to the valley look.at; -1: impossible; 2: not through; 3: not through, and the room for ramps
 * is used up at the valley look.at. */
int pw_profile(struct pw_planner *pl, int32_t work);

#endif
