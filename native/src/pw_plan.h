/* The seam between the front end (text to lines) and the planner (lines to runs).  Internal to native/src. */
#ifndef PW_PLAN_H
#define PW_PLAN_H
#include "printwright.h"

/* One straight line after arcs and merge, inside all limits of the guard. */
struct pw_line {
    int64_t from_nm[4]; /* machine coordinates x y z e (e: total length that its extruder was fed since pw_begin) */
    int64_t to_nm[4];
    int32_t velocity_um_s;      /* requested, F and override applied; along xyz, or e for an e-only line; the planner clamps */
    int32_t accel_um_s2;        /* in force (M204, M201 applied), along the path */
    int32_t corner_um_s;        /* square-corner velocity in force (M205) */
    int32_t e_corner_um_s;
    int32_t axis_velocity_um_s[3]; /* per-axis limits in force (M203, M201) */
    int32_t axis_accel_um_s2[3];
    int32_t e_velocity_um_s;
    int32_t e_accel_um_s2;
    int32_t tool;               /* extruder that e belongs to */
    int32_t advance_us;         /* pressure advance in force; 0 for a move that does not extrude along x or y */
};

struct pw_planner; /* opaque to the front end */
struct pw_kin;
struct pw_mesh_state;

/* Called by the front end.  Each is PW_OK, or PW_E_FULL with nothing changed: try again after pw_run. */
int32_t pw_plan_line(struct pw_planner *pl, const struct pw_line *line);
int32_t pw_plan_dwell(struct pw_planner *pl, int64_t ticks); /* motion stops, then time passes */
int32_t pw_plan_mark(struct pw_planner *pl, uint32_t id);
int32_t pw_plan_flush(struct pw_planner *pl);
/* Names the place where the planner stands anew, without motion; PW_E_FULL until all that was queued is turned into runs. */
int32_t pw_plan_place(struct pw_planner *pl, const int64_t position_nm[PW_MOTORS]);

/* Called by the core object (pw_core.c, the front end's owner). */
enum { PW_RAMPS = 96, PW_RAMPS_SHORT = 64 }; /* ramps that wait for the generator, those included that are not final yet */
size_t pw_planner_size(const struct pw_config *cfg, int32_t ramps); /* multiple of 8 */
/* Scratch: memory of look-ahead that may be used otherwise while the planner does nothing, if pw_planner_resume is called then. */
size_t pw_scratch_size(const struct pw_config *cfg);
/* mem zeroed or not; cfg outlives it and was checked */
void pw_planner_init(struct pw_planner *pl, const struct pw_config *cfg, int32_t ramps, void *scratch);
void pw_planner_resume(struct pw_planner *pl);
/* New document: plan tick start_tick, standing at position_nm; motor counts = round(position * steps) unless counts is given. */
void pw_planner_begin(struct pw_planner *pl, const int64_t position_nm[PW_MOTORS], const int64_t *counts);
/* Where the machine stands after the runs made: exact when nothing is queued, else from the counts.  `machine` is the geometry without
 * skew; extruders as they were fed. */
void pw_planner_place_of(const struct pw_planner *pl, const struct pw_kin *machine, int64_t position_nm[PW_MOTORS]);
const struct pw_kin *pw_planner_kin(const struct pw_planner *pl);
void pw_planner_mesh(struct pw_planner *pl, const struct pw_mesh_state *mesh); /* in force from here on, or NULL; it outlives pl */
/* Is everything queued turned into runs, and (unless NULL) the planner at x y z? */
int pw_planner_stands(const struct pw_planner *pl, const int64_t at_nm[3]);
int32_t pw_planner_run(struct pw_planner *pl, int32_t budget); /* units done, 0 idle or rings full, negative error */
int32_t pw_planner_steps(struct pw_planner *pl, int32_t motor, struct pw_steprun *out, int32_t n);
int32_t pw_planner_marks(struct pw_planner *pl, struct pw_markrec *out, int32_t n);
void pw_planner_status(const struct pw_planner *pl, struct pw_status *status); /* fills segments, planned_tick, final_tick, count, idle */

#endif
