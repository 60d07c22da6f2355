#include "pw_history.h"
#include "pw_advance.h"

uint32_t pw_history_size(const struct pw_config *cfg)
{
    int32_t any = cfg->shaper[0] | cfg->shaper[1] | cfg->shaper[2], i;
    for (i = 0; i < PW_MOTORS - 3; i++) any |= cfg->advance_us[i];
    if (any) return cfg->window < 256 ? 64 : 128;
    return cfg->kinematics == PW_DELTA || cfg->mesh_points ? PW_PIECE_SPARE : 0;
}

int32_t pw_scale_of(int64_t span_q16)
{
    int32_t n = 64 - pw_clz64((uint64_t)(span_q16 > 0 ? span_q16 - 1 : 0));
    return n < PW_PIECE_SCALE ? PW_PIECE_SCALE : n;
}

/* Bounds: |k| below 2^53 (mm Q32 of E), w at most 1, so sums stay below 2^56. */
void pw_shift(const int64_t k[4], int64_t w, int32_t down, int64_t out[4])
{
    if ((k[2] | k[3]) == 0) {
        out[0] = k[1] ? k[0] + pw_mulshift(k[1], w, 32) : k[0];
        out[1] = pw_asr(k[1], down < 63 ? down : 63);
        out[2] = out[3] = 0;
    } else {
        int64_t a = pw_mulshift(k[3], w, 32), b = k[2] + a, c = k[1] + pw_mulshift(b, w, 32);
        out[0] = k[0] + pw_mulshift(c, w, 32);
        b += a;
        out[1] = pw_asr(c + pw_mulshift(b, w, 32), down < 63 ? down : 63);
        out[2] = pw_asr(b + a, 2 * down < 63 ? 2 * down : 63);
        out[3] = pw_asr(k[3], 3 * down < 63 ? 3 * down : 63);
    }
}

void pw_hermite(int64_t k[4], int64_t p1, int64_t v1, int64_t inv)
{
    int64_t d = pw_mulshift(p1 - k[0], inv, 32), v0 = k[1];
    if (inv > (int64_t)1 << 40) { /* so short that rounding is all that would be seen */
        k[2] = k[3] = 0;
        return;
    }
    k[2] = pw_mulshift(3 * d - 2 * v0 - v1, inv, 32);
    k[3] = pw_mulshift(pw_mulshift(v0 + v1 - 2 * d, inv, 32), inv, 32);
}

int64_t pw_piece_place(const struct pw_piece *p, int32_t axis, int64_t time, int64_t *speed)
{
    const int32_t *k = p->k[axis];
    int64_t w, b, d, e;
    int32_t up = p->up[axis], rate = up + 32 - p->scale;
    if ((k[0] | k[1] | k[2]) == 0) {
        *speed = 0;
        return p->at_q32[axis];
    }
    w = pw_share(time - p->start_q16, p->scale);
    if ((k[1] | k[2]) == 0) {
        *speed = pw_scaled(k[0], rate);
        return p->at_q32[axis] + pw_shl(pw_mulshift(k[0], w, 32), up);
    }
    b = pw_mulshift(k[2], w, 32);
    d = pw_mulshift(k[1] + b, w, 32);
    e = k[0] + d;
    *speed = pw_scaled(e + d + pw_mulshift(b, w, 32), rate);
    return p->at_q32[axis] + pw_shl(pw_mulshift(e, w, 32), up);
}

void pw_piece_axis(const struct pw_piece *p, int32_t axis, int64_t k[4])
{
    int32_t j;
    k[0] = p->at_q32[axis];
    for (j = 0; j < 3; j++) k[j + 1] = pw_shl(p->k[axis][j], p->up[axis]);
}

