/* Motion commands: target, guard, then pieces into the merge.  Everything is checked before anything of the move is queued, and
 * alike in a scan. */
#include "pw_front.h"
#include "pw_math.h"

void pw_guard_init(struct pw_guard *g, const struct pw_config *cfg, int32_t side)
{
    int64_t area = 16 * (int64_t)cfg->nozzle_um * cfg->nozzle_um; /* at most 16 * 1e8 */
    int32_t i;
    for (i = 0; i < 3; i++) {
        int64_t length = (int64_t)cfg->max_um[i] - cfg->min_um[i]; /* the second context may start anywhere: one length more */
        g->min_nm[i] = (cfg->min_um[i] - (side ? length : 0)) * 1000;
        g->max_nm[i] = (cfg->max_um[i] + (side ? length : 0)) * 1000;
        g->home_nm[i] = (int64_t)cfg->home_um[i] * 1000;
    }
    /* cross section at most 4 nozzle^2: e / length <= 16 nozzle^2 / (pi filament^2) */
    g->e_ratio_q24 = pw_min64(pw_divq32(area, (int64_t)cfg->filament_um * cfg->filament_um) / 804, 4 << 24); /* 2^8 pi */
    g->nozzle_nm = (int64_t)cfg->nozzle_um * 1000;
    g->e_only_nm = (int64_t)cfg->max_e_only_um * 1000;
    /* 2^29 steps, so that even with twice the flow counts stay below 2^31 */
    g->e_total_nm = pw_min64(((int64_t)1 << 29) * 1000000000 / cfg->steps_per_m[3], (int64_t)1 << 44);
    g->merge_nm = (int64_t)cfg->merge_um * 1000;
    g->chord_nm = (int64_t)cfg->chord_um * 1000;
}

/* Target of the words X Y Z E; d_e is the change of e. */
static int32_t pw_target(struct pw_front *f, int64_t to[4], int64_t *d_e)
{
    const struct pw_modal *md = &f->modal;
    int64_t nm;
    int32_t axis;
    for (axis = 0; axis < 3; axis++) {
        to[axis] = md->pos_nm[axis];
        if (!(f->text.words & pw_bit(PW_LETTER_X + axis))) continue;
        if (pw_word_nm(f, PW_LETTER_X + axis, &nm)) return pw_fail_at(f, PW_LETTER_X + axis, PW_E_NUMBER);
        to[axis] = md->relative ? to[axis] + nm : nm;
        if (to[axis] < f->guard.min_nm[axis] || to[axis] > f->guard.max_nm[axis]) return pw_fail_at(f, PW_LETTER_X + axis, PW_E_VOLUME);
    }
    to[3] = md->pos_nm[3];
    *d_e = 0;
    if (f->text.words & pw_bit(PW_LETTER_E)) {
        if (pw_word_nm(f, PW_LETTER_E, &nm)) return pw_fail_at(f, PW_LETTER_E, PW_E_NUMBER);
        *d_e = md->relative || md->relative_e ? nm : nm - to[3]; /* both below 2^58 */
        to[3] += *d_e;
    }
    return PW_OK;
}

/* Extrusion: length nm of path, 0 for the extruder alone. */
static int32_t pw_guard_e(struct pw_front *f, int64_t d_e, int64_t length)
{
    int64_t total;
    if (d_e > f->guard.e_only_nm || -d_e > f->guard.e_only_nm) {
        /* pulled back along the way, or without moving: at most what an extruder-only move may */
        if (length == 0 || d_e < 0) return pw_fail_at(f, PW_LETTER_E, PW_E_EXTRUSION);
    }
    if (length > 0 && d_e > 0 && d_e > pw_mulshift(pw_max64(length, f->guard.nozzle_nm), f->guard.e_ratio_q24, 24))
        return pw_fail_at(f, PW_LETTER_E, PW_E_EXTRUSION);
    if (d_e > 2 * f->guard.e_total_nm || -d_e > 2 * f->guard.e_total_nm) return pw_fail_at(f, PW_LETTER_E, PW_E_EXTRUSION);
    total = f->modal.e_total_nm + d_e;
    if (total > f->guard.e_total_nm || -total > f->guard.e_total_nm) return pw_fail_at(f, PW_LETTER_E, PW_E_EXTRUSION);
    return PW_OK;
}

