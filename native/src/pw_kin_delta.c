/* Linear delta: three carriages on vertical rails, height = z + sqrt(arm^2 - distance^2), distance seen from above (spec motion 10). */
#include "pw_kin.h"

#define PW_TOUCH_Q32 (((int64_t)1 << 32) / 1000) /* 1 um */
enum { PW_RATIO = 3, PW_TURNS = 40 }; /* carriage speed to path speed, at most, within the bed: 9/10 of the arm's length squared */

/* 1 / sqrt of 8/32 to 31/32 in Q15, each for the 32nd that begins there: to 3 % */
static const uint16_t pw_rsqrt_q15[24] = {63662, 60203, 57253, 54700, 52460, 50476, 48701, 47101, 45649, 44324, 43108, 41987,
                                          40949, 39985, 39085, 38244, 37455, 36713, 36013, 35352, 34726, 34132, 33567, 33030};

/* The root of q in Q40, 0 < q < 2^62, as mm Q32, rounded down to 2^-57 of it, and its reciprocal: *over_q30 / 2^(30 + 12 - *shift).
 * Newton's iteration for 1 / sqrt, which needs no division, then one step for the root itself. */
static int64_t pw_root(uint64_t q_q40, uint32_t *over_q30, int *shift)
{
    int n = pw_clz64(q_q40) & ~1, i;
    uint64_t m = q_q40 << n, y, r;
    uint32_t a = (uint32_t)(m >> 32); /* Q32 in [1/4, 1) */
    int64_t root_q31;
    y = (uint64_t)pw_rsqrt_q15[(a >> 27) - 8] << 15; /* errors: 3e-2, 1.4e-3, 3e-6, below 2^-29 */
    for (i = 0; i < 3; i++) {
        uint64_t t = pw_umul64((uint32_t)(pw_umul64(a, (uint32_t)y) >> 32), (uint32_t)y) >> 30;
        y = pw_umul64((uint32_t)(UINT64_C(0xC0000000) - t), (uint32_t)y) >> 31;
        if (y > UINT64_C(0x7FFFFFFF)) y = UINT64_C(0x7FFFFFFF);
    }
    r = pw_umul64(a, (uint32_t)y) >> 30; /* off by less than 16 */
    if (r > UINT64_C(0xFFFFFFFF)) r = UINT64_C(0xFFFFFFFF);
    root_q31 = (int64_t)(r << 31) + pw_mulshift((int64_t)(m - r * r), (int64_t)y, 32);
    *over_q30 = (uint32_t)y;
    *shift = n / 2;
    return root_q31 >> (19 + n / 2);
}

/* From the tower to the joint, seen from above; the square of what is left of the arm in Q40, 0 when it does not reach. */
static uint64_t pw_arm(const struct pw_kin *k, int32_t tower, const int64_t at_q32[3], int64_t d[2])
{
    int64_t left = k->of.delta.arm2_q40;
    int i;
    for (i = 0; i < 2; i++) {
        d[i] = at_q32[i] - k->of.delta.tower_q32[tower][i];
        if (pw_abs64(d[i]) >= k->of.delta.arm_q32) return 0; /* so squares are below 2^62 */
        left -= pw_mulshift(d[i], d[i], 24);
    }
    return left > 0 ? (uint64_t)left : 0;
}

int64_t pw_delta_height(const struct pw_kin *k, int32_t motor, const int64_t at_q32[3], const int64_t *v_q32, int64_t *change_q32)
{
    int64_t d[2], height;
    uint64_t left = pw_arm(k, motor, at_q32, d);
    uint32_t over;
    int shift;
    if (v_q32) *change_q32 = v_q32[2];
    if (left == 0) return at_q32[2];
    height = pw_root(left, &over, &shift);
    if (v_q32) *change_q32 -= pw_mulshift(pw_mulshift(d[0], v_q32[0], 32) + pw_mulshift(d[1], v_q32[1], 32), over, 42 - shift);
    return height + at_q32[2];
}

