/* Kinematics against the same in double precision, there and back; geometry that is refused. */
#include <math.h>
#include "check.h"
#include "helpers.h"
#include "pw_kin.h"
#include "pw_plan.h"

static uint64_t seed = 11;
static double share(void) /* 0 to 1 */
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (double)(seed >> 11) / 9007199254740992.0;
}
static double between(double a, double b) { return a + (b - a) * share(); }

static int64_t q32(double x) { return (int64_t)llround(x * 4294967296.0); }
static double of_q32(int64_t x) { return (double)x / 4294967296.0; }

/* steps of motor m at p (mm) */
static double ideal(const struct pw_config *c, int m, const double at[3])
{
    double p[3], row[3] = {0, 0, 0}, y = at[1] - c->home_um[1] / 1e3, z = at[2] - c->home_um[2] / 1e3, steps = c->steps_per_m[m] / 1e3;
    double xy = c->skew_1e6[0] / 1e6, xz = c->skew_1e6[1] / 1e6, yz = c->skew_1e6[2] / 1e6;
    int i;
    p[0] = at[0] - xy * y - (xz - xy * yz) * z;
    p[1] = at[1] - yz * z;
    p[2] = at[2];
    if (c->kinematics == PW_DELTA) {
        double dx = p[0] - c->tower_x_um[m] / 1e3, dy = p[1] - c->tower_y_um[m] / 1e3, arm = c->arm_um / 1e3;
        return steps * (p[2] + sqrt(arm * arm - dx * dx - dy * dy));
    }
    row[m] = 1;
    if (c->kinematics == PW_COREXY && m < 2) row[0] = 1, row[1] = m ? -1 : 1;
    if (c->kinematics == PW_COREXZ && m != 1) row[0] = 1, row[2] = m ? -1 : 1;
    if (c->kinematics == PW_LINEAR) for (i = 0; i < 3; i++) row[i] = c->matrix_1e6[3 * m + i] / 1e6;
    return steps * (row[0] * p[0] + row[1] * p[1] + row[2] * p[2]);
}

static void place(const struct pw_config *c, double at[3])
{
    double r = c->bed_radius_um / 1e3;
    int i;
    do
        for (i = 0; i < 3; i++) at[i] = between(c->min_um[i] / 1e3, c->max_um[i] / 1e3);
    while (r > 0 && at[0] * at[0] + at[1] * at[1] > r * r);
}

static void compare(const struct pw_config *c)
{
    struct pw_kin k;
    int n, i, m;
    CHECK(pw_kin_check(c) == 0);
    pw_kin_init(&k, c);
    for (n = 0; n < 20000; n++) {
        double at[3], v[3], ahead[3], back[3], h = 1e-3;
        int64_t at_q32[3], v_q32[3], nm[3], pos[3], found[3];
        place(c, at);
        for (i = 0; i < 3; i++) {
            nm[i] = (int64_t)llround(at[i] * 1e6);
            at[i] = (double)nm[i] / 1e6;
            at_q32[i] = q32(at[i]);
            v[i] = between(-1, 1);
            v_q32[i] = q32(v[i]);
            ahead[i] = at[i] + v[i] * h;
            back[i] = at[i] - v[i] * h;
        }
        for (m = 0; m < 3; m++) {
            double steps = c->steps_per_m[m] / 1e3, want = ideal(c, m, at);
            int64_t p, velocity;
            pos[m] = pw_kin_position_nm(&k, m, nm);
            CHECK_NEAR(of_q32(pw_kin_position(&k, m, at_q32)), want, 2e-7 * steps); /* 0.2 nm */
            CHECK_NEAR(of_q32(pos[m]), want, 2e-7 * steps);
            pw_kin_both(&k, m, at_q32, v_q32, &p, &velocity);
            CHECK_EQ(p, pw_kin_position(&k, m, at_q32));
            CHECK_EQ(velocity, pw_kin_velocity(&k, m, at_q32, v_q32));
            CHECK_NEAR(of_q32(velocity), (ideal(c, m, ahead) - ideal(c, m, back)) / (2 * h), 1e-6 * steps);
        }
        CHECK_EQ(pw_kin_place_nm(&k, pos, found), PW_OK);
        for (i = 0; i < 3; i++) CHECK_NEAR(found[i], nm[i], 2);
    }
    { /* program motion starts where homing ends, skew or not */
        struct pw_config plain = *c;
        struct pw_kin straight;
        memset(plain.skew_1e6, 0, sizeof plain.skew_1e6);
        pw_kin_init(&straight, &plain);
        for (m = 0; m < 3; m++) CHECK_EQ(pw_kin_position_nm(&k, m, k.home_nm), pw_kin_position_nm(&straight, m, k.home_nm));
    }
}