static int64_t pw_length_nm(const int64_t a[4], const int64_t b[4])
{
    uint64_t sum = 0;
    int64_t big = 0;
    int i, sh;
    for (i = 0; i < 3; i++) big = pw_max64(big, pw_abs64(b[i] - a[i]));
    sh = 33 - pw_clz64((uint64_t)big); /* so that each is below 2^31 */
    if (sh < 0) sh = 0;
    for (i = 0; i < 3; i++) {
        int64_t d = pw_abs64(b[i] - a[i]) >> sh;
        sum += (uint64_t)(d * d);
    }
    return (int64_t)pw_isqrt64(sum) << sh;
}

/* The longest component: a lower bound of the length that costs no root. */
static int64_t pw_reach_nm(const int64_t a[4], const int64_t b[4])
{
    return pw_max64(pw_abs64(b[0] - a[0]), pw_max64(pw_abs64(b[1] - a[1]), pw_abs64(b[2] - a[2])));
}

static int32_t pw_feedrate(struct pw_front *f)
{
    int64_t v, um_s;
    if (!(f->text.words & pw_bit(PW_LETTER_F))) return PW_OK;
    if (!(f->text.numbered & pw_bit(PW_LETTER_F))) return pw_fail_at(f, PW_LETTER_F, PW_E_NUMBER);
    v = f->text.value[PW_LETTER_F]; /* 1e-6 a minute */
    if (v <= 0) return pw_fail_at(f, PW_LETTER_F, PW_E_FEEDRATE);
    um_s = f->modal.inch ? v / 60 * 254 / 10000 : v / 60000;
    f->modal.feed_um_s = (int32_t)pw_max64(pw_min64(um_s, INT32_MAX), 1);
    return PW_OK;
}

/* A travel from where the stage stands to the machine coordinates `to` (e: change). */
static void pw_travel_begin(struct pw_front *f, struct pw_travel *tr, const int64_t to[3], int64_t d_e, int32_t velocity, int32_t accel)
{
    struct pw_stage *st = f->stage;
    int64_t scaled = d_e * st->flow_permille + st->flow_rest, q = scaled / 1000; /* d_e below 2^48: see e_total_nm */
    int32_t i;
    if (scaled - q * 1000 < 0) q--;
    st->flow_rest = scaled - q * 1000;
    for (i = 0; i < 4; i++) tr->from_nm[i] = st->at_nm[i];
    for (i = 0; i < 3; i++) tr->to_nm[i] = to[i];
    tr->to_nm[3] = st->at_nm[3] + q;
    tr->velocity_um_s = velocity;
    tr->accel_um_s2 = accel;
    tr->k = 0;
    if (!tr->arc) {
        int64_t length = 0;
        for (i = 0; i < 4; i++) length = pw_max64(length, pw_abs64(tr->to_nm[i] - tr->from_nm[i]));
        tr->n = (int32_t)(length / PW_PIECE_NM) + 1;
    }
    f->todo |= PW_TODO_TRAVEL;
}

static int32_t pw_scale_speed(int32_t um_s, int32_t permille)
{
    int64_t v = (int64_t)um_s * permille / 1000;
    return (int32_t)pw_max64(pw_min64(v, INT32_MAX), 1);
}

int32_t pw_move(struct pw_front *f, int32_t number)
{
    struct pw_modal *md = &f->modal;
    uint32_t axes = pw_bit(PW_LETTER_X) | pw_bit(PW_LETTER_Y) | pw_bit(PW_LETTER_Z) | pw_bit(PW_LETTER_E);
    uint32_t allowed = axes | pw_bit(PW_LETTER_F), arc = pw_bit(PW_LETTER_I) | pw_bit(PW_LETTER_J) | pw_bit(PW_LETTER_R);
    struct pw_travel scratch, *tr = f->stage ? &f->stage->travel : &scratch;
    int64_t to[4], d_e, length;
    int32_t i, err, accel;
    if (number >= 2) allowed |= arc;
    if (f->text.words & ~allowed)
        for (i = 0; i < PW_WORDS; i++)
            if (f->text.words & ~allowed & pw_bit(i)) return pw_fail_at(f, i, PW_E_SYNTAX);
    if ((err = pw_feedrate(f))) return err;
    if (number < 2 && !(f->text.words & axes)) return PW_OK;
    if ((err = pw_target(f, to, &d_e))) return err;
    if (md->feed_um_s == 0) return pw_fail_at(f, -1, PW_E_NO_FEEDRATE);
    tr->arc = number >= 2;
    if (tr->arc) {
        if (md->plane != 17) return pw_fail_at(f, -1, PW_E_PLANE);
        if ((err = pw_arc_solve(f, number == 2, md->pos_nm, to, tr, &length))) return err;
    } else {
        length = pw_reach_nm(md->pos_nm, to);
        if (length > 0 && d_e > pw_mulshift(length, f->guard.e_ratio_q24, 24)) length = pw_length_nm(md->pos_nm, to);
    }
    if ((err = pw_guard_e(f, d_e, length))) return err;
    f->moves++;
    md->e_total_nm += d_e;
    for (i = 0; i < 4; i++) md->pos_nm[i] = to[i];
    if (!f->stage) return PW_OK;
    accel = length == 0 ? md->retract_accel_um_s2 : d_e > 0 ? md->print_accel_um_s2 : md->travel_accel_um_s2;
    if (length) accel = (int32_t)pw_min64(accel, md->accel_um_s2);
    i = pw_scale_speed(md->feed_um_s, f->stage->speed_permille);
    if (length) i = (int32_t)pw_min64(i, md->velocity_um_s);
    pw_travel_begin(f, tr, to, d_e, i, accel);
    return PW_OK;
}

