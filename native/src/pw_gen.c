/* From ramps to motors.
 *
 * A phase is a stretch of time with a cubic path coordinate; a piece is the part of a phase within one segment.  Within a piece
 * each motor's position is a cubic in u = 0..1 over the phase, and its steps are made at once (pw_runs.h); or the piece goes into the
 * history, which the motors follow through shapers (pw_follow.h). */
#include "pw_curved.h"
#include "pw_history.h"
#include "pw_math.h"
#include "pw_runs.h"
#include "pw_follow.h"

enum { PW_RUNS_MORE = 16 }; /* runs that a call makes beyond its budget: less goes for calls */
#define PW_SNAP 8                       /* path coordinates that differ only by rounding */
#define PW_SHORT ((int64_t)1 << 27)
#define PW_PHASE_MAX ((int64_t)1 << 40) /* a cruise is cut into phases of 2^24 ticks */

/* -- phases and pieces ---------------------------------------------------------------------------------------------------------- */

static void pw_fire_marks(struct pw_planner *pl, int64_t t_q16)
{
    uint32_t size = pw_marks_size(pl->cfg);
    while (pl->mark_fired != pl->mark_head && (int32_t)(pl->done - pl->marks[pl->mark_fired % size].reserved) >= 0)
        pl->marks[pl->mark_fired++ % size].tick = (uint64_t)((t_q16 + 32768) >> 16);
}

static void pw_end_segment(struct pw_planner *pl, int64_t t_q16)
{
    const struct pw_seg *sg = pw_seg_at(pl, pl->done);
    int i;
    if (PW_WITH_SHAPING && !(sg->flags & PW_SEG_DWELL)) t_q16 += pl->delay_q16; /* a dwell is long enough for all to stand */
    for (i = 0; i < 3; i++) pl->pos_nm[i] += sg->d_nm[i];
    pl->pos_nm[3 + pw_seg_tool(sg)] += sg->d_nm[3];
    pl->seg_s_q32 = sg->end_q32;
    pl->seg_ready = 0;
    pl->done++;
    pw_fire_marks(pl, t_q16);
}

/* Can the segment move the motor?  Where each axis has its own, only along it. */
static int pw_moves(const struct pw_planner *pl, const struct pw_seg *sg, int32_t m)
{
    if (m > 2) return m == 3 + pw_seg_tool(sg);
    return sg->d_nm[m] || pl->kin.kind != PW_CARTESIAN || pw_kin_is_skewed(&pl->kin) || pw_mesh_of(pl);
}

static void pw_begin_segment(struct pw_planner *pl)
{
    const struct pw_seg *sg = pw_seg_at(pl, pl->done);
    int64_t to[PW_MOTORS], len = sg->end_q32 - pl->seg_s_q32;
    pw_divisor_t by = pw_by(len);
    int32_t m;
    for (m = 0; m < PW_MOTORS; m++) to[m] = pl->pos_nm[m];
    for (m = 0; m < 3; m++) to[m] += sg->d_nm[m];
    to[3 + pw_seg_tool(sg)] += sg->d_nm[3];
    if (pw_has_tracks(pl)) {
        for (m = 0; m < 4; m++) {
            int32_t axis = m < 3 ? m : 3 + pl->tool;
            pl->seg_at_q32[m] = pw_nm_q32(pl->pos_nm[axis]);
            pl->seg_rate_q32[m] = sg->d_nm[m] ? pw_sdivq32_by(pw_nm_q32(to[axis]) - pl->seg_at_q32[m], &by) : 0;
        }
        pl->seg_advance_q16 = pw_mulshift((int64_t)(sg->flags >> PW_SEG_ADVANCE), pl->us_q32, 32);
        pl->seg_push_q32 = pw_mulshift(pl->seg_rate_q32[PW_AXIS_E], pl->seg_advance_q16, 32);
        pl->seg_accel_q32 = pw_accel(pl, sg->accel_um_s2);
        pl->seg_ready = 1;
        return;
    }
    for (m = 0; m < pl->cfg->motors; m++) {
        struct pw_motor *mo = &pl->motors[m];
        if (pl->seg_follows) mo->start_q32 += mo->delta_q32;
        else mo->start_q32 = pw_motor_position(pl, m, pl->pos_nm);
        mo->delta_q32 = mo->rate_q32 = 0;
        if (!pw_moves(pl, sg, m)) continue;
        mo->delta_q32 = pw_motor_position(pl, m, to) - mo->start_q32;
        if (mo->delta_q32) mo->rate_q32 = pw_sdivq32_by(mo->delta_q32, &by);
    }
    pl->seg_follows = pl->seg_ready = 1;
}

