/* What the parts of the planner share: pw_planner.c (queue), pw_line.c (lines into it), pw_look.h (look-ahead: lines to ramps), pw_gen.c (ramps to
 * path pieces), pw_follow.h (path pieces to motors), pw_runs.h (motors to runs of steps).  Units as in pw_ramp.h; motor positions are steps Q32. */
#ifndef PW_PLANNER_H
#define PW_PLANNER_H
#include "pw_kin.h"
#include "pw_math.h"
#include "pw_mesh.h"
#include "pw_plan.h"
#include "pw_ramp.h"

enum {
    PW_DENSE = 16,           /* segments over which density is measured */
    PW_NO_LIMIT = INT32_MAX,
    PW_RAMPS_WAIT = 16,      /* look-ahead begins when at most so many ramps of the ring wait for the generator; */
    PW_RAMPS_MOST = 40,      /* an interval between valleys needs all but so many to begin with */
    PW_BACK = 8,             /* the curve rule reads back a window / PW_BACK of segments */
    PW_OPEN_MARKS = 32,      /* marks that look-ahead waits with: as many end it, so that the ring's size does not matter */
    PW_SEG_FLUSH = 1,        /* look-ahead ends behind this segment */
    PW_SEG_DWELL = 2,        /* no length, but a time */
    PW_SEG_CURVE = 4,        /* jcap includes the curve rule */
    PW_SEG_SHARP = 8,        /* turns by more than 30 degrees where it meets the next: chords of the curve rule end here */
    PW_SEG_TOOL = 8,         /* three bits of flags from here on: extruder that d_nm[3] belongs to */
    PW_SEG_ADVANCE = 11,     /* the other bits: pressure advance in us */
    PW_TAPS = 16,            /* three axes of five impulses, and the present */
    PW_AXIS_E = 3,           /* of pieces; as shaping: what is only delayed */
    PW_AXIS_SMOOTH = 4,      /* shaping: extrusion by its smoothing window */
    PW_TRACKS = 4
};

/* A straight line and the limits that hold on it.  Limits are kept as the integers they come from; what follows from them is worked
 * out where it is used, since hundreds of lines wait. */
struct pw_seg {
    int64_t end_q32;     /* path coordinate of its end */
    int32_t d_nm[4];     /* from its start: x y z e */
    int32_t cruise_um_s; /* highest speed */
    int32_t accel_um_s2; /* of a dwell the two hold its time (pw_seg_dwell) */
    uint32_t jcap;       /* squared speed allowed where it meets the next beside both cruise speeds (pw_seg_jcap2) */
    uint32_t flags;
};

/* A piece of the speed profile: a ramp (tj > 0), a cruise (tj = 0) or a dwell (a cruise at speed 0).  It begins where and as the one
 * before it ends. */
struct pw_ramp {
    int64_t v1_q32;
    int64_t tj_q32, ta_q32;
    int64_t end_q32; /* path coordinate */
};

/* A place where the profile may touch a limit: the end of a segment, or (knot 0) the place where look-ahead begins. */
struct pw_knot {
    int64_t u_q32;       /* speed limit there */
    int32_t over_um_s;   /* speed limit between the knot before and this one, or PW_NO_LIMIT */
    int32_t accel_um_s2; /* lowest acceleration between them, or PW_NO_LIMIT */
    uint16_t slot;       /* of the segment */
    int8_t valley;       /* the profile touches it without acceleration */
    int8_t slope;        /* a valley passed below: -1 where the profile falls, 1 where it rises */
};

/* Ramps on their way into the ring, behind those that are final. */
struct pw_out {
    uint32_t head;
    uint32_t base; /* the interval's first */
    int32_t room;
    int64_t s_q32, v_q32;
    int64_t base_s_q32; /* where the interval begins */
};