/* The stretch becomes a piece that ends at `end`. */
static void pw_publish(struct pw_planner *pl, const struct pw_stretch *st, int64_t end)
{
    struct pw_piece *p = pw_piece_at(pl, pl->piece_head);
    int32_t a, j;
    p->start_q16 = st->start_q16;
    p->scale = (int8_t)st->scale;
    p->rest = 1;
    for (a = 0; a < 4; a++) {
        const int64_t *k = st->k_q32[a];
        int32_t up = 33 - pw_clz64((uint64_t)(pw_abs64(k[1]) | pw_abs64(k[2]) | pw_abs64(k[3]))); /* to 31 bits and the sign */
        if (up < 0) up = 0;
        p->at_q32[a] = k[0];
        p->up[a] = (int8_t)up;
        for (j = 0; j < 3; j++) {
            p->k[a][j] = (int32_t)pw_asr(k[j + 1], up);
            if (p->k[a][j]) p->rest = 0;
        }
        p->jump[a] = st->jump[a];
    }
    if (pl->half_q16 && p->jump[PW_AXIS_E] == PW_CORNER) { /* joined of others */
        int64_t most = pw_scaled(2 * pw_abs64(st->k_q32[PW_AXIS_E][2]) + 6 * pw_abs64(st->k_q32[PW_AXIS_E][3]), 2 * (32 - st->scale));
        p->jump[PW_AXIS_E] = (int8_t)((64 - pw_clz64((uint64_t)most)) | (PW_CLASS + 1));
    }
    p->sum_q32 = PW_WITH_SHAPING && pl->half_q16 && pl->piece_head ? pw_advance_sum(pl, pw_piece_at(pl, pl->piece_head - 1), st->start_q16) : 0;
    pl->piece_head++;
    pl->front_q16 = end;
}

void pw_history_breaks(struct pw_planner *pl, struct pw_stretch *st, const struct pw_onset *on)
{
    int64_t rate, was, push = on->push_q32 - pl->last_push_q32;
    int32_t a;
    for (a = 0; a < 4; a++) {
        rate = on->rate_q32[a];
        was = pl->last_rate_q32[a];
        if (a == PW_AXIS_E && pl->half_q16) {
            int64_t most = pw_mulshift(pw_abs64(rate), on->accel_q32, 32);
            if (on->jerk) most += pw_mulshift(pw_abs64(on->push_q32), pl->jerk_q32, 32);
            st->jump[a] = (int8_t)(64 - pw_clz64((uint64_t)most));
            rate -= was;
            if (pw_mulshift(pw_abs64(push), on->speed_q32, 32) > pl->push_q32 ||
                pw_mulshift(pw_abs64(rate), on->speed_q32, 32) + pw_mulshift(pw_abs64(push), on->accel_q32, 32) > pl->flow_q32)
                st->jump[a] |= PW_CLASS + 1;
        } else if (rate != was && pw_mulshift(pw_abs64(rate - was), on->speed_q32, 32) > pl->corner_q32) {
            st->jump[a] = PW_CORNER;
        } else {
            rate = pw_mulshift(pw_abs64(on->jerk * rate - pl->last_jerk * was), pl->sense_q32[a], 32) + 0xFFFFFFFF;
            st->jump[a] = (int8_t)pw_min64(rate >> 32, PW_CORNER);
        }
        if (pl->corner && a == PW_AXIS_E && pl->half_q16) st->jump[a] |= PW_CLASS + 1;
        else if (pl->corner || (a == 2 && pw_mesh_of(pl))) st->jump[a] = PW_CORNER;
        pl->last_rate_q32[a] = on->rate_q32[a];
    }
    pl->last_push_q32 = on->push_q32;
    pl->last_jerk = on->jerk;
    pl->corner = 0;
}

static void pw_standing(const struct pw_planner *pl, struct pw_stretch *st, int64_t start, int32_t scale)
{
    int64_t at[4];
    int a, j;
    for (a = 0; a < 4; a++) at[a] = pw_nm_q32(pl->pos_nm[a < 3 ? a : 3 + pl->tool]);
    if (pw_mesh_of(pl)) at[2] += pw_mesh_lift(pl->mesh, at, 0);
    st->start_q16 = start;
    st->scale = scale;
    for (a = 0; a < 4; a++) {
        st->jump[a] = 0;
        for (j = 0; j < 4; j++) st->k_q32[a][j] = j ? 0 : at[a];
    }
}

void pw_history_rest(struct pw_planner *pl, int64_t start, int64_t end)
{
    static const int64_t none[4];
    struct pw_onset on = {none, 0, 0, 0, 0};
    struct pw_stretch st;
    if (pw_history_moment(pl, start, end)) return;
    pw_standing(pl, &st, start, pw_scale_of(end - start));
    pw_history_breaks(pl, &st, &on);
    pw_history_add(pl, &st, end);
}

