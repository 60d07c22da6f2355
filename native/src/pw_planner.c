/* The queue of lines: natural units, memory, dwells, flushes, marks; what is asked of the planner from outside. */
#define PW_PLANNER_HERE
#include "pw_planner.h"
#include "pw_history.h"
#include "pw_math.h"
#include "pw_follow.h"

static size_t pw_align(size_t n) { return (n + 7) & ~(size_t)7; }

/* Look-ahead, and what is final and waits for the generator, so that the feeder may be away for a while.  The curve rule reads back
 * a part of the window. */
static uint32_t pw_capacity(const struct pw_config *cfg)
{
    return (uint32_t)(cfg->window + pw_max64(cfg->window / PW_BACK, cfg->queue_segments) + 8);
}

/* Of the tracks' part of the planner there is as much as the machine needs. */
static size_t pw_planner_part(const struct pw_config *cfg)
{
    size_t tracks = cfg->kinematics == PW_DELTA ? 2 : cfg->kinematics == PW_COREXY || cfg->kinematics == PW_COREXZ ? 3 : PW_TRACKS;
    if (pw_history_size(cfg) == 0) return pw_align(offsetof(struct pw_planner, piece_head));
    return pw_align(offsetof(struct pw_planner, tracks) + tracks * sizeof(struct pw_track));
}

size_t pw_planner_size(const struct pw_config *cfg, int32_t ramps)
{
    size_t n = pw_planner_part(cfg);
    n += pw_align((size_t)cfg->motors * sizeof(struct pw_motor));
    n += pw_align(pw_capacity(cfg) * sizeof(struct pw_seg));
    n += pw_align((size_t)ramps * sizeof(struct pw_ramp));
    n += pw_align((size_t)cfg->motors * (size_t)cfg->ring_runs * sizeof(struct pw_steprun));
    n += pw_align((size_t)pw_marks_size(cfg) * sizeof(struct pw_markrec));
    n += (size_t)pw_history_size(cfg) * sizeof(struct pw_piece);
    return n;
}

size_t pw_scratch_size(const struct pw_config *cfg)
{
    return pw_align(((size_t)cfg->window + 2) * sizeof(struct pw_knot)) + (size_t)cfg->window * sizeof(int64_t);
}

/* Speeds of um/s become mm/U in Q32: v * 65536 / tick_hz / 1000 * 2^32, kept with 32 more bits. */
static int64_t pw_unit(int64_t tick_hz, int64_t per, int squared)
{
    /* 2^64 * U^n / per as floor: by 32 bits, then 32 more */
    int64_t u_q32 = pw_divq32(65536, tick_hz); /* U in seconds */
    int64_t x = squared ? pw_mulshift(u_q32, pw_divq32(65536, tick_hz), 32) : u_q32;
    /* the second factor loses bits of U^2 at high tick rates only below 1e-6 of the limit, downwards */
    return pw_divq32(x, per);
}

