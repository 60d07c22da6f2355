/* The mesh against the same in double precision; bounds of what it adds to z; meshes that are refused. */
#include <math.h>
#include "check.h"
#include "helpers.h"
#include "pw_kin.h"
#include "pw_mesh.h"

enum { NX = 7, NY = 5 };

static uint64_t seed = 5;
static double between(double a, double b)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return a + (b - a) * ((double)(seed >> 11) / 9007199254740992.0);
}

static int64_t q32(double x) { return (int64_t)llround(x * 4294967296.0); }

static int32_t heights[NX * NY], room[NX * NY];

static struct pw_mesh rough_mesh(int kind, double most_um)
{
    struct pw_mesh mesh = {kind, NX, NY, {10000, 20000}, {36000, 48000}, 1000, 8000};
    int i;
    for (i = 0; i < NX * NY; i++) heights[i] = (int32_t)(between(-most_um, most_um) * 1000);
    return mesh;
}

static double point(int x, int y) /* mm; beyond the edges straight on */
{
    if (y < 0) return 2 * point(x, 0) - point(x, 1);
    if (y >= NY) return 2 * point(x, NY - 1) - point(x, NY - 2);
    if (x < 0) return 2 * point(0, y) - point(1, y);
    if (x >= NX) return 2 * point(NX - 1, y) - point(NX - 2, y);
    return heights[y * NX + x] / 1e6;
}

static double catmull(double a, double b, double c, double d, double u)
{
    return b + u / 2 * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)));
}

static double height(const struct pw_mesh *mesh, double x, double y)
{
    double u = fmin(fmax((x - mesh->origin_um[0] / 1e3) / (mesh->spacing_um[0] / 1e3), 0), NX - 1);
    double v = fmin(fmax((y - mesh->origin_um[1] / 1e3) / (mesh->spacing_um[1] / 1e3), 0), NY - 1), row[4];
    int cx = (int)fmin(u, NX - 2), cy = (int)fmin(v, NY - 2), j;
    u -= cx;
    v -= cy;
    if (mesh->kind == PW_MESH_BILINEAR)
        return (1 - v) * ((1 - u) * point(cx, cy) + u * point(cx + 1, cy)) + v * ((1 - u) * point(cx, cy + 1) + u * point(cx + 1, cy + 1));
    for (j = 0; j < 4; j++)
        row[j] = catmull(point(cx - 1, cy + j - 1), point(cx, cy + j - 1), point(cx + 1, cy + j - 1), point(cx + 2, cy + j - 1), u);
    return catmull(row[0], row[1], row[2], row[3], v);
}

static double lift(const struct pw_mesh *mesh, const double at[3])
{
    double from = mesh->fade_from_um / 1e3, to = mesh->fade_to_um / 1e3, h = height(mesh, at[0], at[1]);
    if (to <= 0) return h;
    return h * fmin(fmax((to - at[2]) / (to - from), 0), 1);
}

static void compare(const struct pw_config *cfg, const struct pw_mesh *mesh)
{
    struct pw_mesh_state m;
    double home[3], worst_slope = 0;
    int n, i;
    memset(&m, 0, sizeof m);
    m.height_nm = room;
    CHECK_EQ(pw_mesh_init(&m, cfg, mesh, heights), PW_OK);
    for (i = 0; i < 3; i++) home[i] = cfg->home_um[i] / 1e3;
    for (n = 0; n < 30000; n++) {
        double at[3] = {between(-20, 260), between(-20, 260), n & 1 ? between(-1, 12) : 0.2}, d = 1e-4, way[3];
        int64_t at_q32[3], slope[3];
        for (i = 0; i < 3; i++) at_q32[i] = q32(at[i]);
        CHECK_NEAR((double)pw_mesh_lift(&m, at_q32, slope) / 4294967296.0, lift(mesh, at) - lift(mesh, home), 1e-7);
        CHECK_EQ(pw_mesh_lift(&m, at_q32, 0), pw_mesh_lift(&m, at_q32, slope));
        for (i = 0; i < 3; i++) {
            double more, less, got = (double)slope[i] / (1 << 30);
            memcpy(way, at, sizeof way);
            way[i] += d;
            more = lift(mesh, way);
            way[i] -= 2 * d;
            less = lift(mesh, way);
            /* where the slope breaks the one on either side will do */
            if (fabs(got - (more - less) / (2 * d)) > 1e-6)
                CHECK(fabs(got - (more - lift(mesh, at)) / d) < 1e-5 || fabs(got - (lift(mesh, at) - less) / d) < 1e-5);
            if (i == 2) CHECK(fabs(got) <= (double)m.steep_q30 / (1 << 30) + 1e-9);
        }
        worst_slope = fmax(worst_slope, hypot((double)slope[0], (double)slope[1]));
    }
    CHECK(worst_slope <= (double)m.slope_q30);
    { /* home is where it was */
        int64_t at[3];
        for (i = 0; i < 3; i++) at[i] = pw_nm_q32((int64_t)cfg->home_um[i] * 1000);
        CHECK_EQ(pw_mesh_lift(&m, at, 0), 0);
    }
}

