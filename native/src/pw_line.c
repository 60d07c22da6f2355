/* A line on its way into the queue: its limits in natural units, the junction with the one before, the density of lines. */
#include "pw_planner.h"

#define PW_SHARP_Q30 929887697 /* cos 30 degrees */
#define PW_MM_Q64 INT64_C(18446744073710) /* 2^64 / 1e6: nm to mm */

/* Length of a vector of nm (each below 2^31) as a normalised integer: length = value / 2^shift, value near 2^31. */
static int64_t pw_norm(const int32_t *d, int *shift)
{
    uint64_t sum = 0;
    int i, sh;
    for (i = 0; i < 3; i++) sum += (uint64_t)((int64_t)d[i] * d[i]); /* at most 3 * 2^62 */
    sh = pw_clz64(sum) & ~1;
    *shift = sh / 2;
    return pw_isqrt64(sum << sh);
}

/* Squares of speeds at junctions are cut to six bits after the first, at most 0.8 % of the speed: so that limits which differ
 * by the rounding of coordinates alone become one. */
static int64_t pw_coarse(int64_t v2)
{
    int sh = 64 - 7 - pw_clz64((uint64_t)v2);
    return sh > 0 ? v2 >> sh << sh : v2;
}

/* v^2 = corner^2 (sqrt 2 - 1) s / (1 - s), s = sin of half the angle between the lines (spec motion 3). */
static int64_t pw_corner2(int64_t corner_q32, int64_t cos_q30)
{
    int64_t one = (int64_t)1 << 30, s, rest, k_q48, q_q28;
    if (cos_q30 < -one) cos_q30 = -one;
    if (cos_q30 > one) cos_q30 = one;
    s = pw_isqrt64((uint64_t)(one + cos_q30) << 29);
    rest = one - s;
    if (rest < 64) return INT64_MAX; /* s / rest stays below 2^24 */
    k_q48 = pw_mulshift(pw_mulshift(corner_q32, corner_q32, 16), 1779033704, 32); /* (sqrt 2 - 1) 2^32 */
    q_q28 = pw_divq32(s, rest) >> 4;
    /* at least 2^62, which is beyond every cap */
    if (pw_clz64((uint64_t)k_q48 | 1) + pw_clz64((uint64_t)q_q28 | 1) < 37) return INT64_MAX;
    return pw_mulshift(k_q48, q_q28, 28);
}

static void pw_join(struct pw_planner *pl, struct pw_seg *a, const struct pw_line *ln, const struct pw_seg *b,
                    const int64_t unit[3], int64_t ratio)
{
    int64_t both = pw_both_cap2(pl, a, b), cap = both, cos_q30, jump;
    int a_moves = (a->d_nm[0] | a->d_nm[1] | a->d_nm[2]) != 0, b_moves = (b->d_nm[0] | b->d_nm[1] | b->d_nm[2]) != 0;
    if ((a->flags & PW_SEG_DWELL) || a_moves != b_moves) {
        a->jcap = 0;
        a->flags |= PW_SEG_CURVE;
        return;
    }
    if (!a_moves) { /* two lines of the extruder alone */
        a->flags |= PW_SEG_CURVE;
        a->jcap = (a->d_nm[3] < 0) == (b->d_nm[3] < 0) ? PW_NO_JCAP : 0;
        return;
    }
    cos_q30 = pw_asr(pl->unit_q30[0] * unit[0] + pl->unit_q30[1] * unit[1] + pl->unit_q30[2] * unit[2], 30);
    if (cos_q30 < PW_SHARP_Q30) a->flags |= PW_SEG_SHARP;
    cap = pw_min64(cap, pw_corner2(pw_speed(pl, ln->corner_um_s), cos_q30));
    jump = pw_abs64(ratio - pl->ratio_q24);
    if (jump > 0) {
        int64_t v = pw_divq32(pw_speed(pl, ln->e_corner_um_s) >> 8, jump); /* Q24 / Q24 */
        if (v < ((int64_t)1 << 38)) cap = pw_min64(cap, pw_mulshift(v, v, 16));
    }
    a->jcap = cap == both ? PW_NO_JCAP : pw_pack_v2(pw_coarse(cap));
}