int pw_history_moment(const struct pw_planner *pl, int64_t start, int64_t end) { return pl->join_q16 && end - start < PW_MOMENT; }

void pw_history_reset(struct pw_planner *pl)
{
    struct pw_stretch st;
    int32_t a;
    pl->piece_head = 0;
    pl->piece_tail = 0;
    pl->piece_open = 0;
    pl->corner = 0;
    pl->last_jerk = 0;
    pl->last_push_q32 = 0;
    for (a = 0; a < 4; a++) pl->last_rate_q32[a] = 0;
    pw_standing(pl, &st, pl->front_q16 - ((int64_t)1 << 50), 51);
    pw_publish(pl, &st, pl->front_q16);
}

int pw_history_room(struct pw_planner *pl)
{
    uint32_t most = 0;
    int32_t t;
    if (pl->piece_head - pl->piece_tail + 3 <= pl->piece_size) return 1;
    for (t = 0; t < pl->n_tracks; t++) {
        uint32_t held = pl->piece_head - pl->tracks[t].tap[pl->tracks[t].oldest];
        if (held > most) most = held;
    }
    pl->piece_tail = pl->piece_head - most;
    return most + 3 <= pl->piece_size;
}

/* The end of a piece in slot piece_head from which on it is long enough to keep: any PW_PIECE_MEAN pieces last piece_min_q16. */
static int64_t pw_keep_from(const struct pw_planner *pl)
{
    if (pl->piece_head <= PW_PIECE_MEAN || pl->piece_min_q16 == 0) return INT64_MIN;
    return pw_piece_at(pl, pl->piece_head - PW_PIECE_MEAN + 1)->start_q16 + pl->piece_min_q16;
}

/* The open stretch goes on to `cut` within this one. */
static void pw_lengthen(struct pw_planner *pl, const struct pw_stretch *st, int64_t cut)
{
    struct pw_stretch *open = &pl->brief;
    int64_t w = pw_share(cut - st->start_q16, st->scale), inv, q[4];
    int32_t a, scale = pw_scale_of(cut - open->start_q16);
    inv = pw_divq32((int64_t)1 << scale, cut - open->start_q16);
    for (a = 0; a < 4; a++) {
        int64_t *k = open->k_q32[a];
        pw_shift(st->k_q32[a], w, 0, q);
        k[1] = pw_shl(k[1], scale - open->scale);
        pw_hermite(k, q[0], pw_scaled(q[1], scale - st->scale), inv);
        open->jump[a] = PW_CORNER;
    }
    open->scale = scale;
    pl->open_end_q16 = cut;
    pl->corner = 1;
}

void pw_history_add(struct pw_planner *pl, struct pw_stretch *st, int64_t end)
{
    int64_t from = pw_keep_from(pl), late = st->start_q16 - (pl->piece_open ? pl->open_end_q16 : pl->front_q16);
    if (late) { /* a moment was left out */
        int64_t back = -pw_share(late, st->scale);
        int32_t a;
        for (a = 0; a < 4; a++) pw_shift(st->k_q32[a], back, 0, st->k_q32[a]);
        st->start_q16 -= late;
    }
    if (pl->piece_open) {
        int64_t cut = pw_min64(end, pw_max64(from, st->start_q16 + 1)), w = pw_share(cut - st->start_q16, st->scale);
        struct pw_stretch rest = *st;
        int32_t a;
        pl->piece_joined++;
        pw_lengthen(pl, st, cut);
        if (cut < from) return;
        pl->piece_open = 0;
        pw_publish(pl, &pl->brief, cut);
        if (cut == end) return;
        rest.start_q16 = cut;
        rest.scale = pw_scale_of(end - cut);
        for (a = 0; a < 4; a++) {
            pw_shift(st->k_q32[a], w, st->scale - rest.scale, rest.k_q32[a]);
            rest.jump[a] = PW_CORNER;
        }
        pl->brief = rest;
        from = pw_keep_from(pl);
    } else {
        pl->brief = *st;
    }
    pl->open_end_q16 = end;
    if (end >= from) pw_publish(pl, &pl->brief, end);
    else pl->piece_open = 1;
}