/* Sets time and polynomial of the next phase of the ramp in work; 0 when the ramp is over. */
static int pw_next_phase(struct pw_planner *pl, const struct pw_ramp *r)
{
    int64_t dv = r->v1_q32 - pl->gen_v_q32, part, *c = pl->c_q32;
    if (r->tj_q32 == 0) {
        if (pl->phase == 0) {
            pl->left_t_q16 = r->ta_q32;
            pl->left_s_q32 = r->end_q32 - pl->gen_s_q32;
        }
        if (pl->left_t_q16 <= 0) return 0;
        pl->phase = 1;
        pl->phase_t_q16 = pw_min64(pl->left_t_q16, PW_PHASE_MAX);
        c[0] = pl->left_s_q32;
        if (pl->phase_t_q16 < pl->left_t_q16) c[0] = pw_mulshift(c[0], pw_divq32(pl->phase_t_q16, pl->left_t_q16), 32);
        c[1] = c[2] = 0;
        pl->left_t_q16 -= pl->phase_t_q16;
        pl->left_s_q32 -= c[0];
        return 1;
    }
    pl->phase++;
    if (pl->phase == 2 && r->ta_q32 == 0) pl->phase++;
    if (pl->phase > 3) return 0;
    part = pw_mulshift(dv, pw_divq32(r->tj_q32, r->tj_q32 + r->ta_q32), 33); /* gained under either jerk */
    pl->phase_t_q16 = pl->phase == 2 ? r->ta_q32 : r->tj_q32;
    if (pl->phase == 1) {
        c[0] = pw_mulshift(pl->gen_v_q32, r->tj_q32, 32);
        c[1] = 0;
        c[2] = pw_div(pw_mulshift(part, r->tj_q32, 32), 3);
    } else if (pl->phase == 2) {
        c[0] = pw_mulshift(pl->gen_v_q32 + part, r->ta_q32, 32);
        c[1] = pw_mulshift(dv - 2 * part, r->ta_q32, 33);
        c[2] = 0;
    } else {
        c[0] = pw_mulshift(r->v1_q32 - part, r->tj_q32, 32);
        c[1] = pw_mulshift(part, r->tj_q32, 32);
        c[2] = -pw_div(c[1], 3);
    }
    return 1;
}

static int pw_last_phase(const struct pw_planner *pl, const struct pw_ramp *r)
{
    return r->tj_q32 == 0 ? pl->left_t_q16 <= 0 : pl->phase == 3;
}

/* The motors over the piece in work, straight from the phase. */
static void pw_begin_motors(struct pw_planner *pl)
{
    int64_t ahead = pl->gen_s_q32 - pl->seg_s_q32;
    int32_t m, i;
    if (pl->u0_q32 == 0) pw_begin_span(&pl->span, pl->time_q16, pl->phase_t_q16);
    for (m = 0; m < pl->cfg->motors; m++) {
        struct pw_motor *mo = &pl->motors[m];
        int64_t rate = mo->rate_q32, base = mo->start_q32;
        mo->rising = mo->delta_q32 > 0 ? 1 : mo->delta_q32 < 0 ? -1 : 0;
        if (mo->rising < 0) {
            rate = -rate;
            base = -base;
        }
        if (mo->rising == 0) continue;
        pw_begin_part(mo, pl->u0_q32, pl->u1_q32, &pl->span);
        mo->base_q32 = base + pw_mulshift(rate, ahead, 32);
        for (i = 0; i < 3; i++) mo->k_q32[i] = pl->c_q32[i] ? pw_mulshift(rate, pl->c_q32[i], 32) : 0;
        if (pl->seg_ends) mo->to_q32 = base + pw_abs64(mo->delta_q32);
        else mo->to_q32 = pw_min64(mo->base_q32 + pw_cubic(mo->k_q32, pl->u1_q32), base + pw_abs64(mo->delta_q32));
        if (mo->k_q32[0] <= 0 && mo->k_q32[1] == 0 && mo->k_q32[2] == 0) mo->k_q32[0] = 1;
    }
    pl->motor = 0;
}

/* The time at u of the phase in work. */
static int64_t pw_time_at(const struct pw_planner *pl, int64_t u)
{
    return pl->time_q16 + (u == PW_ONE ? pl->phase_t_q16 : pw_mulshift(pl->phase_t_q16, u, 32));
}

