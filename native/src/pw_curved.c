/* Place and speed at both ends make a cubic (Hermite).  Its error is largest near the middle, where it is checked; the slice is halved
 * until that is at most PW_CURVED_FIT.  A mesh of straight pieces may have it anywhere: it is checked at three places. */
#include "pw_curved.h"
#include "pw_follow.h"
#include "pw_history.h"

#define PW_CURVED_FIT ((int64_t)1 << 22) /* 1/1024 step */
#define PW_MESH_FIT 200000               /* 0.05 um */
#define PW_ONE_Q32 ((int64_t)1 << 32)

static void pw_at(int64_t x[][4], int64_t w, int64_t place[3], int64_t speed[3])
{
    int64_t q[4];
    int a;
    for (a = 0; a < 3; a++) {
        pw_shift(x[a], w, 0, q);
        place[a] = q[0];
        speed[a] = q[1];
    }
}

void pw_curved_slice(const struct pw_planner *pl, struct pw_track *tr, int64_t *end, int64_t at[4], int64_t speed[4], int64_t place[][2], int64_t v[][2])
{
    int64_t mid[4], mid_speed[4], most, span;
    int32_t m, halved = 0;
    for (m = 0; m < 3; m++) pw_kin_both(&pl->kin, m, tr->at_q32, tr->speed_q32, &place[m][0], &v[m][0]);
    pw_axes_at(pl, tr, *end, at, speed);
    for (;;) {
        span = *end - tr->time_q16;
        pw_axes_at(pl, tr, tr->time_q16 + span / 2, mid, mid_speed);
        for (m = 0, most = 0; m < 3; m++) {
            pw_kin_both(&pl->kin, m, at, speed, &place[m][1], &v[m][1]);
            most = pw_max64(most, pw_abs64(pw_kin_position(&pl->kin, m, mid) - (place[m][0] + place[m][1]) / 2 - pw_mulshift(v[m][0] - v[m][1], span, 35)));
        }
        if (most <= PW_CURVED_FIT || span < 512) break;
        *end = tr->time_q16 + span / 2;
        for (m = 0; m < 3; m++) {
            at[m] = mid[m];
            speed[m] = mid_speed[m];
        }
        halved = 1;
    }
    /* what was too long is not tried again, until a slice is far better than it has to be */
    if (halved) tr->length_q16 = span;
    else if (most < PW_CURVED_FIT / 32 && span >= tr->length_q16 / 2) tr->length_q16 = pw_min64(2 * tr->length_q16, (int64_t)1 << PW_CURVED_SCALE);
}

int pw_curved_mesh(const struct pw_planner *pl, int64_t x[4][4], int64_t u)
{
    int64_t place[3], speed[3], slope[3], z[4], p, v, q[4];
    int a, end;
    for (end = 0; end < 2; end++) {
        pw_at(x, end ? u : 0, place, speed);
        p = place[2] + pw_mesh_lift(pl->mesh, place, slope);
        v = speed[2];
        for (a = 0; a < 3; a++) v += pw_mulshift(speed[a], slope[a], 30);
        if (end) {
            pw_hermite(z, p, v, pw_divq32(PW_ONE_Q32, u));
        } else {
            z[0] = p;
            z[1] = v;
        }
    }
    for (end = 1; end < 4 && u > 65536; end++) {
        pw_at(x, u / 4 * end, place, speed);
        pw_shift(z, u / 4 * end, 0, q);
        if (pw_abs64(q[0] - place[2] - pw_mesh_lift(pl->mesh, place, 0)) > PW_MESH_FIT) return 0;
    }
    for (a = 0; a < 4; a++) x[2][a] = z[a];
    return 1;
}