void pw_planner_init(struct pw_planner *pl, const struct pw_config *cfg, int32_t ramps, void *scratch)
{
    char *at = (char *)pl + pw_planner_part(cfg);
    int64_t u_q32, hz = cfg->tick_hz;
    static const int64_t zero[PW_MOTORS] = {0};
    int32_t m;
    pl->cfg = cfg;
    pl->cap2_q48 = 0;
    pl->accel_q32 = 1;
    pl->cap_um_s = pl->accel_um_s2 = 0;
    pw_kin_init(&pl->kin, cfg);
    pl->mesh = 0;
    pl->capacity = pw_capacity(cfg);
    pl->v2_q48 = scratch;
    pl->knots = (struct pw_knot *)(void *)(pl->v2_q48 + cfg->window);
    pl->motors = (struct pw_motor *)(void *)at;
    at += pw_align((size_t)cfg->motors * sizeof(struct pw_motor));
    pl->segs = (struct pw_seg *)(void *)at;
    at += pw_align(pl->capacity * sizeof(struct pw_seg));
    pl->ramps = (struct pw_ramp *)(void *)at;
    pl->ramps_size = (uint32_t)ramps;
    at += pw_align((size_t)ramps * sizeof(struct pw_ramp));
    pl->runs = (struct pw_steprun *)(void *)at;
    at += pw_align((size_t)cfg->motors * (size_t)cfg->ring_runs * sizeof(struct pw_steprun));
    pl->marks = (struct pw_markrec *)(void *)at;
    at += pw_align((size_t)pw_marks_size(cfg) * sizeof(struct pw_markrec));
    pl->pieces = (struct pw_piece *)(void *)at;
    pl->piece_size = pw_history_size(cfg);

    u_q32 = pw_divq32(65536, hz);
    pl->unit_um_s_q64 = pw_unit(hz, 1000, 0);
    pl->unit_um_s2_q64 = pw_unit(hz, 1000, 1);
    pl->top_q32 = pw_mulshift(pw_max64(cfg->max_velocity_um_s, cfg->max_e_velocity_um_s), pl->unit_um_s_q64, 32);
    /* jerk * U^3, one factor after the other so that no product passes 63 bits */
    pl->jerk_q32 = pw_mulshift(pw_mulshift(pw_mulshift((int64_t)cfg->max_jerk_mm_s3 << 24, u_q32, 32), u_q32, 32), u_q32, 24);
    pl->dense_q32 = (int64_t)PW_DENSE * cfg->min_segment_us * hz / 1000000 << 16; /* below 16 * 1e5 * 2e8 */
    pl->curve_nm = (int64_t)cfg->curve_um * 1000;
    /* a reversal keeps the direction's set-up, and the pulse rate too */
    pl->setup_q16 = pw_max64(((int64_t)cfg->dir_setup_ns * hz / 1000000 << 16) / 1000, (hz << 16) / cfg->max_step_hz);
    for (m = 0; m < pl->cfg->motors; m++) /* 2^64 / 1e9 steps a nm, exact to 1e-17 */
        pl->motors[m].scale_q64 = pw_divq32((int64_t)cfg->steps_per_m[m] << 32, 1000000000);
    pw_tracks_init(pl);
    for (pl->safe_um_s = INT32_MAX, m = 0; m < 3; m++)
        pl->safe_um_s = pw_min64(pl->safe_um_s, (int64_t)cfg->max_step_hz * 1000000 / pw_kin_most(&pl->kin, m));
    pw_planner_begin(pl, zero, 0);
}

int64_t pw_motor_position(const struct pw_planner *pl, int32_t motor, const int64_t nm[PW_MOTORS])
{
    int64_t at[3];
    int i;
    if (motor > 2) return pw_mulshift(nm[motor], pl->motors[motor].scale_q64, 32);
    if (!pw_mesh_of(pl)) return pw_kin_position_nm(&pl->kin, motor, nm);
    for (i = 0; i < 3; i++) at[i] = pw_nm_q32(nm[i]);
    at[2] += pw_mesh_lift(pl->mesh, at, 0);
    return pw_kin_position(&pl->kin, motor, at);
}

int64_t pw_cap2(struct pw_planner *pl, int32_t um_s)
{
    if (pl->cap_um_s != um_s) {
        int64_t v = pw_speed(pl, um_s);
        pl->cap_um_s = um_s;
        pl->cap2_q48 = pw_mulshift(v, v, 16);
    }
    return pl->cap2_q48;
}

int64_t pw_accel(struct pw_planner *pl, int32_t um_s2)
{
    if (um_s2 == PW_NO_LIMIT) return (int64_t)1 << 40;
    if (pl->accel_um_s2 != um_s2) {
        pl->accel_um_s2 = um_s2;
        pl->accel_q32 = pw_max64(pw_mulshift(um_s2, pl->unit_um_s2_q64, 32), 1);
    }
    return pl->accel_q32;
}