/* The mean time of the last 16 segments is at least min_segment_us: those still open are slowed alike. */
static void pw_thin(struct pw_planner *pl)
{
    uint32_t n = pl->head - PW_DENSE;
    int64_t v;
    if (pl->head - pl->dense_from < PW_DENSE) return;
    v = pw_seg_at(pl, pl->head - 1)->end_q32 - (n ? pw_seg_at(pl, n - 1)->end_q32 : 0);
    v = pw_mulshift(pw_divq32(v, pl->dense_q32), (int64_t)pl->cfg->tick_hz * 1000, 48); /* mm/U to um/s: below 2^76 before the shift */
    for (; n != pl->head; n++) {
        struct pw_seg *sg = pw_seg_at(pl, n);
        if ((int32_t)(n - pl->open) < 0 || sg->cruise_um_s <= v) continue;
        sg->cruise_um_s = (int32_t)pw_max64(v, 1);
    }
}

/* The lower of x and a / b; divides only where that is the lower one. */
static int64_t pw_min_ratio(int64_t x, int64_t a, int64_t b)
{
    if ((x | b) >> 32 == 0) return pw_umul64((uint32_t)x, (uint32_t)b) <= (uint64_t)a ? x : pw_div(a, b);
    return pw_product_le(x, b, a, 1) ? x : pw_div(a, b);
}

/* Speed and acceleration at which z keeps its limits while it follows the mesh. */
static void pw_follow(const struct pw_planner *pl, const struct pw_line *ln, const int64_t unit_q30[3], int64_t *v, int64_t *a)
{
    const struct pw_mesh_state *m = pl->mesh;
    int64_t up = pw_abs64(unit_q30[2]), z = up + pw_mulshift(up, m->steep_q30, 30); /* more than the way itself where the mesh fades */
    if (z > 0) *a = pw_min_ratio(*a, (int64_t)ln->axis_accel_um_s2[2] << 30, z);
    if (unit_q30[0] | unit_q30[1]) {
        z += m->slope_q30;
        *v = pw_min64(*v, m->velocity_um_s);
        *a = pw_min64(*a, m->accel_um_s2);
    }
    if (z > 0) *v = pw_min_ratio(*v, (int64_t)ln->axis_velocity_um_s[2] << 30, z);
}

/* The speed at which the motors of the axes keep their pulse rate.  Along a line the height of a carriage of a delta is concave, so it
 * is fastest at one of the ends. */
static int64_t pw_pulse_rate(const struct pw_planner *pl, const struct pw_line *ln, const int64_t unit_q30[3], int64_t v)
{
    static const int64_t up[3] = {0, 0, (int64_t)1 << 32};
    int64_t way[3], at[2][3];
    int32_t i, m, end;
    if (v <= pl->safe_um_s) return v;
    for (i = 0; i < 3; i++) {
        way[i] = unit_q30[i] * 4;
        at[0][i] = pw_nm_q32(ln->from_nm[i]);
        at[1][i] = pw_nm_q32(ln->to_nm[i]);
    }
    for (end = pw_kin_is_linear(&pl->kin); end < 2; end++)
        for (m = 0; m < 3; m++) {
            int64_t per = pw_abs64(pw_kin_velocity(&pl->kin, m, at[end], way)); /* steps a mm, Q32 */
            if (pw_mesh_of(pl)) {
                int64_t z = pw_abs64(pw_kin_velocity(&pl->kin, m, at[end], up));
                per += pw_mulshift(z, pl->mesh->slope_q30 + pl->mesh->steep_q30, 30);
            }
            per = pw_mulshift(per, 1000, 32);
            if (per > 0) v = pw_min_ratio(v, (int64_t)pl->cfg->max_step_hz * 1000000, per);
        }
    return v;
}

