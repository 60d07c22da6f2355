/* Consecutive straight lines become one where every junction between them lies within merge_nm of it and the extrusion ratio of
 * each is within 1 % of the others', but for the rounding of e.  One line waits here; only its successor, a mark, a flush or another command sends it on, so
 * the result does not depend on calls.  Memory is bounded by the junctions that one line may span. */
#include "pw_front.h"
#include "pw_math.h"

#define PW_MERGE_LENGTH INT64_C(50000000) /* nm: 50 mm < 2^26 */
enum { PW_E_STEP = 10 };                 /* nm: the last digit of e */

static int pw_same_limits(const struct pw_line *a, const struct pw_line *b)
{
    int i;
    for (i = 0; i < 3; i++)
        if (a->axis_velocity_um_s[i] != b->axis_velocity_um_s[i] || a->axis_accel_um_s2[i] != b->axis_accel_um_s2[i]) return 0;
    return a->velocity_um_s == b->velocity_um_s && a->accel_um_s2 == b->accel_um_s2 && a->corner_um_s == b->corner_um_s &&
           a->e_corner_um_s == b->e_corner_um_s && a->tool == b->tool && a->advance_us == b->advance_us &&
           a->e_velocity_um_s == b->e_velocity_um_s && a->e_accel_um_s2 == b->e_accel_um_s2;
}

/* Is point p within tol of the chord from 0 to d, and between its ends?  |p|, |d| below 2^26, tol below 2^15. */
static int pw_near(const int32_t p[3], const int64_t d[3], int64_t length, int64_t tol)
{
    int64_t c[3], dot = p[0] * d[0] + p[1] * d[1] + p[2] * d[2], most = tol * length; /* below 2^41 */
    uint64_t sum = 0;
    int i, sh = 34 - pw_clz64((uint64_t)most);
    if (dot < 0 || dot > length * length) return 0;
    c[0] = p[1] * d[2] - p[2] * d[1];
    c[1] = p[2] * d[0] - p[0] * d[2];
    c[2] = p[0] * d[1] - p[1] * d[0];
    if (sh < 0) sh = 0;
    for (i = 0; i < 3; i++) {
        int64_t a = pw_abs64(c[i]);
        if (a > most) return 0;
        a = (a >> sh) + (sh > 0); /* up; below 2^31 */
        sum += (uint64_t)(a * a);
    }
    most >>= sh;
    return sum <= (uint64_t)(most * most);
}

static int64_t pw_length3(const int64_t d[3]) { return pw_isqrt64((uint64_t)(d[0] * d[0] + d[1] * d[1] + d[2] * d[2])); }

/* Bounds of the extrusion ratio of a line, whose e is rounded to 1e-5 mm by slicers; 0 when it may not be merged at all. */
static int pw_ratio(const struct pw_line *ln, int64_t d[3], struct pw_ratio *r)
{
    int64_t e = ln->to_nm[3] - ln->from_nm[3], length;
    pw_divisor_t by;
    int i;
    for (i = 0; i < 3; i++) {
        d[i] = ln->to_nm[i] - ln->from_nm[i];
        if (pw_abs64(d[i]) > PW_MERGE_LENGTH / 2) return 0;
    }
    length = pw_length3(d);
    if (length == 0 || pw_abs64(e) >= (int64_t)1 << 38) return 0;
    r->sign = (e > 0) - (e < 0);
    e = pw_abs64(e);
    by = pw_by(length);
    r->lo_q24 = pw_div_by(pw_max64(e - PW_E_STEP, 0) * (1 << 24), &by);
    r->hi_q24 = pw_div_by((e + PW_E_STEP) * (1 << 24), &by);
    return 1;
}

static int pw_extend(struct pw_merge *mg, const struct pw_line *ln, int64_t merge_nm)
{
    int64_t step[3], d[3], p[3], length, lo, hi;
    struct pw_ratio r;
    int32_t last[3];
    int i;
    if (mg->count > PW_MERGE_POINTS || !pw_same_limits(&mg->line, ln)) return 0;
    for (i = 0; i < 3; i++) {
        d[i] = ln->to_nm[i] - mg->line.from_nm[i];
        p[i] = mg->line.to_nm[i] - mg->line.from_nm[i];
        if (pw_abs64(d[i]) > PW_MERGE_LENGTH / 2 || pw_abs64(p[i]) > PW_MERGE_LENGTH / 2) return 0;
        last[i] = (int32_t)p[i];
    }
    /* most junctions are far off: by the sum of components, before any root is taken */
    if (pw_abs64(p[0] * d[1] - p[1] * d[0]) > merge_nm * (pw_abs64(d[0]) + pw_abs64(d[1]) + pw_abs64(d[2]))) return 0;
    length = pw_length3(d);
    if (length == 0 || !pw_near(last, d, length, merge_nm) || !pw_ratio(ln, step, &r)) return 0;
    if (step[0] * d[0] + step[1] * d[1] + step[2] * d[2] <= 0) return 0;
    if (mg->count == 1 && !pw_ratio(&mg->line, step, &mg->ratio)) return 0;
    lo = pw_max64(mg->ratio.lo_q24, r.lo_q24);
    hi = pw_min64(mg->ratio.hi_q24, r.hi_q24);
    if (r.sign != mg->ratio.sign || (lo - hi) * 100 > hi) return 0; /* 1 % */
    for (i = mg->count - 2; i >= 0; i--)
        if (!pw_near(mg->point[i], d, length, merge_nm)) return 0;
    for (i = 0; i < 3; i++) mg->point[mg->count - 1][i] = last[i];
    for (i = 0; i < 4; i++) mg->line.to_nm[i] = ln->to_nm[i];
    mg->ratio.lo_q24 = lo;
    mg->ratio.hi_q24 = hi;
    mg->count++;
    return 1;
}

int32_t pw_merge_push(struct pw_merge *mg, struct pw_planner *pl)
{
    int32_t err;
    if (mg->count == 0) return PW_OK;
    err = pw_plan_line(pl, &mg->line);
    if (err == PW_OK) mg->count = 0;
    return err;
}

int32_t pw_merge_line(struct pw_merge *mg, struct pw_planner *pl, const struct pw_line *ln, int64_t merge_nm)
{
    int32_t err;
    if (ln->from_nm[0] == ln->to_nm[0] && ln->from_nm[1] == ln->to_nm[1] && ln->from_nm[2] == ln->to_nm[2] && ln->from_nm[3] == ln->to_nm[3])
        return PW_OK;
    if (merge_nm == 0) return pw_plan_line(pl, ln);
    if (mg->count > 0 && pw_extend(mg, ln, merge_nm)) return PW_OK;
    err = pw_merge_push(mg, pl);
    if (err) return err;
    mg->line = *ln;
    mg->count = 1;
    return PW_OK;
}