void pw_planner_begin(struct pw_planner *pl, const int64_t position_nm[PW_MOTORS], const int64_t *counts)
{
    int32_t m;
    pl->head = pl->open = pl->done = pl->flushes = pl->dense_from = 0;
    pl->plan_s_q32 = pl->plan_v_q32 = 0;
    pl->plan_again = pl->forced = pl->broken = 0;
    pl->fine = 0;
    pl->look.stage = 0;
    pl->gen_v_q32 = 0;
    pl->ramp_head = pl->ramp_tail = 0;
    pl->final_q16 = pl->time_q16 = 0;
    pl->gen_s_q32 = pl->seg_s_q32 = 0;
    pl->phase = pl->piece = pl->motor = pl->turn = pl->seg_ready = pl->seg_follows = pl->seg_ends = 0;
    pl->u0_q32 = pl->u1_q32 = pl->left_t_q16 = pl->left_s_q32 = 0;
    pl->mark_head = pl->mark_open = pl->mark_fired = pl->mark_out = 0;
    pl->unit_q30[0] = pl->unit_q30[1] = pl->unit_q30[2] = pl->ratio_q24 = 0;
    for (m = 0; m < PW_MOTORS; m++) pl->pos_nm[m] = position_nm[m];
    for (m = 0; m < pl->cfg->motors; m++) {
        struct pw_motor *mo = &pl->motors[m];
        mo->direction = 0;
        mo->chunk = 8;
        mo->pace_q16 = 0;
        mo->last_q16 = INT64_MIN / 2;
        mo->head = mo->tail = 0;
    }
    pl->tool = pl->line_tool = pl->unsettled = 0;
    pl->piece_joined = 0;
    pl->front_q16 = 0;
    pw_tracks_reset(pl);
    for (m = 0; m < pl->cfg->motors; m++)
        pl->motors[m].count = counts ? counts[m] : pw_asr(pw_motor_position(pl, m, position_nm) + ((int64_t)1 << 31), 32);
}

int pw_must_look(const struct pw_planner *pl)
{
    return pl->head - pl->open >= (uint32_t)pl->cfg->window || pl->mark_head - pl->mark_open >= PW_OPEN_MARKS;
}

/* While look-ahead is at work on a window that no flush ends, or has to begin, nothing is added: neither may depend on what came in between. */
static int pw_closed(const struct pw_planner *pl) { return pw_must_look(pl) || (pl->look.stage != 0 && !pl->look.flush); }

/* What look-ahead has begun with stays until it is through. */
int pw_full(const struct pw_planner *pl)
{
    uint32_t keep = pl->look.stage != 0 && (int32_t)(pl->look.first - pl->done) < 0 ? pl->look.first : pl->done;
    return pw_closed(pl) || pl->head - keep >= pl->capacity - 1;
}

int64_t pw_last_end(const struct pw_planner *pl)
{
    /* the last segment's slot outlives the segment until it is pushed over */
    return pl->head ? pw_seg_at(pl, pl->head - 1)->end_q32 : 0;
}

static int32_t pw_push_dwell(struct pw_planner *pl, int64_t time_q16, uint32_t flags)
{
    struct pw_seg *sg;
    int i;
    if (pw_full(pl)) return PW_E_FULL;
    sg = pw_seg_at(pl, pl->head);
    for (i = 0; i < 4; i++) sg->d_nm[i] = 0;
    sg->flags = PW_SEG_DWELL | PW_SEG_CURVE | flags;
    sg->cruise_um_s = (int32_t)(time_q16 >> 32);
    sg->accel_um_s2 = (int32_t)(uint32_t)time_q16;
    sg->jcap = 0;
    sg->end_q32 = pw_last_end(pl);
    if (pl->head != pl->open) {
        struct pw_seg *before = pw_seg_at(pl, pl->head - 1);
        before->jcap = 0;
        before->flags |= PW_SEG_CURVE;
    }
    pl->head++;
    pl->dense_from = pl->head;
    pl->unsettled = 0;
    return PW_OK;
}