/* The path from u0 on over 2^scale (s[1] to s[3]), where the phase is so short that its length says little about speed and acceleration. */
static void pw_short_phase(const struct pw_planner *pl, const struct pw_ramp *r, int32_t scale, int64_t s[4])
{
    int64_t dv = r->v1_q32 - pl->gen_v_q32, t = pw_mulshift(pl->phase_t_q16, pl->u0_q32, 32), part = 0, v = pl->gen_v_q32, a = 0, j = 0;
    int32_t down = scale - 32;
    if (r->tj_q32) {
        part = pw_mulshift(dv, pw_divq32(r->tj_q32, r->tj_q32 + r->ta_q32), 33);
        if (pl->phase > 1) {
            a = pw_min64(pw_divq32(2 * pw_abs64(part), r->tj_q32), pw_mulshift(pl->jerk_q32, r->tj_q32, 32));
            if (dv < 0) a = -a;
            v = pl->phase == 2 ? v + part : r->v1_q32 - part;
        }
        if (pl->phase != 2) j = (pl->phase == 1) == (dv > 0) ? pl->jerk_q32 : -pl->jerk_q32;
    }
    v += pw_mulshift(a + pw_mulshift(j, t, 33), t, 32);
    a += pw_mulshift(j, t, 32);
    s[1] = pw_scaled(v, down);
    s[2] = pw_scaled(a / 2, 2 * down);
    s[3] = pw_scaled(j / 6, 3 * down);
}

/* The piece in work goes into the history: its path's polynomial from u0 on, over a power two of ticks, times each axis' share.  0: too long for
 * the mesh. */
static int pw_keep_piece(struct pw_planner *pl, const struct pw_ramp *r)
{
    struct pw_stretch p;
    struct pw_onset on;
    int64_t end = pw_time_at(pl, pl->u1_q32), u = pl->u0_q32, f, s[4], *e = p.k_q32[PW_AXIS_E];
    const int64_t *c = pl->c_q32;
    int32_t a, j;
    p.start_q16 = pw_time_at(pl, u);
    if (u == 0) { /* of all pieces of the phase the longest scale */
        pl->phase_scale = pw_scale_of(pl->phase_t_q16);
        pl->phase_inv_q32 = pw_divq32((int64_t)1 << pl->phase_scale, pl->phase_t_q16);
    }
    if (pw_history_moment(pl, p.start_q16, end)) return 1;
    p.scale = pw_scale_of(end - p.start_q16);
    s[0] = pl->gen_s_q32 - pl->seg_s_q32 + pw_cubic(c, u);
    if (pl->phase_t_q16 < PW_SHORT) {
        pw_short_phase(pl, r, p.scale, s);
    } else {
        f = pw_asr(pl->phase_inv_q32, pl->phase_scale - p.scale); /* units of u in one of w */
        s[1] = c[0];
        s[2] = c[1];
        s[3] = c[2];
        if (u && (c[1] | c[2])) {
            int64_t bend = pw_mulshift(c[2], u, 32);
            s[2] += 3 * bend;
            s[1] += pw_mulshift(2 * c[1] + 3 * bend, u, 32);
        }
        s[1] = pw_mulshift(s[1], f, 32);
        for (j = 2; j < 4; j++)
            if (s[j]) s[j] = pw_mulshift(pw_mulshift(s[j], f, 32), j == 2 ? f : pw_mulshift(f, f, 32), 32);
    }
    for (a = 0; a < 4; a++)
        for (j = 0; j < 4; j++) p.k_q32[a][j] = (j ? 0 : pl->seg_at_q32[a]) + (s[j] ? pw_mulshift(s[j], pl->seg_rate_q32[a], 32) : 0);
    if (PW_WITH_SHAPING && pl->seg_advance_q16)
        for (j = 0; j < 3; j++) e[j] += pw_mulshift((j + 1) * e[j + 1], pl->seg_advance_q16, p.scale);
    if (pw_mesh_of(pl) && !pw_curved_mesh(pl, p.k_q32, pw_share(end - p.start_q16, p.scale))) return 0;
    on.rate_q32 = pl->seg_rate_q32;
    on.push_q32 = pl->seg_push_q32;
    on.speed_q32 = pw_scaled(s[1], 32 - p.scale);
    on.accel_q32 = r->tj_q32 ? pl->seg_accel_q32 : 0;
    on.jerk = r->tj_q32 == 0 || pl->phase == 2 ? 0 : (pl->phase == 1) == (r->v1_q32 > pl->gen_v_q32) ? 1 : -1;
    pw_history_breaks(pl, &p, &on);
    pw_history_add(pl, &p, end);
    return 1;
}