/* Look-ahead at work: it gives back after a bounded number of steps. */
struct pw_looking {
    int32_t stage;    /* enum pw_look_stage */
    int32_t way;      /* enum pw_look_way */
    int32_t flush;    /* the window ends in a flush */
    int32_t got;      /* what the first way gave */
    int32_t moved;    /* a part of it is final already */
    uint32_t first;   /* where it begins: segment, */
    int64_t start_s_q32, start_v_q32; /* place and speed */
    int32_t again_i, again_at; /* what i and at were when the scratch was lent away */
    uint32_t window;  /* the window's end */
    uint32_t end;     /* end of the part that is being solved */
    uint32_t n;       /* next segment of the stage */
    int32_t count, i, at; /* knots: how many, next of the stage, last valley */
    int64_t u_q32;    /* speed at `end` */
    int64_t carry;    /* squared speed, from segment to segment */
    struct pw_out out;
};

/* 1 / d of a number above 0: x * 2^32 / d = x * r / 2^(32 + s); r has 32 bits. */
struct pw_inverse {
    uint32_t r;
    int32_t s;
};

/* A stretch of time over which motors have polynomials in u = 0..1. */
struct pw_span {
    int64_t time_q16, length_q16;
    int64_t close_q32; /* tolerance of u */
    struct pw_inverse inverse; /* of length_q16 */
};

struct pw_motor {
    int64_t k_q32[3];   /* position in the span in work: base + k[0] u + k[1] u^2 + k[2] u^3, mirrored to rise */
    int64_t base_q32;
    int64_t lo_q32, hi_q32; /* the part in work: u from lo to hi; it does not turn there */
    int64_t to_q32;     /* position at hi, mirrored likewise */
    int64_t turn_q32[2]; /* where the parts behind it end */
    int64_t scale_q64;  /* steps a nm */
    int64_t count;      /* steps made */
    int64_t last_q16;   /* time of the last step */
    int32_t direction;  /* of the last step, 0 before the first */
    int32_t rising;     /* direction of the part in work, 0: stands */
    int32_t chunk;      /* steps that the next fit should cover */
    int32_t parts;      /* that follow the one in work */
    int64_t start_q32;  /* position at the start of the segment in work */
    int64_t delta_q32;  /* change of position over it */
    int64_t rate_q32;   /* steps a mm of path, signed */
    int64_t guess_q32;  /* u of the next step, about, */
    int64_t step_q32;   /* and change of u a step there; 0: unknown */
    int64_t pace_q16;   /* ticks a step, of late */
    uint32_t head, tail; /* ring: head written by pw_gen, tail by pw_planner_steps */
};

/* A stretch of the path: x y z and e as polynomials in w = time from its start / 2^scale (Q16 ticks); e with its pressure advance.  It ends
 * where the next begins. */
struct pw_stretch {
    int64_t start_q16;
    int64_t k_q32[4][4]; /* mm: constant, linear, ... */
    int32_t scale;
    int8_t jump[4]; /* what breaks where it begins, per axis (pw_history.h) */
};

/* The same as it is kept for as long as a shaper looks back: coefficients behind the constant are k * 2^up. */
struct pw_piece {
    int64_t start_q16;
    int64_t at_q32[4];
    int64_t sum_q32; /* extrusion summed up to its start: mm times half the smoothing window, modulo 2^64 */
    int32_t k[4][3];
    int8_t up[4];
    int8_t jump[4];
    int8_t scale;
    int8_t rest; /* all stands */
    int8_t reserved[6];
};

/* An axis as the motors see it: sum of weight * path(t - lag); the weights' sum is 1. */
struct pw_shaping {
    int32_t n;
    int32_t reserved;
    int64_t lag_q16[5];
    int64_t weight_q32[5];
};