int32_t pw_plan_dwell(struct pw_planner *pl, int64_t ticks)
{
    if (ticks < 0 || ticks > ((int64_t)1 << 40)) return PW_E_ARG;
    if (ticks == 0) return pw_plan_flush(pl);
    return pw_push_dwell(pl, (ticks << 16) + (pl->unsettled ? pl->reach_q16 : 0), 0);
}

int32_t pw_plan_mark(struct pw_planner *pl, uint32_t id)
{
    uint32_t at;
    if (pl->mark_head - pl->mark_out >= pw_marks_size(pl->cfg)) return PW_E_FULL;
    at = pl->mark_head % pw_marks_size(pl->cfg);
    pl->marks[at].id = id;
    pl->marks[at].tick = (uint64_t)((pl->time_q16 + (pl->unsettled ? pl->delay_q16 : 0)) >> 16);
    pl->marks[at].reserved = pl->head;
    pl->mark_head++;
    if (pl->head == pl->open) pl->mark_open = pl->mark_head;
    if (pl->head == pl->done && pl->mark_fired == pl->mark_head - 1) pl->mark_fired = pl->mark_head;
    return PW_OK;
}

int32_t pw_plan_flush(struct pw_planner *pl)
{
    if (pl->reach_q16 && pl->unsettled) { /* until the shapers' tails are over, and the next motion's begin is not */
        int32_t err = pw_push_dwell(pl, pl->reach_q16, PW_SEG_FLUSH);
        if (err == PW_OK) pl->flushes++;
        return err;
    }
    if (pl->head != pl->open) {
        struct pw_seg *last = pw_seg_at(pl, pl->head - 1);
        if (!(last->flags & PW_SEG_FLUSH)) {
            /* a full window is looked at first, so that it does not matter whether that has happened before this call */
            if (pw_closed(pl)) return PW_E_FULL;
            pl->dense_from = pl->head;
            last->flags |= PW_SEG_FLUSH | PW_SEG_CURVE;
            last->jcap = 0;
            pl->flushes++;
        }
    }
    return PW_OK;
}

int32_t pw_plan_place(struct pw_planner *pl, const int64_t position_nm[PW_MOTORS])
{
    int32_t m;
    if (pl->head != pl->done || !pw_tracks_idle(pl)) return PW_E_FULL;
    for (m = 0; m < PW_MOTORS; m++) pl->pos_nm[m] = position_nm[m];
    pl->seg_follows = 0;
    pw_tracks_reset(pl);
    for (m = 0; m < pl->cfg->motors; m++)
        pl->motors[m].count = pw_asr(pw_motor_position(pl, m, position_nm) + ((int64_t)1 << 31), 32);
    return PW_OK;
}

static int pw_idle(const struct pw_planner *pl) { return pl->head == pl->done && (!pw_has_tracks(pl) || pw_tracks_idle(pl)); }

void pw_planner_place_of(const struct pw_planner *pl, const struct pw_kin *machine, int64_t position_nm[PW_MOTORS])
{
    int64_t at_q32[3];
    int32_t m, done = pw_idle(pl);
    for (m = 0; m < PW_MOTORS; m++) position_nm[m] = pl->pos_nm[m];
    if (!done) /* counts below 2^31, 1e9 nm: below 2^61 */
        for (m = 3; m < pl->cfg->motors; m++) position_nm[m] = pl->motors[m].count * 1000000000 / pl->cfg->steps_per_m[m];
    if (done && !pw_kin_is_skewed(&pl->kin) && !pl->mesh) return;
    for (m = 0; m < 3; m++) at_q32[m] = done ? pw_motor_position(pl, m, pl->pos_nm) : pl->motors[m].count * ((int64_t)1 << 32);
    pw_kin_place_nm(machine, at_q32, position_nm); /* counts of a planned motion belong to a place, or the one before stays */
}