static void skewed(struct pw_config c)
{
    compare(&c);
    c.skew_1e6[0] = 4000;
    c.skew_1e6[1] = -3000;
    c.skew_1e6[2] = 2500;
    if (c.kinematics == PW_DELTA) c.bed_radius_um = 130000;
    compare(&c);
}

static void test_linear(void)
{
    struct pw_config c = helper_config(0);
    int32_t odd[9] = {1000000, 500000, 0, -250000, 1000000, 100000, 0, 20000, -1000000};
    skewed(c);
    c = helper_config(1);
    skewed(c);
    c.kinematics = PW_COREXZ;
    c.home_um[0] = 20000;
    c.home_um[1] = 117123;
    skewed(c);
    c.kinematics = PW_LINEAR;
    memcpy(c.matrix_1e6, odd, sizeof odd);
    skewed(c);
    c.steps_per_m[0] = 10000000;
    c.steps_per_m[1] = 1000;
    c.max_um[0] = 2000000;
    c.min_um[0] = -2000000;
    skewed(c);
}

static void test_linear_refusals(void)
{
    struct pw_config c = helper_config(0);
    int32_t flat[9] = {1000000, 1000000, 0, 1000000, 1000000, 0, 0, 0, 1000000}, none[9] = {0};
    c.kinematics = PW_LINEAR;
    CHECK(pw_kin_check(&c) == c.matrix_1e6); /* all 0 */
    memcpy(c.matrix_1e6, flat, sizeof flat);
    CHECK(pw_kin_check(&c) == c.matrix_1e6);
    c.matrix_1e6[4] = 1010000; /* 1 mm of a motor would be 100 mm of an axis */
    CHECK(pw_kin_check(&c) == c.matrix_1e6);
    c.matrix_1e6[4] = 1100000;
    CHECK(pw_kin_check(&c) == 0);
    memcpy(c.matrix_1e6, none, sizeof none);
    c.matrix_1e6[0] = c.matrix_1e6[4] = c.matrix_1e6[8] = 1;
    CHECK(pw_kin_check(&c) == c.matrix_1e6);
}

static void test_delta(void)
{
    struct pw_config c = helper_delta();
    struct pw_kin k;
    int64_t pos[3], nm[3], edge[3] = {0, 140000000, 0}, out[3] = {99000000, 99000000, 0}, deep[3] = {0, 0, -300000000};
    int i;
    skewed(c);
    pw_kin_init(&k, &c);
    CHECK_EQ(pw_kin_guard(&k, edge), PW_OK);
    edge[1]++;
    CHECK_EQ(pw_kin_guard(&k, edge), PW_E_VOLUME);
    CHECK_EQ(pw_kin_guard(&k, out), PW_E_VOLUME);
    CHECK_EQ(pw_kin_guard(&k, deep), PW_OK);
    out[0] = 7000000000;
    CHECK_EQ(pw_kin_guard(&k, out), PW_E_VOLUME);
    c.bed_radius_um = 0;
    pw_kin_init(&k, &c);
    CHECK_EQ(pw_kin_guard(&k, out), PW_E_REACH);
    CHECK_EQ(pw_kin_guard(&k, edge), PW_OK);
    /* heights that belong to no place */
    for (i = 0; i < 3; i++) pos[i] = (int64_t)160 * 300 << 32;
    CHECK_EQ(pw_kin_place_nm(&k, pos, nm), PW_OK);
    pos[0] = (int64_t)160 * 900 << 32;
    CHECK_EQ(pw_kin_place_nm(&k, pos, nm), PW_E_REACH);
    pos[0] = (int64_t)160 * 9000 << 32;
    CHECK_EQ(pw_kin_place_nm(&k, pos, nm), PW_E_REACH);
    /* any heights: a good place or an error, never a wrong place */
    for (i = 0; i < 20000; i++) {
        int m;
        for (m = 0; m < 3; m++) pos[m] = q32(160 * between(0, 700));
        if (pw_kin_place_nm(&k, pos, nm) != PW_OK) continue;
        for (m = 0; m < 3; m++) CHECK_NEAR(of_q32(pw_kin_position_nm(&k, m, nm)), of_q32(pos[m]), 160 * 8e-6);
    }
}