/* G28: the named axes travel to their home position, x and y together at full speed, then z. */
int32_t pw_home_travel(struct pw_front *f, uint32_t words)
{
    struct pw_modal *md = &f->modal;
    uint32_t xyz = pw_bit(PW_LETTER_X) | pw_bit(PW_LETTER_Y) | pw_bit(PW_LETTER_Z);
    int32_t i;
    if (!(words & xyz)) words = xyz;
    for (i = 0; i < 2; i++)
        if (words & pw_bit(PW_LETTER_X + i)) md->pos_nm[i] = f->guard.home_nm[i];
    f->todo |= PW_TODO_PUSH | PW_TODO_FLUSH;
    if (words & pw_bit(PW_LETTER_Z)) f->todo |= PW_TODO_HOME_Z;
    if (f->stage) {
        f->stage->travel.arc = 0;
        pw_travel_begin(f, &f->stage->travel, md->pos_nm, 0, f->cfg->max_velocity_um_s, f->cfg->max_accel_um_s2);
    }
    return PW_OK;
}

/* The second half of a G28. */
void pw_home_z(struct pw_front *f)
{
    f->modal.pos_nm[2] = f->guard.home_nm[2];
    if (f->stage) {
        f->stage->travel.arc = 0;
        pw_travel_begin(f, &f->stage->travel, f->modal.pos_nm, 0, f->modal.axis_velocity_um_s[2], f->cfg->max_accel_um_s2);
    }
}

int32_t pw_travel_run(struct pw_front *f)
{
    struct pw_stage *st = f->stage;
    struct pw_travel *tr = &st->travel;
    const struct pw_modal *md = &f->modal;
    struct pw_line ln;
    int32_t i, err;
    for (; tr->k < tr->n; tr->k++) {
        int32_t k = tr->k + 1;
        for (i = 0; i < 4; i++) ln.from_nm[i] = st->at_nm[i];
        if (k == tr->n) {
            for (i = 0; i < 4; i++) ln.to_nm[i] = tr->to_nm[i];
        } else {
            for (i = 0; i < 4; i++) { /* k below 2^20, differences below 2^41 */
                int64_t d = tr->to_nm[i] - tr->from_nm[i];
                ln.to_nm[i] = tr->from_nm[i] + d / tr->n * k + d % tr->n * k / tr->n;
            }
            if (tr->arc) {
                pw_arc_point(tr, k, ln.to_nm);
                for (i = 0; i < 2; i++) ln.to_nm[i] = pw_max64(pw_min64(ln.to_nm[i], f->guard.max_nm[i]), f->guard.min_nm[i]);
            }
        }
        ln.velocity_um_s = tr->velocity_um_s;
        ln.accel_um_s2 = tr->accel_um_s2;
        ln.corner_um_s = md->corner_um_s;
        ln.e_corner_um_s = md->e_corner_um_s;
        for (i = 0; i < 3; i++) {
            ln.axis_velocity_um_s[i] = md->axis_velocity_um_s[i];
            ln.axis_accel_um_s2[i] = md->axis_accel_um_s2[i];
        }
        ln.e_velocity_um_s = md->e_velocity_um_s;
        ln.e_accel_um_s2 = md->e_accel_um_s2;
        ln.tool = 0;
        ln.advance_us = 0;
        err = pw_merge_line(&st->merge, st->planner, &ln, f->guard.merge_nm);
        if (err) return err;
        for (i = 0; i < 4; i++) st->at_nm[i] = ln.to_nm[i];
    }
    return PW_OK;
}
