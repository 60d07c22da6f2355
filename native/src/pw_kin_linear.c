/* Linear kinematics: motors' positions are a matrix times the place.  Cartesian, CoreXY and CoreXZ, whose factors are 0 and 1, need one
 * product a motor; a matrix of the configuration, or skew, three. */
#include "pw_kin.h"

enum { PW_BACK_MAX = 16 }; /* mm of place a mm of motor, at most */

/* Factors of x y z in 1/1000000. */
static void pw_matrix(const struct pw_config *cfg, int32_t m[3][3])
{
    int i, j;
    for (i = 0; i < 3; i++)
        for (j = 0; j < 3; j++) m[i][j] = cfg->kinematics == PW_LINEAR ? cfg->matrix_1e6[3 * i + j] : i == j ? 1000000 : 0;
    if (cfg->kinematics == PW_COREXY || cfg->kinematics == PW_COREXZ) { /* a = x + w, b = x - w, in the places of x and w */
        int w = cfg->kinematics == PW_COREXY ? 1 : 2;
        m[0][w] = m[w][0] = 1000000;
        m[w][w] = -1000000;
    }
}

static int64_t pw_scale(int64_t a, int64_t b, int n) { return a < 0 ? -pw_mulshift(-a, b, n) : pw_mulshift(a, b, n); } /* b >= 0 */

/* Its inverse in Q30 (entries of the matrix at most 4), 0 when an entry is beyond PW_BACK_MAX. */
static int pw_inverse(int32_t m[3][3], int64_t back_q30[3][3])
{
    int64_t adj[3][3], det = 0, most = 0;
    int i, j;
    for (i = 0; i < 3; i++)
        for (j = 0; j < 3; j++) { /* cofactor of m[j][i], at most 2^45, in millionths 2^25 */
            int a = (j + 1) % 3, b = (j + 2) % 3, c = (i + 1) % 3, d = (i + 2) % 3;
            adj[i][j] = ((int64_t)m[a][c] * m[b][d] - (int64_t)m[a][d] * m[b][c]) / 1000000;
            most = pw_max64(most, pw_abs64(adj[i][j]));
        }
    for (i = 0; i < 3; i++) det += m[0][i] * adj[i][0]; /* in 1e-12: below 2^50 */
    if (pw_abs64(det) <= most * (1000000 / PW_BACK_MAX)) return 0;
    for (i = 0; i < 3; i++)
        for (j = 0; j < 3; j++) back_q30[i][j] = pw_sdivq32(adj[i][j] * 250000, det < 0 ? -det : det) * (det < 0 ? -1 : 1);
    return 1;
}

const int32_t *pw_linear_check(const struct pw_config *cfg)
{
    int32_t m[3][3];
    int64_t back[3][3];
    pw_matrix(cfg, m);
    return pw_inverse(m, back) ? (const int32_t *)0 : &cfg->matrix_1e6[0];
}

void pw_linear_init(struct pw_kin *k, const struct pw_config *cfg)
{
    int32_t m[3][3];
    int64_t factor[3][3];
    int i, j;
    pw_matrix(cfg, m);
    pw_inverse(m, k->of.linear.back_q30);
    for (i = 0; i < 3; i++) {
        int64_t at = 0;
        for (j = 0; j < 3; j++) {
            factor[i][j] = pw_scale(m[i][j], INT64_C(18446744073710), 20); /* Q44; 2^64 / 1e6 */
            at += pw_mulshift(k->home_nm[j], pw_scale(factor[i][j], k->step_q64[i], 44), 32);
        }
        k->of.linear.home_steps_q32[i] = at;
        if (pw_kin_is_skewed(k)) { /* x - xy (y - yz z) - xz z, y - yz z */
            int64_t xy = k->skew_q32[0], xz = k->skew_q32[1], yz = k->skew_q32[2];
            int64_t fx = factor[i][0], fy = factor[i][1];
            factor[i][1] -= pw_mulshift(fx, xy, 32);
            factor[i][2] -= pw_mulshift(fx, xz - pw_mulshift(xy, yz, 32), 32) + pw_mulshift(fy, yz, 32);
        }
        for (j = 0; j < 3; j++) {
            k->of.linear.row_q44[i][j] = pw_scale(factor[i][j], k->step_q44[i], 44);
            k->of.linear.row_q64[i][j] = pw_scale(factor[i][j], k->step_q64[i], 44);
        }
    }
}

/* The sum of a motor with factors 0 and 1 only; 0 when it has others. */
static int pw_plain(const struct pw_kin *k, int32_t motor, const int64_t v[3], int64_t *sum)
{
    if (PW_WITH_MATRIX && (k->skewed || k->kind == PW_LINEAR)) return 0;
    *sum = v[motor];
    if (k->kind == PW_COREXY && motor < 2) *sum = motor ? v[0] - v[1] : v[0] + v[1];
    if (k->kind == PW_COREXZ && motor != 1) *sum = motor ? v[0] - v[2] : v[0] + v[2];
    return 1;
}

int64_t pw_linear_velocity(const struct pw_kin *k, int32_t motor, const int64_t v_q32[3])
{
    const int64_t *row = k->of.linear.row_q44[motor];
    int64_t sum;
    if (pw_plain(k, motor, v_q32, &sum) || !PW_WITH_MATRIX) return pw_mulshift(sum, k->step_q44[motor], 44);
    return pw_mulshift(v_q32[0], row[0], 44) + pw_mulshift(v_q32[1], row[1], 44) + pw_mulshift(v_q32[2], row[2], 44);
}

int64_t pw_linear_position(const struct pw_kin *k, int32_t motor, const int64_t at_q32[3])
{
    int64_t sum, d[3];
    int i;
    if (pw_plain(k, motor, at_q32, &sum) || !PW_WITH_MATRIX) return pw_mulshift(sum, k->step_q44[motor], 44);
    for (i = 0; i < 3; i++) d[i] = at_q32[i] - k->home_q32[i];
    return k->of.linear.home_steps_q32[motor] + pw_linear_velocity(k, motor, d);
}

int64_t pw_linear_position_nm(const struct pw_kin *k, int32_t motor, const int64_t at_nm[3])
{
    const int64_t *row = k->of.linear.row_q64[motor];
    int64_t sum;
    int i;
    if (pw_plain(k, motor, at_nm, &sum) || !PW_WITH_MATRIX) return pw_mulshift(sum, k->step_q64[motor], 32);
    sum = k->of.linear.home_steps_q32[motor];
    for (i = 0; i < 3; i++) sum += pw_mulshift(at_nm[i] - k->home_nm[i], row[i], 32);
    return sum;
}

void pw_linear_back(const struct pw_kin *k, const int64_t travel_q32[3], int64_t d_q32[3])
{
    int i, j;
    for (i = 0; i < 3; i++) {
        d_q32[i] = 0;
        for (j = 0; j < 3; j++) d_q32[i] += pw_mulshift(travel_q32[j], k->of.linear.back_q30[i][j], 30);
    }
}