void pw_delta_init(struct pw_kin *k, const struct pw_config *cfg)
{
    int64_t arm = pw_nm_q32((int64_t)cfg->arm_um * 1000);
    int i;
    k->of.delta.arm_q32 = arm;
    k->of.delta.arm2_q40 = pw_mulshift(arm, arm, 24);
    k->of.delta.far2_q40 = k->of.delta.arm2_q40 / (PW_RATIO * PW_RATIO + 1) * (PW_RATIO * PW_RATIO);
    for (i = 0; i < 3; i++) {
        k->of.delta.tower_q32[i][0] = pw_nm_q32((int64_t)cfg->tower_x_um[i] * 1000);
        k->of.delta.tower_q32[i][1] = pw_nm_q32((int64_t)cfg->tower_y_um[i] * 1000);
    }
    k->of.delta.top_q32 = 0;
    if (cfg->top_um) { /* of the lowest */
        int64_t over[3] = {0, 0, pw_nm_q32((int64_t)cfg->top_um * 1000)}, top = INT64_MAX;
        for (i = 0; i < 3; i++) top = pw_min64(top, pw_delta_height(k, i, over, 0, 0));
        k->of.delta.top_q32 = top;
    }
}

static int64_t pw_far_um(int64_t x, int64_t y) { return (int64_t)pw_isqrt64((uint64_t)(x * x + y * y)) + 1; } /* each below 2^23 */

/* The farthest that a joint gets from a tower, in um. */
static int64_t pw_farthest(const struct pw_config *cfg, int i)
{
    int64_t x = pw_max64(pw_abs64((int64_t)cfg->max_um[0] - cfg->tower_x_um[i]), pw_abs64((int64_t)cfg->min_um[0] - cfg->tower_x_um[i]));
    int64_t y = pw_max64(pw_abs64((int64_t)cfg->max_um[1] - cfg->tower_y_um[i]), pw_abs64((int64_t)cfg->min_um[1] - cfg->tower_y_um[i]));
    int64_t corner = pw_far_um(x, y);
    if (cfg->bed_radius_um == 0) return corner;
    return pw_min64(corner, pw_far_um(cfg->tower_x_um[i], cfg->tower_y_um[i]) + cfg->bed_radius_um);
}

static int64_t pw_extent(const struct pw_config *cfg, int axis)
{
    return pw_max64((int64_t)cfg->max_um[axis] - cfg->home_um[axis], (int64_t)cfg->home_um[axis] - cfg->min_um[axis]);
}

const int32_t *pw_delta_check(const struct pw_config *cfg)
{
    const int32_t *x = cfg->tower_x_um, *y = cfg->tower_y_um;
    int64_t arm2 = (int64_t)cfg->arm_um * cfg->arm_um, cross, lean, farthest = 0;
    int i;
    /* towers well apart, so that three heights say one place */
    cross = ((int64_t)x[1] - x[0]) * ((int64_t)y[2] - y[0]) - ((int64_t)x[2] - x[0]) * ((int64_t)y[1] - y[0]);
    if (pw_abs64(cross) < arm2 / 16) return &cfg->tower_x_um[0];
    if (cfg->top_um && cfg->top_um < cfg->home_um[2]) return &cfg->top_um;
    lean = (pw_abs64(cfg->skew_1e6[0]) * pw_extent(cfg, 1) + /* below 2^40 each */
            (pw_abs64(cfg->skew_1e6[1]) + 2 * pw_abs64(cfg->skew_1e6[2])) * pw_extent(cfg, 2)) / 1000000;
    for (i = 0; i < 3; i++) farthest = pw_max64(farthest, pw_farthest(cfg, i));
    if (farthest * farthest > arm2 / (PW_RATIO * PW_RATIO + 1) * (PW_RATIO * PW_RATIO)) return &cfg->arm_um;
    farthest += lean;
    if (farthest * farthest > arm2 / (PW_RATIO * PW_RATIO + 1) * (PW_RATIO * PW_RATIO)) return &cfg->skew_1e6[0];
    return (const int32_t *)0;
}

static int32_t pw_arms(const struct pw_kin *k, const int64_t at_q32[3])
{
    int64_t d[2];
    int32_t i;
    for (i = 0; i < 3; i++)
        if (pw_arm(k, i, at_q32, d) < (uint64_t)(k->of.delta.arm2_q40 - k->of.delta.far2_q40)) return PW_E_REACH;
    return PW_OK;
}

