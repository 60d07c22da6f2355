/* The bed's mesh: bilinear, or bicubic (Catmull-Rom: through the points, with a continuous slope). */
#include "pw_mesh.h"
#include "pw_kin.h"

#define PW_NM_Q64 INT64_C(18446744073710) /* 2^64 / 1e6 */
enum {
    PW_SIDE_MAX = 256,      /* points a side */
    PW_HEIGHT_NM = 5000000, /* of a point, at most */
    PW_STEEP = 20,          /* neighbours differ by 1 mm in so many, at most */
    PW_FADE = 10,           /* fading takes so many times the greatest height, at least */
    PW_CORNER_UM_S = 1000   /* jump of z speed where the slope breaks: the square-corner velocity, but at least this */
};

static const int32_t *pw_row(const struct pw_mesh_state *m, int32_t y) { return m->height_nm + (size_t)y * (size_t)m->nx; }

/* A point; beyond the edges straight on from the last two. */
static int64_t pw_point(const struct pw_mesh_state *m, int32_t x, int32_t y)
{
    if (y < 0) return 2 * pw_point(m, x, 0) - pw_point(m, x, 1);
    if (y >= m->ny) return 2 * pw_point(m, x, m->ny - 1) - pw_point(m, x, m->ny - 2);
    if (x < 0) return 2 * (int64_t)pw_row(m, y)[0] - pw_row(m, y)[1];
    if (x >= m->nx) return 2 * (int64_t)pw_row(m, y)[m->nx - 1] - pw_row(m, y)[m->nx - 2];
    return pw_row(m, y)[x];
}

/* Factors (Q30) of four points in a row for the value between the middle two at u (Q30), and for its slope. */
static void pw_factors(int64_t u, int64_t w[4], int64_t d[4])
{
    int64_t one = (int64_t)1 << 30, u2 = (u * u) >> 30, u3 = (u2 * u) >> 30;
    w[0] = pw_asr(2 * u2 - u - u3, 1);
    w[2] = pw_asr(4 * u2 + u - 3 * u3, 1);
    w[3] = pw_asr(u3 - u2, 1);
    w[1] = one - w[0] - w[2] - w[3];
    d[0] = pw_asr(4 * u - one - 3 * u2, 1);
    d[2] = pw_asr(8 * u + one - 9 * u2, 1);
    d[3] = pw_asr(3 * u2 - 2 * u, 1);
    d[1] = -d[0] - d[2] - d[3];
}

/* Height (nm Q16) and its change a cell along x and y. */
static void pw_bicubic(const struct pw_mesh_state *m, const int32_t cell[2], const int64_t u[2], int64_t out[3])
{
    int64_t wx[4], dx[4], wy[4], dy[4];
    int32_t i, j;
    pw_factors(u[0], wx, dx);
    pw_factors(u[1], wy, dy);
    out[0] = out[1] = out[2] = 0;
    for (j = 0; j < 4; j++) {
        int64_t h = 0, s = 0;
        for (i = 0; i < 4; i++) { /* points below 2^26, factors below 2^32 */
            int64_t at = pw_point(m, cell[0] + i - 1, cell[1] + j - 1);
            h += at * wx[i];
            s += at * dx[i];
        }
        h = pw_asr(h, 14);
        out[0] += pw_mulshift(h, wy[j], 30);
        out[1] += pw_mulshift(pw_asr(s, 14), wy[j], 30);
        out[2] += pw_mulshift(h, dy[j], 30);
    }
}

static void pw_bilinear(const struct pw_mesh_state *m, const int32_t cell[2], const int64_t u[2], int64_t out[3])
{
    const int32_t *low = pw_row(m, cell[1]) + cell[0], *high = low + m->nx;
    int64_t h = low[0] * ((int64_t)1 << 16), along = (int64_t)low[1] - low[0], twist = (int64_t)high[1] - high[0] - along;
    int64_t across = (int64_t)high[0] - low[0];
    out[1] = along * ((int64_t)1 << 16) + pw_asr(twist * u[1], 14); /* differences below 2^25 */
    out[2] = across * ((int64_t)1 << 16) + pw_asr(twist * u[0], 14);
    out[0] = h + pw_asr(along * u[0], 14) + pw_mulshift(out[2], u[1], 30);
}