const struct pw_kin *pw_planner_kin(const struct pw_planner *pl) { return &pl->kin; }

void pw_planner_mesh(struct pw_planner *pl, const struct pw_mesh_state *mesh)
{
    pl->mesh = mesh;
    pl->seg_follows = 0;
    pw_tracks_reset(pl);
}

int pw_planner_stands(const struct pw_planner *pl, const int64_t at_nm[3])
{
    if (!pw_idle(pl)) return 0;
    return !at_nm || (pl->pos_nm[0] == at_nm[0] && pl->pos_nm[1] == at_nm[1] && pl->pos_nm[2] == at_nm[2]);
}

enum { PW_TURN = 256 }; /* units of the generator for one of look-ahead, so that both get on */

int32_t pw_planner_run(struct pw_planner *pl, int32_t budget)
{
    int32_t done = 0, n, looked;
    while (done < budget) {
        n = pw_gen(pl, (int32_t)pw_min64(budget - done, PW_TURN));
        if (n < 0) return n;
        done += n;
        looked = pw_look(pl);
        if (looked < 0) return looked;
        if (n + looked == 0) break;
        done++;
    }
    return done;
}

int32_t pw_planner_steps(struct pw_planner *pl, int32_t motor, struct pw_steprun *out, int32_t n)
{
    struct pw_motor *mo;
    struct pw_steprun *ring;
    uint32_t size = (uint32_t)pl->cfg->ring_runs, at;
    int32_t i = 0;
    if (motor < 0 || motor >= PW_MOTORS || n < 0) return PW_E_ARG;
    if (motor >= pl->cfg->motors) return 0;
    mo = &pl->motors[motor];
    ring = pl->runs + (size_t)motor * size;
    if (mo->tail == mo->head) return 0;
    for (at = mo->tail % size; i < n && mo->tail != mo->head; i++, mo->tail++) {
        out[i] = ring[at];
        if (++at == size) at = 0;
    }
    return i;
}

int32_t pw_planner_marks(struct pw_planner *pl, struct pw_markrec *out, int32_t n)
{
    int32_t i = 0;
    for (; i < n && pl->mark_out != pl->mark_fired; i++) {
        out[i] = pl->marks[pl->mark_out++ % pw_marks_size(pl->cfg)];
        out[i].reserved = 0;
    }
    return i;
}

/* Every step of the motors straight from phases is made before this time: of those through with the piece in work (`done`), or of the others. */
static int64_t pw_made_q16(const struct pw_planner *pl, int done)
{
    int64_t one = (int64_t)1 << 32, u = pl->u0_q32;
    if (pl->piece && done) u = pl->u1_q32;
    else if (u == one) u = 0; /* the phase is over, and in time_q16 */
    return pl->time_q16 + (u == one ? pl->phase_t_q16 : pw_mulshift(pl->phase_t_q16, u, 32));
}

void pw_planner_status(const struct pw_planner *pl, struct pw_status *status)
{
    int64_t made[2] = {pw_made_q16(pl, 0), pw_made_q16(pl, 1)};
    int32_t m;
    status->segments = (int64_t)(pl->head - pl->done);
    status->planned_tick = (pw_has_tracks(pl) ? pl->front_q16 : pl->time_q16) >> 16;
    status->final_tick = pl->final_q16 >> 16;
    for (m = 0; m < PW_MOTORS; m++) {
        int there = m < pl->cfg->motors;
        status->count[m] = there ? pl->motors[m].count : 0;
        status->made_tick[m] = !there ? 0 : (pw_has_tracks(pl) ? pw_track_made_q16(pl, m) : made[pl->motor >> m & 1]) >> 16;
    }
    status->idle = pw_idle(pl);
}
