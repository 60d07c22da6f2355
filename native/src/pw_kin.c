/* Kinematics: dispatch, skew, and what is common to the way back. */
#include "pw_kin.h"

enum { PW_MM_FAR = 8000 }; /* no place is so far away: the second context's limits are below 6 m */

void pw_kin_init(struct pw_kin *k, const struct pw_config *cfg)
{
    int i;
    k->kind = cfg->kinematics;
    k->skewed = (cfg->skew_1e6[0] | cfg->skew_1e6[1] | cfg->skew_1e6[2]) != 0;
    k->radius_nm = (int64_t)cfg->bed_radius_um * 1000;
    for (i = 0; i < 3; i++) {
        k->step_q64[i] = pw_divq32((int64_t)cfg->steps_per_m[i] << 32, 1000000000); /* exact to 1e-17 of a step a nm */
        k->step_q44[i] = pw_divq32((int64_t)cfg->steps_per_m[i] << 12, 1000);
        k->mm_q44[i] = pw_divq32((int64_t)1000 << 12, cfg->steps_per_m[i]);
        k->home_nm[i] = (int64_t)cfg->home_um[i] * 1000;
        k->home_q32[i] = pw_nm_q32(k->home_nm[i]);
        k->skew_q32[i] = pw_sdivq32(cfg->skew_1e6[i], 1000000);
    }
    if (!pw_kin_is_linear(k)) pw_delta_init(k, cfg);
    else pw_linear_init(k, cfg);
}

const int32_t *pw_kin_check(const struct pw_config *cfg)
{
    return PW_WITH_DELTA && cfg->kinematics == PW_DELTA ? pw_delta_check(cfg) : pw_linear_check(cfg);
}

/* A program's place, or (home 0) direction, as the machine has to go: spec motion 13. */
static void pw_skew(const struct pw_kin *k, const int64_t at[3], const int64_t home[3], int64_t to[3])
{
    int64_t y = at[1] - home[1], z = at[2] - home[2], dy = pw_mulshift(z, k->skew_q32[2], 32);
    to[0] = at[0] - pw_mulshift(y - dy, k->skew_q32[0], 32) - pw_mulshift(z, k->skew_q32[1], 32);
    to[1] = at[1] - dy;
    to[2] = at[2];
}

static void pw_unskew(const struct pw_kin *k, int64_t at[3], const int64_t home[3])
{
    int64_t y = at[1] - home[1], z = at[2] - home[2];
    at[0] += pw_mulshift(y, k->skew_q32[0], 32) + pw_mulshift(z, k->skew_q32[1], 32);
    at[1] += pw_mulshift(z, k->skew_q32[2], 32);
}

static const int64_t pw_origin[3] = {0, 0, 0};

static int64_t pw_delta_both(const struct pw_kin *k, int32_t motor, const int64_t at[3], const int64_t *v, int64_t *velocity)
{
    int64_t place[3], way[3], height, change = 0;
    if (pw_kin_is_skewed(k)) {
        pw_skew(k, at, k->home_q32, place);
        at = place;
        if (v) {
            pw_skew(k, v, pw_origin, way);
            v = way;
        }
    }
    height = pw_delta_height(k, motor, at, v, &change);
    if (v) *velocity = pw_mulshift(change, k->step_q44[motor], 44);
    return pw_mulshift(height, k->step_q44[motor], 44);
}

int64_t pw_kin_position(const struct pw_kin *k, int32_t motor, const int64_t at_q32[3])
{
    if (!pw_kin_is_linear(k)) return pw_delta_both(k, motor, at_q32, 0, 0);
    return pw_linear_position(k, motor, at_q32);
}

int64_t pw_kin_position_nm(const struct pw_kin *k, int32_t motor, const int64_t at_nm[3])
{
    int64_t at[3];
    int i;
    if (pw_kin_is_linear(k)) return pw_linear_position_nm(k, motor, at_nm);
    for (i = 0; i < 3; i++) at[i] = pw_nm_q32(at_nm[i]);
    return pw_delta_both(k, motor, at, 0, 0);
}

int64_t pw_kin_velocity(const struct pw_kin *k, int32_t motor, const int64_t at_q32[3], const int64_t v_q32[3])
{
    int64_t velocity = 0;
    if (pw_kin_is_linear(k)) return pw_linear_velocity(k, motor, v_q32);
    pw_delta_both(k, motor, at_q32, v_q32, &velocity);
    return velocity;
}