/* How much higher than allowed a carriage gets along a line, by trying many places; mm. */
static double too_high(const struct pw_config *c, const double a[3], const double b[3])
{
    double top = 1e9, worst = -1e9, at[3], over[3] = {0, 0, c->top_um / 1e3};
    int i, m, n;
    for (m = 0; m < 3; m++) top = fmin(top, ideal(c, m, over) / 160);
    for (n = 0; n <= 2000; n++)
        for (m = 0; m < 3; m++) {
            for (i = 0; i < 3; i++) at[i] = a[i] + (b[i] - a[i]) * n / 2000;
            worst = fmax(worst, ideal(c, m, at) / 160 - top);
        }
    return worst;
}

static void test_tops(void)
{
    struct pw_config c = helper_delta();
    struct pw_kin k;
    int64_t home[3] = {0, 0, 300000000}, rim[3] = {100000000, -60000000, 270000000}, low[3] = {100000000, -60000000, 255000000};
    int n, i, kept = 0, refused = 0;
    pw_kin_init(&k, &c);
    CHECK_EQ(pw_kin_guard(&k, home), PW_OK);
    CHECK_EQ(pw_kin_guard(&k, rim), PW_E_REACH);
    CHECK_EQ(pw_kin_guard(&k, low), PW_OK);
    for (n = 0; n < 3000; n++) {
        double a[3], b[3], over;
        int64_t from[3], to[3];
        place(&c, a);
        place(&c, b);
        for (i = 0; i < 2; i++) (i ? b : a)[2] = between(255, 300);
        for (i = 0; i < 3; i++) {
            from[i] = (int64_t)llround(a[i] * 1e6);
            to[i] = (int64_t)llround(b[i] * 1e6);
        }
        if (pw_kin_guard(&k, from) || pw_kin_guard(&k, to)) {
            CHECK(too_high(&c, a, b) > 0);
            continue;
        }
        over = too_high(&c, a, b);
        if (fabs(over - 0.001) < 1e-4) continue; /* within what sampling sees */
        CHECK_EQ(pw_kin_guard_line(&k, from, to), over > 0.001 ? PW_E_REACH : PW_OK);
        if (over > 0.001) refused++;
        else kept++;
    }
    CHECK(refused > 20 && kept > 200);
    c.top_um = 299000; /* below home */
    CHECK(pw_kin_check(&c) == &c.top_um);
}

static void test_delta_refusals(void)
{
    struct pw_config c = helper_delta();
    c.bed_radius_um = 142000; /* carriages would be more than three times as fast as the path */
    CHECK(pw_kin_check(&c) == &c.arm_um);
    c.bed_radius_um = 0; /* the corners of the travel limits */
    CHECK(pw_kin_check(&c) == &c.arm_um);
    c = helper_delta();
    c.skew_1e6[1] = 50000;
    CHECK(pw_kin_check(&c) == c.skew_1e6);
    c = helper_delta();
    c.tower_x_um[0] = c.tower_x_um[1]; /* two towers in one place */
    c.tower_y_um[0] = c.tower_y_um[1];
    CHECK(pw_kin_check(&c) == c.tower_x_um);
    c = helper_delta();
    c.arm_um = 0;
    CHECK(pw_kin_check(&c) == &c.arm_um);
}

int main(void)
{
    test_linear();
    test_linear_refusals();
    test_delta();
    test_tops();
    test_delta_refusals();
    puts("kin: ok");
    return 0;
}