/* z along a line at the speed and acceleration that the mesh allows, by differences: within the limits of z. */
static void speeds(const struct pw_config *cfg, const struct pw_mesh *mesh)
{
    struct pw_mesh_state m;
    int n;
    memset(&m, 0, sizeof m);
    m.height_nm = room;
    CHECK_EQ(pw_mesh_init(&m, cfg, mesh, heights), PW_OK);
    for (n = 0; n < 300; n++) {
        double x = between(40, 180), y = between(40, 180), turn = between(0, 6.28), v = m.velocity_um_s / 1e3, a = m.accel_um_s2 / 1e3;
        double h = 0.05, s, jump = fmax(cfg->corner_um_s, 1000) / 1e3, az = cfg->axis_accel_um_s2[2] / 1e3;
        for (s = 0; s < 20; s += h) {
            double at[3] = {x + s * cos(turn), y + s * sin(turn), 0.2}, z0, z1, z2, slope, bend;
            z1 = lift(mesh, at);
            z0 = lift(mesh, (double[3]){at[0] - h * cos(turn), at[1] - h * sin(turn), 0.2});
            z2 = lift(mesh, (double[3]){at[0] + h * cos(turn), at[1] + h * sin(turn), 0.2});
            slope = (z2 - z0) / (2 * h);
            bend = (z2 - 2 * z1 + z0) / (h * h);
            CHECK(fabs(slope) * a <= az / 2 * 1.001);
            /* either a steady curvature, or a break of the slope within the three points */
            CHECK(fabs(bend) * v * v <= az / 2 * 1.001 || fabs(bend) * h * v <= jump * 1.01);
        }
    }
}

static void test_shapes(void)
{
    struct pw_config cfg = helper_config(0);
    int kind, n;
    cfg.mesh_points = NX * NY;
    for (kind = 0; kind < 2; kind++)
        for (n = 0; n < 4; n++) {
            struct pw_mesh mesh = rough_mesh(kind, n == 3 ? 300 : 100);
            compare(&cfg, &mesh);
            speeds(&cfg, &mesh);
            mesh.fade_to_um = 0; /* at any height */
            compare(&cfg, &mesh);
            cfg.home_um[0] = 117500;
            cfg.home_um[2] = n & 1 ? 4000 : 0;
        }
}

static void refused(const struct pw_config *cfg, struct pw_mesh mesh)
{
    struct pw_mesh_state m, before;
    memset(&m, 0, sizeof m);
    m.height_nm = room;
    before = m;
    CHECK_EQ(pw_mesh_init(&m, cfg, &mesh, heights), PW_E_MESH);
    CHECK(memcmp(&m, &before, sizeof m) == 0);
}

static void test_refusals(void)
{
    struct pw_config cfg = helper_config(0);
    struct pw_mesh mesh = rough_mesh(0, 100);
    struct pw_mesh other;
    cfg.mesh_points = NX * NY - 1;
    refused(&cfg, mesh);
    cfg.mesh_points = NX * NY;
#define BAD(field, value) other = mesh; other.field = value; refused(&cfg, other)
    BAD(nx, 1);
    BAD(ny, 0);
    BAD(nx, -7);
    BAD(nx, INT32_MAX);
    BAD(kind, 2);
    BAD(kind, -1);
    BAD(spacing_um[0], 0);
    BAD(spacing_um[1], -36000);
    BAD(spacing_um[0], 1000001);
    BAD(spacing_um[0], 2000);        /* too steep */
    BAD(origin_um[1], INT32_MIN);
    BAD(fade_from_um, 7500);         /* fades over 0.5 mm: less than ten times the heights */
    BAD(fade_from_um, 9000);
    BAD(fade_to_um, INT32_MAX);
    heights[3] = 5000001;
    refused(&cfg, mesh);
    heights[3] = INT32_MIN;
    refused(&cfg, mesh);
}

static void test_flat_and_high(void)
{
    struct pw_config cfg = helper_config(0);
    struct pw_mesh mesh = rough_mesh(1, 0);
    struct pw_mesh_state m;
    int64_t at[3] = {q32(100), q32(1e3), q32(-3)};
    int i;
    cfg.mesh_points = NX * NY;
    cfg.home_um[2] = 250000;
    memset(&m, 0, sizeof m);
    m.height_nm = room;
    for (i = 0; i < NX * NY; i++) heights[i] = 400000;
    CHECK_EQ(pw_mesh_init(&m, &cfg, &mesh, heights), PW_OK);
    CHECK_EQ(m.velocity_um_s, INT32_MAX);
    CHECK_NEAR((double)pw_mesh_lift(&m, at, 0) / 4294967296.0, 0.4, 1e-7); /* home is above the fade: nothing is taken off */
    at[2] = q32(8);
    CHECK_EQ(pw_mesh_lift(&m, at, 0), 0);
}

int main(void)
{
    test_shapes();
    test_refusals();
    test_flat_and_high();
    puts("mesh: ok");
    return 0;
}