/* Motors that are made together, slice by slice. */
struct pw_track {
    struct pw_span span;  /* slice in work */
    int64_t time_q16;     /* made up to here */
    int64_t end_q16;      /* end of the slice in work */
    int64_t at_q32[4], speed_q32[4]; /* of its axes at `time`, behind what breaks there: mm, mm/U; smoothed extrusion is axis e */
    int64_t bend_q32[2];  /* of smoothed extrusion: mm a half window squared, and the change of that a U */
    int64_t length_q16;   /* longest slice to try (pw_curved.c) */
    int64_t since_q16;    /* the last break in the slice that is being looked for, from its start; */
    int64_t break_q32[3]; /* sums of their strengths times 2nd, 3rd, 4th power of their times in U */
    int64_t waited_q16;   /* with the path's front here there was nothing to do */
    int32_t axes, motors; /* masks */
    int32_t working;      /* motors of the slice in work that are not made yet; -1: no slice */
    int8_t joined;        /* -1: no slice is being looked for; else the largest class of smoothed extrusion in it */
    int8_t fresh;         /* slices until smoothed extrusion is summed anew */
    int8_t taps, oldest;  /* how many; the one that looks back longest */
    uint32_t tap[PW_TAPS]; /* pieces in force, by running number: per axis and impulse, the last for the present; */
    int64_t until_q16[PW_TAPS]; /* and for how long they are */
    int8_t shaped[PW_TAPS]; /* whose they are: 8 * index of shaping + impulse */
};

struct pw_planner { /* an M0+ reaches what comes first in fewer instructions: what look-ahead and generator have in work */
    const struct pw_config *cfg;
    struct pw_motor *motors;
    struct pw_seg *segs;
    struct pw_ramp *ramps;
    struct pw_knot *knots; /* scratch of look-ahead, which the contexts share */
    int64_t *v2_q48;       /* the same: squared speed at the end of segment look.first + i by constant acceleration */
    struct pw_steprun *runs; /* a ring of cfg->ring_runs per motor */
    struct pw_markrec *marks; /* `reserved` is the segment that a mark waits for */
    struct pw_piece *pieces; /* a ring */
    uint32_t capacity; /* of segs */
    uint32_t ramps_size;

    /* queue of segments, by running number: done <= open <= head */
    uint32_t head;  /* pw_planner: next to be pushed */
    uint32_t open;  /* pw_look: first that is not wholly under final ramps */
    uint32_t done;  /* pw_gen: first that is not wholly turned into runs */
    uint32_t dense_from; /* density is measured from here on */
    uint32_t flushes; /* flushed segments between open and head */
    int64_t unit_q30[3]; /* direction and extrusion ratio of the last segment pushed */
    int64_t ratio_q24;

    /* look-ahead: the profile is final up to here */
    int64_t plan_s_q32;
    int64_t plan_v_q32;
    int32_t fine;        /* 2^-fine: climbs below this share of the speed are not worth a ramp */
    uint32_t plan_again; /* running number: a stop there is known to be possible */
    uint32_t forced;     /* places that only the length of the window made final (diagnosis) */
    uint32_t broken;     /* stops that no limit allowed for (diagnosis) */

    struct pw_looking look;

    /* ramps, by running number */
    uint32_t ramp_head; /* pw_look */
    uint32_t ramp_tail; /* pw_gen */
    int64_t final_q16;  /* time at the end of the last final ramp */

    /* generator */
    int64_t time_q16;     /* start of the phase in work */
    int64_t gen_s_q32;    /* path coordinate there */
    int64_t gen_v_q32;    /* speed at the start of the ramp in work */
    int64_t seg_s_q32;    /* start of the segment in work */
    int64_t phase_t_q16;  /* its duration */
    int64_t c_q32[3];     /* its path polynomial in u = 0..1: c[0] u + c[1] u^2 + c[2] u^3 */
    int64_t left_t_q16, left_s_q32; /* of a cruise that is cut into phases */
    struct pw_span span;  /* the phase, for the motors */
    int64_t u0_q32, u1_q32; /* piece in work */
    int64_t pos_nm[PW_MOTORS]; /* exact position at the start of the segment in work: x y z, and e per extruder */
    int32_t phase;        /* 0: fetch a ramp; 1 to 3 */
    int32_t piece;        /* a piece is in work */
    int32_t motor;        /* bit per motor whose steps of the piece are made, */
    int32_t turn;         /* and whose turn it is */
    int32_t seg_ready;    /* the motors' fields hold the segment in work, */
    int32_t seg_follows;  /* or the one before it */
    int32_t seg_ends;     /* the segment ends with the piece */