int32_t pw_plan_line(struct pw_planner *pl, const struct pw_line *ln)
{
    struct pw_seg *sg;
    int64_t unit[3] = {0, 0, 0}, ratio = 0, len_q32, v, a, e_nm;
    int i, shift, moves, e_motor = 3 + ln->tool;
    if (pl->reach_q16 && pl->unsettled && ln->tool != pl->line_tool && pw_plan_flush(pl) != PW_OK) return PW_E_FULL;
    if (pw_full(pl)) return PW_E_FULL;
    sg = pw_seg_at(pl, pl->head);
    for (i = 0; i < 4; i++) {
        e_nm = ln->to_nm[i] - ln->from_nm[i];
        if (e_nm > INT32_MAX || e_nm < -INT32_MAX) return PW_E_ARG;
        sg->d_nm[i] = (int32_t)e_nm;
    }
    moves = (sg->d_nm[0] | sg->d_nm[1] | sg->d_nm[2]) != 0;
    if (!moves && sg->d_nm[3] == 0) return PW_OK;
    sg->flags = (uint32_t)ln->tool << PW_SEG_TOOL | (uint32_t)ln->advance_us << PW_SEG_ADVANCE;
    pl->unsettled = 1;
    pl->line_tool = ln->tool;
    v = pw_min64(pl->cfg->max_velocity_um_s, ln->velocity_um_s);
    a = pw_min64(ln->accel_um_s2, pl->cfg->max_accel_um_s2);
    e_nm = pw_abs64(sg->d_nm[3]);
    if (moves) {
        int64_t norm = pw_norm(sg->d_nm, &shift); /* length in nm = norm / 2^shift */
        int64_t m;
        pw_divisor_t by = pw_by(norm);
        for (i = 0; i < 3; i++)
            if (sg->d_nm[i]) unit[i] = pw_div_by((int64_t)sg->d_nm[i] * ((int64_t)1 << shift) * ((int64_t)1 << 30), &by);
        len_q32 = pw_mulshift(norm, PW_MM_Q64, 32 + shift);
        if (len_q32 < 1) len_q32 = 1;
        ratio = pw_min64(pw_div(e_nm << 24, pw_max64(norm >> shift, 1)), (int64_t)1 << 40);
        for (i = 0; i < 3; i++) {
            int64_t part = pw_abs64(unit[i]);
            if (part == 0) continue; /* a part is at most the whole */
            if (ln->axis_velocity_um_s[i] < v) v = pw_min_ratio(v, (int64_t)ln->axis_velocity_um_s[i] << 30, part);
            if (ln->axis_accel_um_s2[i] < a) a = pw_min_ratio(a, (int64_t)ln->axis_accel_um_s2[i] << 30, part);
        }
        if (ratio > 0) {
            v = pw_min_ratio(v, (int64_t)ln->e_velocity_um_s << 24, ratio);
            a = pw_min_ratio(a, (int64_t)ln->e_accel_um_s2 << 24, ratio);
        }
        if (sg->d_nm[3] < 0) ratio = -ratio;
        m = pw_mulshift(pw_min64(pw_abs64(ratio) << 6, (int64_t)1 << 40), pl->cfg->steps_per_m[e_motor], 30);
        if (m > 0) v = pw_min_ratio(v, (int64_t)pl->cfg->max_step_hz * 1000000, m);
        if (pw_mesh_of(pl) && pw_min64(ln->from_nm[2], ln->to_nm[2]) < pl->mesh->fade_to_nm) pw_follow(pl, ln, unit, &v, &a);
        v = pw_pulse_rate(pl, ln, unit, v);
    } else {
        len_q32 = pw_mulshift(e_nm, PW_MM_Q64, 32);
        v = pw_min64(pw_min64(ln->velocity_um_s, ln->e_velocity_um_s), (int64_t)pl->cfg->max_step_hz * 1000000 / pl->cfg->steps_per_m[e_motor]);
        a = pw_min64(a, ln->e_accel_um_s2);
    }
    v = pw_max64(v, 10);
    a = pw_max64(a, 1000);
    sg->cruise_um_s = (int32_t)v;
    sg->accel_um_s2 = (int32_t)a;
    sg->jcap = 0;
    if (pl->head != pl->open) {
        struct pw_seg *before = pw_seg_at(pl, pl->head - 1);
        if (!(before->flags & PW_SEG_FLUSH)) pw_join(pl, before, ln, sg, unit, ratio);
    }
    sg->end_q32 = pw_last_end(pl) + len_q32;
    for (i = 0; i < 3; i++) pl->unit_q30[i] = unit[i];
    pl->ratio_q24 = ratio;
    pl->head++;
    if (pl->dense_q32) pw_thin(pl);
    return PW_OK;
}
