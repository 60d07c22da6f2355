/* Motors that follow the path through shapers: slices of time, in each of which their positions are cubics. */
#ifndef PW_FOLLOW_H
#define PW_FOLLOW_H
#include "pw_planner.h"

/* Does the machine need them?  Sets the shapers, the tracks and n_tracks. */
void pw_tracks_init(struct pw_planner *pl);
/* All stands at pos_nm from the front on. */
void pw_tracks_reset(struct pw_planner *pl);
/* Is everything made up to the front? */
int pw_tracks_idle(const struct pw_planner *pl);
/* Up to the front, the rings' room or the budget; 1 when something was done. */
int pw_tracks_run(struct pw_planner *pl, int32_t budget, int32_t *work);
/* The track's axes (x y z, or e that is not smoothed) at a time within the pieces in force: mm, mm/U. */
void pw_axes_at(const struct pw_planner *pl, const struct pw_track *tr, int64_t time_q16, int64_t at_q32[4], int64_t speed_q32[4]);
/* The motor's steps before this are made. */
int64_t pw_track_made_q16(const struct pw_planner *pl, int32_t motor);

#endif