/* Height in mm Q32 and slopes (Q30) of the grid. */
static int64_t pw_height(const struct pw_mesh_state *m, const int64_t at_q32[3], int64_t slope_q30[2])
{
    int32_t cell[2], size[2], i, inside[2];
    int64_t u[2], out[3];
    size[0] = m->nx;
    size[1] = m->ny;
    for (i = 0; i < 2; i++) {
        int64_t at = pw_mulshift(at_q32[i] - m->origin_q32[i], m->cells_q44[i], 44), end = (int64_t)(size[i] - 1) << 32;
        inside[i] = at >= 0 && at <= end;
        at = pw_max64(pw_min64(at, end), 0);
        cell[i] = (int32_t)pw_min64(at >> 32, size[i] - 2);
        u[i] = (at - ((int64_t)cell[i] << 32)) >> 2;
    }
    if (m->kind == PW_MESH_BICUBIC) pw_bicubic(m, cell, u, out);
    else pw_bilinear(m, cell, u, out);
    if (slope_q30)
        for (i = 0; i < 2; i++) slope_q30[i] = inside[i] ? pw_mulshift(pw_mulshift(out[1 + i], m->cells_q44[i], 44), PW_NM_Q64, 50) : 0;
    return pw_mulshift(out[0], PW_NM_Q64, 48);
}

int64_t pw_mesh_lift(const struct pw_mesh_state *m, const int64_t at_q32[3], int64_t slope_q30[3])
{
    int64_t fade_q30 = (int64_t)1 << 30, h, over = at_q32[2] - m->fade_from_q32;
    if (slope_q30) slope_q30[0] = slope_q30[1] = slope_q30[2] = 0;
    if (m->fade_q44 && at_q32[2] >= m->fade_to_q32) return -m->home_q32;
    h = pw_height(m, at_q32, slope_q30);
    if (m->fade_q44 && over > 0) {
        fade_q30 = pw_max64(fade_q30 - pw_mulshift(over, m->fade_q44, 46), 0);
        if (slope_q30) {
            slope_q30[0] = pw_mulshift(slope_q30[0], fade_q30, 30);
            slope_q30[1] = pw_mulshift(slope_q30[1], fade_q30, 30);
            slope_q30[2] = -pw_mulshift(h, m->fade_q44, 46);
        }
        h = pw_mulshift(h, fade_q30, 30);
    }
    return h - m->home_q32;
}

/* -- taking one over ---------------------------------------------------------------------------------------------------------- */

/* Greatest differences in nm: of neighbours along x and y, of those at the edges across them, of differences, and of a cell's corners. */
struct pw_rough {
    int64_t step[2], edge[2], bend[2], twist, height;
};

static int64_t pw_between(int64_t a, int64_t b, int64_t most) { return pw_max64(pw_abs64(b - a), most); }

static void pw_roughness(const struct pw_mesh_state *m, struct pw_rough *r)
{
    int32_t x, y;
    r->step[0] = r->step[1] = r->edge[0] = r->edge[1] = r->bend[0] = r->bend[1] = r->twist = r->height = 0;
    for (y = 0; y < m->ny; y++) {
        for (x = 0; x < m->nx; x++) {
            int64_t h = pw_point(m, x, y), right = pw_point(m, x + 1, y), up = pw_point(m, x, y + 1);
            r->height = pw_max64(r->height, pw_abs64(h));
            if (x + 1 < m->nx) r->step[0] = pw_between(h, right, r->step[0]);
            if (y + 1 < m->ny) r->step[1] = pw_between(h, up, r->step[1]);
            if (x == 0 || x + 2 == m->nx) r->edge[0] = pw_between(h, right, r->edge[0]);
            if (y == 0 || y + 2 == m->ny) r->edge[1] = pw_between(h, up, r->edge[1]);
            r->bend[0] = pw_between(h - pw_point(m, x - 1, y), right - h, r->bend[0]);
            r->bend[1] = pw_between(h - pw_point(m, x, y - 1), up - h, r->bend[1]);
            if (x + 1 < m->nx && y + 1 < m->ny) r->twist = pw_between(right - h, pw_point(m, x + 1, y + 1) - up, r->twist);
        }
    }
}

/* a nm over b um, Q30 */
static int64_t pw_slope_of(int64_t nm, int64_t um) { return (nm << 30) / (um * 1000); }

/* v^2 bend = accel / 2, bend in nm / um^2 Q38 */
static int64_t pw_bend_speed(int64_t accel_um_s2, int64_t bend_q38)
{
    int64_t v2;
    if (bend_q38 == 0) return INT32_MAX;
    v2 = pw_divq32(500 * accel_um_s2, bend_q38); /* 2^-6 of it, below 2^36 * 2^32: saturated */
    if (500 * accel_um_s2 / bend_q38 >= 1 << 23) return INT32_MAX;
    return (int64_t)pw_isqrt64((uint64_t)v2 << 6);
}

/* What z adds to the motion, and the speed and acceleration along x and y that keep it within the limits of z: half of its acceleration
 * each for curvature and for slope, the square-corner velocity for breaks of the slope. */