    int64_t cap2_q48;  /* square of the speed cap_um_s, and acceleration of accel_um_s2: most lines have those of the line before */
    int64_t accel_q32;
    int32_t cap_um_s, accel_um_s2;
    struct pw_kin kin;
    const struct pw_mesh_state *mesh; /* in force, or NULL */

    /* natural units */
    int64_t unit_um_s_q64;  /* um/s to Q32: multiply, shift by 32 */
    int64_t unit_um_s2_q64;
    int64_t jerk_q32;
    int64_t top_q32; /* no speed is higher */
    int64_t safe_um_s; /* below it no motor of an axis gets near its pulse rate */
    int64_t curve_nm;
    int64_t setup_q16;
    int64_t dense_q32; /* least time of PW_DENSE segments */

    /* marks, by running number: out <= fired <= open <= head; those from `open` on lie behind segments that are not final */
    uint32_t mark_head, mark_open, mark_fired, mark_out;

    /* the tracks that follow the path; n_tracks = 0: motors straight from phases (pw_gen.c) */
    int32_t n_tracks;
    int32_t all_tracks;    /* n_tracks where there are tracks */
    int32_t tool;          /* whose e the pieces hold */
    int32_t unsettled;     /* pw_planner: the last thing pushed was a line, */
    int32_t line_tool;     /* of this extruder */
    uint32_t piece_size;   /* of the ring of pieces, a power of two */
    uint32_t piece_joined; /* pieces that were too short (diagnosis) */
    int64_t front_q16;     /* the pieces' end */
    int64_t delay_q16;     /* of everything, so that shapers may look ahead */
    int64_t reach_q16;     /* longest lag: time from the end of motion until all stands */
    int64_t half_q16;      /* half the smoothing window */
    int64_t us_q32;        /* Q16 ticks of a us, 32 bits more */

    /* What follows has memory only where there are tracks (pw_planner_size): history of the path, and the tracks. */
    uint32_t piece_head;
    uint32_t piece_tail;   /* no track looks back to before this piece */
    int32_t piece_open;    /* `brief` holds a stretch that is too short yet; its end: */
    int64_t open_end_q16;
    struct pw_stretch brief;
    int64_t piece_min_q16; /* least time of PW_PIECE_MEAN pieces */
    int64_t inv_half_q32;  /* 2^half_scale / half */
    int32_t half_scale;
    int32_t phase_scale;   /* of the phase in work, */
    int64_t phase_inv_q32; /* 2^phase_scale / duration */
    int64_t seg_at_q32[4], seg_rate_q32[4]; /* segment in work: start in mm, and change a mm of path */
    int64_t seg_advance_q16, seg_push_q32; /* its pressure advance; that times the extrusion a mm */
    int64_t seg_accel_q32;
    int64_t last_rate_q32[4]; /* of the last stretch: change a mm of path, */
    int64_t last_push_q32;    /* pressure advance times that of e, */
    int32_t last_jerk;        /* sign of the path's jerk */
    int32_t corner;           /* the next stretch does not go on as the last one ended */
    int64_t sense_q32[4];     /* what a change of an axis' jerk counts */
    int64_t corner_q32;       /* what a change of its speed may be without breaking a cubic: mm/U */
    int64_t push_q32, flow_q32; /* and a change of extrusion and of its speed, where that is smoothed */
    int64_t join_q16;         /* longest slice that breaks may be joined to; 0: none */
    int64_t smooth_q16[4];    /* longest slice of smoothed extrusion, by class (pw_follow.c) */
    int64_t strength_q32;     /* of the others: what breaks may add up to (pw_follow.c) */
    struct pw_shaping shaping[5]; /* x y z, PW_AXIS_E, PW_AXIS_SMOOTH */
    int64_t matrix_q32[PW_MOTORS][3]; /* steps a mm of each axis; of the extruders in [0] */
    int64_t origin_q32[PW_MOTORS];    /* steps where all axes are 0 */
    struct pw_track tracks[PW_TRACKS]; /* the last member: as many as the machine may need */
};

