/* The path behind the present, as pieces that tracks look back at. */
#ifndef PW_HISTORY_H
#define PW_HISTORY_H
#include "pw_math.h"
#include "pw_planner.h"

enum {
    PW_PIECE_SCALE = 28, /* at least, so that derivatives keep their digits */
    PW_PIECE_MEAN = 16, /* pieces over which density is measured */
    PW_PIECE_SPARE = 8, /* places in the ring beyond what the longest lag holds */
    PW_MOMENT = 1 << 14, /* 1/4 tick */
    /* What breaks where a stretch begins.  Of an axis: the change of its jerk, in parts of PW_JUMP_UNIT of the jerk limit (times what the motors make of
     * it).  Of smoothed extrusion: class of its second derivative from there on, the bits of mm/U^2 Q32.  A slice ends where it is more than PW_CLASS, or
     * PW_CORNER. */
    PW_JUMP_UNIT = 8,
    PW_CLASS = 63,
    PW_CORNER = 127
};

/* Places in the ring; 0 for a machine whose motors need no pieces. */
uint32_t pw_history_size(const struct pw_config *cfg);
/* All stands from the front on, and has always. */
void pw_history_reset(struct pw_planner *pl);
/* All stands at pos_nm, with the mesh. */
void pw_history_rest(struct pw_planner *pl, int64_t start_q16, int64_t end_q16);
/* 1: the time is so short that it is left to the next stretch. */
int pw_history_moment(const struct pw_planner *pl, int64_t start_q16, int64_t end_q16);
/* What breaks between the last stretch and this one, of which are given: each axis' change a mm of path, pressure advance times that of e,
 * sign of the path's jerk, speed at the start and acceleration at most (mm/U, mm/U^2). */
struct pw_onset {
    const int64_t *rate_q32;
    int64_t push_q32, speed_q32, accel_q32;
    int32_t jerk;
};
void pw_history_breaks(struct pw_planner *pl, struct pw_stretch *st, const struct pw_onset *on);
/* Is there room for one more call of pw_history_add? */
int pw_history_room(struct pw_planner *pl);
/* The stretch that ends at end_q16.  Where they come too densely, they become longer ones (Hermite). */
void pw_history_add(struct pw_planner *pl, struct pw_stretch *p, int64_t end_q16);

static inline struct pw_piece *pw_piece_at(const struct pw_planner *pl, uint32_t n) { return &pl->pieces[n & (pl->piece_size - 1)]; }

static inline int64_t pw_piece_end(const struct pw_planner *pl, uint32_t n)
{
    return n + 1 == pl->piece_head ? pl->front_q16 : pw_piece_at(pl, n + 1)->start_q16;
}

/* n with 2^n >= span, at least PW_PIECE_SCALE */
int32_t pw_scale_of(int64_t span_q16);
/* span / 2^scale, Q32 */
static inline int64_t pw_share(int64_t span_q16, int32_t scale)
{
    return scale <= 32 ? span_q16 * ((int64_t)1 << (32 - scale)) : span_q16 >> (scale - 32);
}
/* x * 2^n */
static inline int64_t pw_scaled(int64_t x, int32_t n) { return n >= 0 ? pw_shl(x, n) : pw_asr(x, -n < 63 ? -n : 63); }
/* Place and speed (mm/U) of an axis of the piece at a time within it. */
int64_t pw_piece_place(const struct pw_piece *p, int32_t axis, int64_t time_q16, int64_t *speed_q32);
/* The polynomial of an axis. */
void pw_piece_axis(const struct pw_piece *p, int32_t axis, int64_t k_q32[4]);
/* The polynomial k from w on, over a time 2^-down of its own. */
void pw_shift(const int64_t k_q32[4], int64_t w_q32, int32_t down, int64_t out_q32[4]);
/* The cubic from (p0, slope v0) to (p1, v1) at w = 1 / inv; k[0], k[1] hold p0, v0. */
void pw_hermite(int64_t k_q32[4], int64_t p1, int64_t v1, int64_t inv_q32);

#endif