static void pw_bounds(struct pw_mesh_state *m, const struct pw_config *cfg, const struct pw_mesh *mesh, const struct pw_rough *r)
{
    int64_t accel = cfg->axis_accel_um_s2[2] ? pw_min64(cfg->axis_accel_um_s2[2], cfg->max_accel_um_s2) : cfg->max_accel_um_s2;
    int64_t corner = pw_max64(cfg->corner_um_s, PW_CORNER_UM_S), breaks = 0, bend_q38, v, a = INT32_MAX;
    int i, cubic = mesh->kind == PW_MESH_BICUBIC;
    bend_q38 = (r->twist << 38) / ((int64_t)mesh->spacing_um[0] * mesh->spacing_um[1]) * (cubic ? 9 : 4) / 4;
    m->slope_q30 = 0;
    for (i = 0; i < 2; i++) {
        int64_t um = mesh->spacing_um[i];
        m->slope_q30 += pw_slope_of(r->step[i], um) * (cubic ? 15 : 8) / 8;
        breaks += pw_slope_of(cubic ? r->edge[i] : pw_max64(r->edge[i], r->bend[i]), um);
        if (cubic) bend_q38 += (r->bend[i] << 38) / (um * um) * 15 / 4;
    }
    v = pw_bend_speed(accel, bend_q38);
    if (breaks) v = pw_min64(v, (corner << 30) / breaks);
    if (m->slope_q30) a = pw_min64(a, (accel << 29) / m->slope_q30);
    m->velocity_um_s = (int32_t)pw_max64(v, 10);
    m->accel_um_s2 = (int32_t)pw_max64(a, 1000);
}

int32_t pw_mesh_init(struct pw_mesh_state *m, const struct pw_config *cfg, const struct pw_mesh *mesh, const int32_t *height_nm)
{
    struct pw_mesh_state new = *m;
    struct pw_rough rough;
    int64_t home[3], n;
    int32_t i;
    if (mesh->nx < 2 || mesh->ny < 2 || mesh->nx > PW_SIDE_MAX || mesh->ny > PW_SIDE_MAX) return PW_E_MESH;
    n = (int64_t)mesh->nx * mesh->ny;
    if (n > cfg->mesh_points || mesh->kind < PW_MESH_BILINEAR || mesh->kind > PW_MESH_BICUBIC) return PW_E_MESH;
    for (i = 0; i < 2; i++) {
        if (mesh->spacing_um[i] < 1000 || mesh->spacing_um[i] > 1000000) return PW_E_MESH;
        if (mesh->origin_um[i] < -2000000 || mesh->origin_um[i] > 2000000) return PW_E_MESH;
    }
    if (mesh->fade_from_um < -2000000 || mesh->fade_from_um > 2000000 || mesh->fade_to_um > 2000000) return PW_E_MESH;
    for (i = 0; i < n; i++)
        if (height_nm[i] < -PW_HEIGHT_NM || height_nm[i] > PW_HEIGHT_NM) return PW_E_MESH;
    new.nx = mesh->nx;
    new.ny = mesh->ny;
    new.kind = mesh->kind;
    new.height_nm = (int32_t *)(uintptr_t)height_nm; /* read only, until they are copied */
    pw_roughness(&new, &rough);
    for (i = 0; i < 2; i++) {
        if (rough.step[i] * PW_STEEP > (int64_t)mesh->spacing_um[i] * 1000) return PW_E_MESH;
        new.origin_q32[i] = pw_nm_q32((int64_t)mesh->origin_um[i] * 1000);
        new.cells_q44[i] = pw_divq32((int64_t)1000 << 12, mesh->spacing_um[i]);
    }
    new.fade_q44 = new.fade_from_q32 = new.fade_to_q32 = new.steep_q30 = 0;
    new.fade_to_nm = INT64_MAX;
    if (mesh->fade_to_um > 0) {
        int64_t fade_um = (int64_t)mesh->fade_to_um - mesh->fade_from_um;
        if (fade_um < 1 || fade_um * 1000 < rough.height * PW_FADE) return PW_E_MESH;
        new.fade_q44 = pw_divq32((int64_t)1000 << 12, fade_um);
        new.fade_from_q32 = pw_nm_q32((int64_t)mesh->fade_from_um * 1000);
        new.fade_to_nm = (int64_t)mesh->fade_to_um * 1000;
        new.fade_to_q32 = pw_nm_q32(new.fade_to_nm);
        new.steep_q30 = pw_slope_of(rough.height, fade_um) * (new.kind == PW_MESH_BICUBIC ? 8 : 5) / 5; /* bicubic: 25/16 above points */
    }
    pw_bounds(&new, cfg, mesh, &rough);
    new.home_q32 = 0;
    for (i = 0; i < 3; i++) home[i] = pw_nm_q32((int64_t)cfg->home_um[i] * 1000);
    new.home_q32 = pw_mesh_lift(&new, home, 0);
    for (i = 0; i < n; i++) m->height_nm[i] = height_nm[i];
    new.height_nm = m->height_nm;
    *m = new;
    return PW_OK;
}