/* Branches of features that this build does without go away with these. */
static inline int pw_has_tracks(const struct pw_planner *pl) { return PW_WITH_TRACKS && pl->n_tracks; }
static inline const struct pw_mesh_state *pw_mesh_of(const struct pw_planner *pl) { return PW_WITH_MESH ? pl->mesh : (const struct pw_mesh_state *)0; }

static inline uint32_t pw_marks_size(const struct pw_config *cfg) { return (uint32_t)cfg->ring_marks + PW_OPEN_MARKS; }
static inline int32_t pw_seg_tool(const struct pw_seg *sg) { return (int32_t)(sg->flags >> PW_SEG_TOOL & 7); }
#if defined(PW_SMALL) && !defined(PW_PLANNER_HERE)
struct pw_seg *pw_seg_at(const struct pw_planner *pl, uint32_t n);
struct pw_ramp *pw_ramp_at(const struct pw_planner *pl, uint32_t n);
#else
PW_LEAN struct pw_seg *pw_seg_at(const struct pw_planner *pl, uint32_t n) { return &pl->segs[n % pl->capacity]; }
PW_LEAN struct pw_ramp *pw_ramp_at(const struct pw_planner *pl, uint32_t n) { return &pl->ramps[n % pl->ramps_size]; }
#endif
static inline int32_t pw_ramps_room(const struct pw_planner *pl) { return (int32_t)pl->ramps_size - PW_RAMPS_WAIT; }

static inline int64_t pw_speed(const struct pw_planner *pl, int64_t um_s) { return pw_mulshift(um_s, pl->unit_um_s_q64, 32); }
int64_t pw_accel(struct pw_planner *pl, int32_t um_s2);

/* Squares of speeds at junctions: 26 bits and a shift. */
static inline uint32_t pw_pack_v2(int64_t v2_q48)
{
    int sh = 38 - pw_clz64((uint64_t)v2_q48);
    if (sh < 0) sh = 0;
    return (uint32_t)(v2_q48 >> sh) | (uint32_t)sh << 26;
}
#define PW_NO_JCAP ((uint32_t)35 << 26 | 0x3FFFFFF) /* 2^61: above the square of any speed */
static inline int64_t pw_unpack_v2(uint32_t packed) { return (int64_t)(packed & 0x3FFFFFF) << (packed >> 26); }

int64_t pw_cap2(struct pw_planner *pl, int32_t um_s);
static inline int32_t pw_seg_cap(const struct pw_seg *sg) { return sg->flags & PW_SEG_DWELL ? 0 : sg->cruise_um_s; }
/* Squared speed at which neither of two segments is too fast. */
static inline int64_t pw_both_cap2(struct pw_planner *pl, const struct pw_seg *a, const struct pw_seg *b)
{
    int32_t u = pw_seg_cap(a), v = pw_seg_cap(b);
    return pw_cap2(pl, u < v ? u : v);
}
/* Time of a dwell in Q32 U. */
static inline int64_t pw_seg_dwell(const struct pw_seg *sg) { return ((int64_t)sg->cruise_um_s << 32) + (uint32_t)sg->accel_um_s2; }

int pw_full(const struct pw_planner *pl); /* nothing more is let into the queue */
int64_t pw_last_end(const struct pw_planner *pl); /* path coordinate behind the last segment */
/* Has look-ahead all that it may wait for?  A full window, or as many marks as can wait. */
int pw_must_look(const struct pw_planner *pl);
/* pw_look.c: 1 when ramps were added, 0 when more segments or room are needed, PW_E_ASSERT when a single line has no profile. */
int32_t pw_look(struct pw_planner *pl);
/* pw_gen.c: units of work done, 0 when rings are full or no ramp is there. */
int32_t pw_gen(struct pw_planner *pl, int32_t budget);
int64_t pw_motor_position(const struct pw_planner *pl, int32_t motor, const int64_t nm[PW_MOTORS]); /* steps Q32 */

#endif