/* The part of the phase in work, from u0 on, within one segment. */
static void pw_begin_piece(struct pw_planner *pl, const struct pw_ramp *r)
{
    const struct pw_seg *sg = pw_seg_at(pl, pl->done);
    int64_t end = pl->gen_s_q32 + pl->c_q32[0] + pl->c_q32[1] + pl->c_q32[2];
    int32_t inside;
    if (pw_last_phase(pl, r)) end = r->end_q32;
    if (!pl->seg_ready) pw_begin_segment(pl);
    pl->u1_q32 = PW_ONE;
    /* a segment that ends with the ramp ends in its last phase, however short that is: behind it there may be nothing */
    inside = pw_last_phase(pl, r) || sg->end_q32 < r->end_q32 - PW_SNAP;
    pl->seg_ends = inside && sg->end_q32 <= end + PW_SNAP;
    if (inside && sg->end_q32 < end - PW_SNAP)
        pl->u1_q32 = pw_root(pl->c_q32, sg->end_q32 - pl->gen_s_q32, pl->u0_q32, PW_ONE, pl->u0_q32, PW_CLOSE / pl->phase_t_q16 + 1);
    pl->piece = 1;
    if (!pw_has_tracks(pl)) {
        pw_begin_motors(pl);
    } else {
        while (!pw_keep_piece(pl, r)) {
            pl->u1_q32 = pl->u0_q32 + (pl->u1_q32 - pl->u0_q32) / 2;
            pl->seg_ends = 0;
        }
    }
}

static int pw_end_piece(struct pw_planner *pl, const struct pw_ramp *r)
{
    int64_t t = pw_time_at(pl, pl->u1_q32);
    pl->piece = 0;
    if (pl->seg_ends) pw_end_segment(pl, t);
    pl->u0_q32 = pl->u1_q32;
    if (pl->u1_q32 < PW_ONE) return 0;
    pl->time_q16 = t;
    pl->gen_s_q32 = pw_last_phase(pl, r) ? r->end_q32 : pl->gen_s_q32 + pl->c_q32[0] + pl->c_q32[1] + pl->c_q32[2];
    return 1;
}

/* The segment in work belongs to another extruder than the pieces: 1 when that is settled, which takes until everything is made. */
static int pw_change_tool(struct pw_planner *pl)
{
    const struct pw_seg *sg = pw_seg_at(pl, pl->done);
    int32_t tool = pw_seg_tool(sg);
    if (tool == pl->tool || (sg->flags & PW_SEG_DWELL)) return 1;
    if (!pw_tracks_idle(pl)) return 0;
    pl->tool = tool;
    pw_tracks_reset(pl);
    return 1;
}

int32_t pw_gen(struct pw_planner *pl, int32_t budget)
{
    int32_t work = 0, i, m, full;
    while (work < budget) {
        const struct pw_ramp *r = pw_ramp_at(pl, pl->ramp_tail);
        int wait = pl->ramp_tail == pl->ramp_head;
        if (pw_has_tracks(pl) && !wait) wait = !pw_history_room(pl) || (!pl->seg_ready && pl->done != pl->head && !pw_change_tool(pl));
        if (wait) {
            if (!pw_has_tracks(pl) || !pw_tracks_run(pl, budget, &work)) break;
            continue;
        }
        if (!pl->piece) {
            if (pl->gen_v_q32 == 0 && r->v1_q32 == 0) { /* dwell */
                if (pl->done == pl->head) return PW_E_ASSERT;
                if (pw_has_tracks(pl)) pw_history_rest(pl, pl->time_q16, pl->time_q16 + r->ta_q32);
                pl->time_q16 += r->ta_q32;
                pw_end_segment(pl, pl->time_q16);
                pl->ramp_tail++;
                work++;
                continue;
            }
            if (pl->phase == 0 || pl->u0_q32 == PW_ONE) {
                if (!pw_next_phase(pl, r)) {
                    pl->phase = 0;
                    pl->u0_q32 = 0;
                    pl->gen_s_q32 = r->end_q32;
                    pl->gen_v_q32 = r->v1_q32;
                    pl->ramp_tail++;
                    continue;
                }
                pl->u0_q32 = 0;
            }
            if (pl->done == pl->head) return PW_E_ASSERT;
            pw_begin_piece(pl, r);
        }
        if (!pw_has_tracks(pl)) {
            for (i = 0, full = 0; i < pl->cfg->motors; i++) { /* a full ring keeps none of the others waiting */
                m = pl->turn;
                pl->turn = m + 1 < pl->cfg->motors ? m + 1 : 0; /* nor do they one whose ring the port empties all the time */
                if (pl->motor >> m & 1) continue;
                if (pw_make_runs(pl, m, &pl->span, &work, budget + PW_RUNS_MORE)) pl->motor |= 1 << m;
                else full = 1;
            }
            if (full) return work;
        }
        pw_end_piece(pl, r);
        work++;
    }
    return work;
}