int32_t pw_delta_guard(const struct pw_kin *k, const int64_t at_q32[3])
{
    int32_t i;
    if (pw_arms(k, at_q32)) return PW_E_REACH;
    if (!k->of.delta.top_q32 || at_q32[2] <= k->of.delta.top_q32 - k->of.delta.arm_q32) return PW_OK;
    for (i = 0; i < 3; i++)
        if (pw_delta_height(k, i, at_q32, 0, 0) > k->of.delta.top_q32 + PW_TOUCH_Q32) return PW_E_REACH;
    return PW_OK;
}

/* Along a line a carriage's height is concave: highest where its change is 0, which bisection finds to 2^-24 of the line. */
int32_t pw_delta_guard_line(const struct pw_kin *k, const int64_t from_q32[3], const int64_t to_q32[3])
{
    int64_t way[3], at[3], change;
    int32_t i, m, turn;
    for (i = 0; i < 3; i++) way[i] = to_q32[i] - from_q32[i];
    for (m = 0; m < 3; m++) {
        int64_t lo = 0, hi = (int64_t)1 << 32;
        for (turn = 0; turn < 24; turn++) {
            int64_t mid = (lo + hi) / 2;
            for (i = 0; i < 3; i++) at[i] = from_q32[i] + pw_mulshift(way[i], mid, 32);
            if (pw_delta_height(k, m, at, way, &change) > k->of.delta.top_q32 + PW_TOUCH_Q32) return PW_E_REACH;
            if (change > 0) lo = mid;
            else hi = mid;
        }
    }
    return PW_OK;
}

/* Newton's iteration from under the middle of the towers.  Differences of two heights do not depend on z, so x and y come from two
 * equations. */
int32_t pw_delta_place(const struct pw_kin *k, const int64_t height_q32[3], int64_t at_q32[3])
{
    int64_t jump = k->of.delta.arm_q32 / 4;
    int32_t i, turn;
    at_q32[0] = at_q32[1] = at_q32[2] = 0;
    for (i = 0; i < 3; i++) {
        at_q32[0] += k->of.delta.tower_q32[i][0] / 3;
        at_q32[1] += k->of.delta.tower_q32[i][1] / 3;
    }
    for (turn = 0; turn < PW_TURNS; turn++) {
        int64_t slope_q28[3][2], miss[3], a, b, c, d, p, q, det, e[2], z = 0;
        for (i = 0; i < 3; i++) {
            int64_t off[2] = {0, 0};
            uint64_t left = pw_arm(k, i, at_q32, off);
            uint32_t over;
            int shift;
            /* the arms never get flatter than 1 : 16 on the way */
            left = left > (uint64_t)k->of.delta.arm2_q40 >> 8 ? left : (uint64_t)k->of.delta.arm2_q40 >> 8;
            miss[i] = height_q32[i] - pw_root(left, &over, &shift);
            slope_q28[i][0] = -pw_mulshift(off[0], over, 46 - shift);
            slope_q28[i][1] = -pw_mulshift(off[1], over, 46 - shift);
        }
        a = slope_q28[0][0] - slope_q28[2][0];
        b = slope_q28[0][1] - slope_q28[2][1];
        c = slope_q28[1][0] - slope_q28[2][0];
        d = slope_q28[1][1] - slope_q28[2][1];
        p = miss[0] - miss[2];
        q = miss[1] - miss[2];
        det = pw_mulshift(a, d, 28) - pw_mulshift(b, c, 28);
        if (pw_abs64(det) < 1 << 16) return PW_E_REACH;
        e[0] = pw_mulshift(p, d, 28) - pw_mulshift(q, b, 28);
        e[1] = pw_mulshift(q, a, 28) - pw_mulshift(p, c, 28);
        for (i = 0; i < 2; i++) {
            e[i] = pw_sdivq32(det < 0 ? -e[i] : e[i], pw_abs64(det));
            e[i] = pw_asr(e[i], 4); /* a quotient by Q28 */
            e[i] = pw_max64(pw_min64(e[i], jump), -jump);
            at_q32[i] += e[i];
        }
        for (i = 0; i < 3; i++) z += miss[i];
        at_q32[2] = z / 3;
        if (pw_abs64(e[0]) <= 4 && pw_abs64(e[1]) <= 4) {
            at_q32[2] = height_q32[0] - (pw_delta_height(k, 0, at_q32, 0, 0) - at_q32[2]);
            return pw_arms(k, at_q32);
        }
    }
    return PW_E_REACH;
}