void pw_kin_both(const struct pw_kin *k, int32_t motor, const int64_t at_q32[3], const int64_t v_q32[3], int64_t *position_q32,
                 int64_t *velocity_q32)
{
    if (!pw_kin_is_linear(k)) {
        *position_q32 = pw_delta_both(k, motor, at_q32, v_q32, velocity_q32);
    } else {
        *position_q32 = pw_linear_position(k, motor, at_q32);
        *velocity_q32 = pw_linear_velocity(k, motor, v_q32);
    }
}

int64_t pw_kin_most(const struct pw_kin *k, int32_t motor)
{
    int64_t most = 4 * k->step_q44[motor]; /* a delta: PW_RATIO and z; plain ones: two axes */
    int i;
    if (k->kind == PW_LINEAR || (pw_kin_is_linear(k) && pw_kin_is_skewed(k)))
        for (most = k->step_q44[motor], i = 0; i < 3; i++) most += 2 * pw_abs64(k->of.linear.row_q44[motor][i]);
    return (pw_mulshift(most, 1000, 44)) + 1;
}

int32_t pw_kin_place_nm(const struct pw_kin *k, const int64_t position_q32[3], int64_t at_nm[3])
{
    int64_t travel[3], at[3], d[3];
    int i, turn;
    for (i = 0; i < 3; i++) {
        if (pw_abs64(position_q32[i]) > pw_mulshift((int64_t)PW_MM_FAR << 32, k->step_q44[i], 44)) return PW_E_REACH;
        at[i] = k->home_q32[i];
    }
    if (!pw_kin_is_linear(k)) {
        int32_t err;
        for (i = 0; i < 3; i++) travel[i] = pw_mulshift(position_q32[i], k->mm_q44[i], 44);
        err = pw_delta_place(k, travel, at);
        if (err) return err;
        if (pw_kin_is_skewed(k)) pw_unskew(k, at, k->home_q32);
    } else {
        for (turn = 0; turn < 3; turn++) { /* each takes what the last one's rounding left */
            for (i = 0; i < 3; i++) travel[i] = pw_mulshift(position_q32[i] - pw_linear_position(k, i, at), k->mm_q44[i], 44);
            pw_linear_back(k, travel, d);
            if (pw_kin_is_skewed(k)) pw_unskew(k, d, pw_origin);
            for (i = 0; i < 3; i++) at[i] += d[i];
        }
    }
    for (i = 0; i < 3; i++) at_nm[i] = pw_mm_nm(at[i]);
    return PW_OK;
}

int32_t pw_kin_guard(const struct pw_kin *k, const int64_t at_nm[3])
{
    int64_t at[3], place[3];
    int i;
    if (k->radius_nm) { /* below 2^31 */
        if (pw_abs64(at_nm[0]) > k->radius_nm || pw_abs64(at_nm[1]) > k->radius_nm) return PW_E_VOLUME;
        if (at_nm[0] * at_nm[0] + at_nm[1] * at_nm[1] > k->radius_nm * k->radius_nm) return PW_E_VOLUME;
    }
    if (pw_kin_is_linear(k)) return PW_OK;
    for (i = 0; i < 3; i++) place[i] = at[i] = pw_nm_q32(at_nm[i]);
    if (pw_kin_is_skewed(k)) pw_skew(k, at, k->home_q32, place);
    return pw_delta_guard(k, place);
}

int pw_kin_high(const struct pw_kin *k, int64_t z_nm)
{
    return !pw_kin_is_linear(k) && k->of.delta.top_q32 && pw_nm_q32(z_nm) > k->of.delta.top_q32 - k->of.delta.arm_q32;
}

int32_t pw_kin_guard_line(const struct pw_kin *k, const int64_t from_nm[3], const int64_t to_nm[3])
{
    int64_t at[2][3], place[2][3];
    int i;
    if (!pw_kin_high(k, pw_max64(from_nm[2], to_nm[2]))) return PW_OK;
    for (i = 0; i < 3; i++) {
        place[0][i] = at[0][i] = pw_nm_q32(from_nm[i]);
        place[1][i] = at[1][i] = pw_nm_q32(to_nm[i]);
    }
    for (i = 0; pw_kin_is_skewed(k) && i < 2; i++) pw_skew(k, at[i], k->home_q32, place[i]);
    return pw_delta_guard_line(k, place[0], place[1]);
}
