#include "pw_history.h"

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
    k[2] = pw_mulshift(3 * d - 2 * v0 - v1, inv, 32);
    k[3] = pw_mulshift(pw_mulshift(v0 + v1 - 2 * d, inv, 32), inv, 32);
}

void pw_history_rest(const struct pw_planner *pl, struct pw_piece *p, int64_t start, int32_t scale)
{
    int64_t at[4];
    int a, j;
    for (a = 0; a < 4; a++) at[a] = pw_nm_q32(pl->pos_nm[a < 3 ? a : 3 + pl->tool]);
    if (pw_mesh_of(pl)) at[2] += pw_mesh_lift(pl->mesh, at, 0);
    p->start_q16 = start;
    p->scale = scale;
    p->reserved = 0;
    for (a = 0; a < 4; a++)
        for (j = 0; j < 4; j++) p->k_q32[a][j] = j ? 0 : at[a];
}

void pw_history_reset(struct pw_planner *pl)
{
    pl->piece_head = 1;
    pl->piece_open = 0;
    pw_history_rest(pl, pl->pieces, pl->front_q16 - ((int64_t)1 << 50), 51);
}

int pw_history_room(const struct pw_planner *pl)
{
    uint32_t most = 0;
    int32_t t, i;
    for (t = 0; t < pl->n_tracks; t++)
        for (i = 0; i < pl->tracks[t].taps; i++) {
            uint32_t held = pl->piece_head - pl->tracks[t].tap[i];
            if (held > most) most = held;
        }
    return most + 3 <= pl->piece_size;
}

/* The end of a piece in slot piece_head from which on it is long enough to keep: any PW_PIECE_MEAN pieces last piece_min_q16. */
static int64_t pw_keep_from(const struct pw_planner *pl)
{
    if (pl->piece_head <= PW_PIECE_MEAN || pl->piece_min_q16 == 0) return INT64_MIN;
    return pw_piece_at(pl, pl->piece_head - PW_PIECE_MEAN + 1)->start_q16 + pl->piece_min_q16;
}

static void pw_publish_piece(struct pw_planner *pl, int64_t end)
{
    pl->piece_head++;
    pl->front_q16 = end;
    pl->piece_open = 0;
}

void pw_history_add(struct pw_planner *pl, const struct pw_piece *piece, int64_t end)
{
    struct pw_piece *slot = pw_piece_at(pl, pl->piece_head), rest;
    int64_t from = pw_keep_from(pl), q[4], inv;
    int32_t a, scale;
    if (!pl->piece_open) {
        *slot = *piece;
        if (end >= from) pw_publish_piece(pl, end);
        else pl->piece_open = 1;
        pl->open_end_q16 = end;
        return;
    }
    pl->piece_joined++;
    /* the open piece goes on to `cut` within this one */
    {
        int64_t cut = pw_min64(end, pw_max64(from, piece->start_q16 + 1)), w = pw_share(cut - piece->start_q16, piece->scale);
        scale = pw_scale_of(cut - slot->start_q16);
        inv = pw_divq32((int64_t)1 << scale, cut - slot->start_q16);
        rest = *piece;
        rest.start_q16 = cut;
        rest.scale = pw_scale_of(end - cut);
        for (a = 0; a < 4; a++) {
            int64_t *k = slot->k_q32[a];
            pw_shift(piece->k_q32[a], w, 0, q);
            k[1] = pw_shl(k[1], scale - slot->scale);
            pw_hermite(k, q[0], scale >= piece->scale ? pw_shl(q[1], scale - piece->scale) : pw_asr(q[1], piece->scale - scale), inv);
            pw_shift(piece->k_q32[a], w, piece->scale - rest.scale, rest.k_q32[a]);
        }
        slot->scale = scale;
        pl->open_end_q16 = cut;
        if (cut < from) return;
        pw_publish_piece(pl, cut);
        if (cut == end) return;
    }
    slot = pw_piece_at(pl, pl->piece_head);
    *slot = rest;
    pl->open_end_q16 = end;
    if (end >= pw_keep_from(pl)) pw_publish_piece(pl, end);
    else pl->piece_open = 1;
}
