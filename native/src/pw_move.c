/* Motion commands: target, guard, then pieces into the merge.  Everything is checked before anything of the move is queued, and
 * alike in a scan.
 *
 * The document names places of the nozzle in force; the carriage (where T0's nozzle would be) stands at that place less the tool's
 * offset, plus the lift of G10.  `shift` says how it stands now, `want` how it should: T, G10 and G11 change `want`, moves catch up. */
#include "pw_front.h"
#include "pw_kin.h"

void pw_guard_init(struct pw_guard *g, const struct pw_config *cfg, int32_t side)
{
    int64_t area = 16 * (int64_t)cfg->nozzle_um * cfg->nozzle_um; /* at most 16 * 1e8 */
    int32_t i;
    for (i = 0; i < 3; i++) {
        int64_t length = (int64_t)cfg->max_um[i] - cfg->min_um[i]; /* the second context may start anywhere: one length more */
        g->min_nm[i] = (cfg->min_um[i] - (side ? length : 0)) * 1000;
        g->max_nm[i] = (cfg->max_um[i] + (side ? length : 0)) * 1000;
    }
    /* cross section at most 4 nozzle^2: e / length <= 16 nozzle^2 / (pi filament^2) */
    g->e_ratio_q24 = pw_min64(pw_divq32(area, (int64_t)cfg->filament_um * cfg->filament_um) / 804, 4 << 24); /* 2^8 pi */
    g->nozzle_nm = (int64_t)cfg->nozzle_um * 1000;
    g->e_only_nm = (int64_t)cfg->max_e_only_um * 1000;
    /* 2^29 steps, so that even with twice the flow counts stay below 2^31 */
    for (i = 0; i < PW_EXTRUDERS; i++)
        g->e_total_nm[i] = pw_min64(((int64_t)1 << 29) * 1000000000 / cfg->steps_per_m[3 + i], (int64_t)1 << 44);
    g->merge_nm = (int64_t)cfg->merge_um * 1000;
    g->chord_nm = (int64_t)cfg->chord_um * 1000;
}

void pw_tool_bounds(struct pw_front *f)
{
    const struct pw_config *c = f->cfg;
    const struct pw_guard *g = &f->guard;
    int32_t i, t = f->modal.tool, *want = f->modal.want_nm;
    want[0] = c->tool_x_um[t] * 1000; /* at most 5e8 */
    want[1] = c->tool_y_um[t] * 1000;
    want[2] = c->tool_z_um[t] * 1000;
    for (i = 0; i < 3; i++) {
        f->guard.lo_nm[i] = pw_max64(g->min_nm[i], g->min_nm[i] + want[i]);
        f->guard.hi_nm[i] = pw_min64(g->max_nm[i], g->max_nm[i] + want[i]);
    }
    want[2] -= f->modal.lift_nm[t];
}

int32_t pw_reachable(const struct pw_front *f, const int64_t at_nm[3]) { return f->kin ? pw_kin_guard(f->kin, at_nm) : PW_OK; }

/* Target of the words X Y Z E; d_e is the change of e. */
static int32_t pw_target(struct pw_front *f, int64_t to[4], int64_t *d_e)
{
    const struct pw_modal *md = &f->modal;
    int64_t nm;
    int32_t axis;
    for (axis = 0; axis < 3; axis++) {
        to[axis] = md->pos_nm[axis];
        if (!(f->text.words & pw_bit(PW_LETTER_X + axis))) continue;
        if (pw_word_nm(f, PW_LETTER_X + axis, &nm)) return pw_fail_at(f, PW_LETTER_X + axis, PW_E_NUMBER);
        to[axis] = md->relative ? to[axis] + nm : nm;
        if (to[axis] < f->guard.lo_nm[axis] || to[axis] > f->guard.hi_nm[axis]) return pw_fail_at(f, PW_LETTER_X + axis, PW_E_VOLUME);
    }
    to[3] = md->pos_nm[3];
    *d_e = 0;
    if (f->text.words & pw_bit(PW_LETTER_E)) {
        if (pw_word_nm(f, PW_LETTER_E, &nm)) return pw_fail_at(f, PW_LETTER_E, PW_E_NUMBER);
        *d_e = md->relative || md->relative_e ? nm : nm - to[3]; /* both below 2^58 */
        to[3] += *d_e;
    }
    return PW_OK;
}

/* Extrusion: length nm of path, 0 for the extruder alone. */
static int32_t pw_guard_e(struct pw_front *f, int64_t d_e, int64_t length)
{
    int64_t total, most = f->guard.e_total_nm[f->modal.tool];
    if (d_e > f->guard.e_only_nm || -d_e > f->guard.e_only_nm) {
        /* pulled back along the way, or without moving: at most what an extruder-only move may */
        if (length == 0 || d_e < 0) return pw_fail_at(f, PW_LETTER_E, PW_E_EXTRUSION);
    }
    if (length > 0 && d_e > 0 && d_e > pw_mulshift(pw_max64(length, f->guard.nozzle_nm), f->guard.e_ratio_q24, 24))
        return pw_fail_at(f, PW_LETTER_E, PW_E_EXTRUSION);
    if (d_e > 2 * most || -d_e > 2 * most) return pw_fail_at(f, PW_LETTER_E, PW_E_EXTRUSION);
    total = f->modal.e_total_nm[f->modal.tool] + d_e;
    if (total > most || -total > most) return pw_fail_at(f, PW_LETTER_E, PW_E_EXTRUSION);
    return PW_OK;
}

static int64_t pw_length_nm(const int64_t a[4], const int64_t b[4])
{
    uint64_t sum = 0;
    int64_t big = 0;
    int i, sh;
    for (i = 0; i < 3; i++) big = pw_max64(big, pw_abs64(b[i] - a[i]));
    sh = 33 - pw_clz64((uint64_t)big); /* so that each is below 2^31 */
    if (sh < 0) sh = 0;
    for (i = 0; i < 3; i++) {
        int64_t d = pw_abs64(b[i] - a[i]) >> sh;
        sum += (uint64_t)(d * d);
    }
    return (int64_t)pw_isqrt64(sum) << sh;
}

/* The longest component: a lower bound of the length that costs no root. */
static int64_t pw_reach_nm(const int64_t a[4], const int64_t b[4])
{
    return pw_max64(pw_abs64(b[0] - a[0]), pw_max64(pw_abs64(b[1] - a[1]), pw_abs64(b[2] - a[2])));
}

static int32_t pw_feedrate(struct pw_front *f)
{
    int64_t v, um_s;
    if (!(f->text.words & pw_bit(PW_LETTER_F))) return PW_OK;
    if (!(f->text.numbered & pw_bit(PW_LETTER_F))) return pw_fail_at(f, PW_LETTER_F, PW_E_NUMBER);
    v = f->text.value[PW_LETTER_F]; /* 1e-6 a minute */
    if (v <= 0) return pw_fail_at(f, PW_LETTER_F, PW_E_FEEDRATE);
    if (f->modal.inch) um_s = v / 60 * 254 / 10000;
    else um_s = v >> 37 ? v / 60000 : (int64_t)((uint32_t)(v >> 5) / 1875); /* 60000 = 32 * 1875 */
    f->modal.feed_um_s = (int32_t)pw_max64(pw_min64(um_s, INT32_MAX), 1);
    return PW_OK;
}

/* What an extruder is given for d_e of the document: times flow, with the rest carried. */
static int64_t pw_flow(struct pw_front *f, int64_t d_e)
{
    struct pw_stage *st = f->stage;
    int32_t *rest = &st->flow_rest[f->modal.tool];
    int64_t scaled, q;
    if (st->flow_permille == 1000) return d_e; /* and the rest stays */
    scaled = d_e * st->flow_permille + *rest; /* d_e below 2^48: see e_total_nm */
    q = scaled / 1000;
    if (scaled - q * 1000 < 0) q--;
    *rest = (int32_t)(scaled - q * 1000);
    return q;
}

static int32_t pw_scale_speed(int32_t um_s, int32_t permille)
{
    int64_t v;
    if (permille == 1000) return um_s;
    v = (int64_t)um_s * permille / 1000;
    return (int32_t)pw_max64(pw_min64(v, INT32_MAX), 1);
}

static int pw_inside(const struct pw_front *f, int32_t axis, int64_t nm) { return nm >= f->guard.lo_nm[axis] && nm <= f->guard.hi_nm[axis]; }

/* The machine's z for a document's, with baby steps, which never lead out of the travel limits. */
static int64_t pw_baby_z(const struct pw_front *f, int64_t z)
{
    return pw_max64(pw_min64(z + f->stage->baby_nm, f->guard.max_nm[2]), f->guard.min_nm[2]);
}

/* A leg from where the stage stands, of which the caller then changes what it likes. */
static struct pw_leg *pw_leg_begin(struct pw_front *f, struct pw_leg *leg, int32_t velocity, int32_t accel)
{
    int32_t i;
    for (i = 0; i < 4; i++) leg->to_nm[i] = f->stage->at_nm[i];
    leg->velocity_um_s = velocity;
    leg->accel_um_s2 = accel;
    return leg;
}

/* Which axes take the offset and lift that the tool in force wants, with a move to `to`: shift becomes what holds behind it.  A travel
 * takes them on its way; *before: the place of the nozzle in force comes first, since it draws from there. */
static int32_t pw_catch_up(struct pw_front *f, int64_t to[4], int draws, int32_t shift[3], int *before)
{
    struct pw_modal *md = &f->modal;
    int32_t i, *lift = &md->lift_nm[md->tool];
    if (*lift && to[2] + *lift > f->guard.hi_nm[2]) { /* the lift ends at the top */
        int32_t less = (int32_t)pw_max64(f->guard.hi_nm[2] - to[2], 0);
        if (shift[2] == md->want_nm[2]) shift[2] += *lift - less;
        md->want_nm[2] += *lift - less;
        *lift = less;
    }
    for (i = 0; i < 3; i++) {
        int reachable = pw_inside(f, i, md->pos_nm[i]);
        if (shift[i] == md->want_nm[i]) continue;
        if (draws ? !reachable : !reachable && !(f->text.words & pw_bit(PW_LETTER_X + i))) {
            if (draws) return pw_fail_at(f, -1, PW_E_VOLUME);
            continue; /* it stays where it is until it is named */
        }
        shift[i] = md->want_nm[i];
        *before = draws;
    }
    return PW_OK;
}

int32_t pw_move(struct pw_front *f, int32_t number)
{
    struct pw_modal *md = &f->modal;
    struct pw_stage *st = f->stage;
    uint32_t axes = pw_bit(PW_LETTER_X) | pw_bit(PW_LETTER_Y) | pw_bit(PW_LETTER_Z) | pw_bit(PW_LETTER_E);
    uint32_t allowed = axes | pw_bit(PW_LETTER_F), arc = pw_bit(PW_LETTER_I) | pw_bit(PW_LETTER_J) | pw_bit(PW_LETTER_K) | pw_bit(PW_LETTER_R);
    struct pw_travel scratch, *tr = st ? &st->travel : &scratch;
    int64_t to[4], d_e, length, start[3], m[3];
    int64_t owed;
    int32_t i, err, accel, velocity, shift[3];
    enum pw_skipped skipped = PW_SKIP_NO;
    int before = 0, alone;
    if (number >= 2) allowed |= arc & ~pw_bit(md->plane == 17 ? PW_LETTER_K : md->plane == 18 ? PW_LETTER_J : PW_LETTER_I);
    if (f->text.words & ~allowed)
        for (i = 0; i < PW_WORDS; i++)
            if (f->text.words & ~allowed & pw_bit(i)) return pw_fail_at(f, i, PW_E_WORD);
    if ((err = pw_feedrate(f))) return err;
    if (number < 2 && !(f->text.words & axes)) return PW_OK;
    if ((err = pw_target(f, to, &d_e))) return err;
    if (md->feed_um_s == 0) return pw_fail_at(f, -1, PW_E_NO_FEEDRATE);
    tr->arc = number >= 2;
    if (tr->arc) {
        if ((err = pw_arc_solve(f, number == 2, md->pos_nm, to, tr, &length))) return err;
    } else {
        length = pw_reach_nm(md->pos_nm, to);
        if (length > 0 && d_e > pw_mulshift(length, f->guard.e_ratio_q24, 24)) length = pw_length_nm(md->pos_nm, to);
    }
    if ((err = pw_guard_e(f, d_e, length))) return err;
    if (d_e > 0 && f->cold & pw_bit(md->tool)) return pw_fail_at(f, PW_LETTER_E, PW_E_COLD);
    alone = length == 0 && d_e != 0; /* the extruder alone: the carriage stays */
    for (i = 0; i < 3; i++) shift[i] = md->shift_nm[i];
    if (!alone && (shift[0] != md->want_nm[0] || shift[1] != md->want_nm[1] || shift[2] != md->want_nm[2] || md->lift_nm[md->tool]) &&
        (err = pw_catch_up(f, to, tr->arc || d_e > 0, shift, &before)))
        return err;
    for (i = 0; i < 3; i++) { /* the machine's places before and behind the move */
        start[i] = md->pos_nm[i] - shift[i];
        m[i] = to[i] - shift[i];
    }
    if (!alone && (err = pw_reachable(f, m))) return pw_fail_at(f, -1, err);
    if (before && (err = pw_reachable(f, start))) return pw_fail_at(f, -1, err);
    if (f->kin && !tr->arc && !alone && (err = pw_kin_guard_line(f->kin, start, m))) return pw_fail_at(f, -1, err);
    if (tr->arc) {
        for (i = 0; i < 2; i++) tr->center_nm[i] -= shift[tr->plane[i]];
        if ((err = pw_arc_reach(f, tr, start, m))) return pw_fail_at(f, -1, err);
    }
    f->moves++;
    md->e_total_nm[md->tool] += d_e;
    if (st) { /* z alone waits for x or y as well: nothing is to be done over what was left out */
        int still = alone || (!tr->arc && d_e <= 0 && m[0] == start[0] && m[1] == start[1]);
        skipped = pw_skip_move(f, d_e, pw_baby_z(f, pw_max64(start[2], m[2])), still, &owed);
    }
    if (st && skipped != PW_SKIP_OUT) {
        accel = length == 0 ? md->retract_accel_um_s2 : d_e > 0 ? md->print_accel_um_s2 : md->travel_accel_um_s2;
        velocity = pw_scale_speed(md->feed_um_s, st->speed_permille);
        if (length && velocity > f->cfg->max_velocity_um_s) velocity = f->cfg->max_velocity_um_s;
        pw_leg_begin(f, &tr->leg, velocity, accel);
        if (tr->arc) {
            int64_t baby = pw_baby_z(f, start[2]) - start[2];
            for (i = 0; i < 2; i++)
                if (tr->plane[i] == 2) tr->center_nm[i] += baby;
            start[2] += baby;
            before |= start[0] != st->at_nm[0] || start[1] != st->at_nm[1] || start[2] != st->at_nm[2];
        }
        if (before) {
            pw_leg_begin(f, &st->first, velocity, md->travel_accel_um_s2);
            for (i = 0; i < 2; i++) st->first.to_nm[i] = start[i];
            st->first.to_nm[2] = tr->arc ? start[2] : pw_baby_z(f, start[2]);
            f->todo |= PW_TODO_FIRST;
        }
        if (tr->arc) {
            for (i = 0; i < 4; i++) tr->from_nm[i] = before ? st->first.to_nm[i] : st->at_nm[i];
            tr->k = 0;
        }
        if (!alone) {
            for (i = 0; i < 2; i++) tr->leg.to_nm[i] = m[i];
            tr->leg.to_nm[2] = pw_baby_z(f, m[2]);
        }
        tr->leg.to_nm[3] += pw_flow(f, d_e);
        if (skipped == PW_SKIP_BACK) {
            int64_t back[3];
            for (i = 0; i < 3; i++) back[i] = alone ? st->at_nm[i] : tr->arc || d_e > 0 ? start[i] : m[i];
            if (!alone && !tr->arc) back[2] = pw_baby_z(f, back[2]);
            owed = pw_flow(f, owed);
            pw_skip_back(f, back, owed);
            tr->leg.to_nm[3] += owed;
            st->first.to_nm[3] += owed;
            tr->from_nm[3] += owed;
        }
        f->todo |= PW_TODO_TRAVEL;
    }
    for (i = 0; i < 4; i++) md->pos_nm[i] = to[i];
    for (i = 0; i < 3; i++) md->shift_nm[i] = shift[i];
    return PW_OK;
}

static int64_t pw_home_nm(const struct pw_front *f, int32_t axis) { return (int64_t)f->cfg->home_um[axis] * 1000; }

/* G28: the named axes travel to their home position, x and y together at full speed, then z.  A lift ends there. */
int32_t pw_home_travel(struct pw_front *f, uint32_t words)
{
    struct pw_modal *md = &f->modal;
    struct pw_stage *st = f->stage;
    uint32_t xyz = pw_bit(PW_LETTER_X) | pw_bit(PW_LETTER_Y) | pw_bit(PW_LETTER_Z);
    int32_t i;
    if (!(words & xyz)) words = xyz;
    f->todo |= PW_TODO_PUSH | PW_TODO_FLUSH;
    if (words & pw_bit(PW_LETTER_Z)) {
        md->lift_nm[md->tool] = 0;
        pw_tool_bounds(f);
    }
    for (i = 0; i < 3; i++) {
        if (!(words & pw_bit(PW_LETTER_X + i))) continue;
        md->shift_nm[i] = md->want_nm[i];
        md->pos_nm[i] = pw_home_nm(f, i) + md->want_nm[i];
    }
    if (!st) return PW_OK;
    st->travel.arc = 0;
    pw_leg_begin(f, &st->first, f->cfg->max_velocity_um_s, f->cfg->max_accel_um_s2);
    for (i = 0; i < 2; i++)
        if (words & pw_bit(PW_LETTER_X + i)) st->first.to_nm[i] = pw_home_nm(f, i);
    st->travel.leg = st->first;
    if (words & pw_bit(PW_LETTER_Z)) {
        st->travel.leg.to_nm[2] = pw_home_nm(f, 2);
        st->travel.leg.velocity_um_s = md->axis_velocity_um_s[2];
    }
    f->todo |= PW_TODO_FIRST | PW_TODO_TRAVEL;
    return PW_OK;
}

/* G10: draws the filament back, then lifts z; G11: lowers it, then pushes the filament forward.  Each does nothing the second time. */
int32_t pw_retract(struct pw_front *f, int32_t back)
{
    struct pw_modal *md = &f->modal;
    struct pw_stage *st = f->stage;
    const struct pw_config *c = f->cfg;
    uint32_t bit = pw_bit(md->tool);
    int64_t owed, d = back ? c->retract_um + c->unretract_extra_um : -(int64_t)c->retract_um;
    enum pw_skipped skipped;
    int32_t err, follows = md->shift_nm[2] == md->want_nm[2], lift = 0;
    if ((err = pw_no_words(f, PW_E_DIALECT))) return err;
    if (c->retract_um == 0) return pw_fail_at(f, -1, PW_E_RETRACT);
    if (back == !(md->retracted & bit)) return PW_OK;
    if (back && f->cold & bit) return pw_fail_at(f, -1, PW_E_COLD);
    d *= 1000;
    if (pw_abs64(md->e_total_nm[md->tool] + d) > f->guard.e_total_nm[md->tool]) return pw_fail_at(f, -1, PW_E_EXTRUSION);
    md->e_total_nm[md->tool] += d;
    md->retracted ^= bit;
    f->moves++;
    /* z that waits for a new tool's place goes along, unless that cannot be reached yet */
    follows = follows || pw_inside(f, 2, md->pos_nm[2]);
    if (!back && follows) lift = (int32_t)pw_max64(pw_min64((int64_t)c->retract_lift_um * 1000, f->guard.hi_nm[2] - md->pos_nm[2]), 0);
    if (!lift && !md->lift_nm[md->tool]) follows = 0; /* no lift: z stays */
    md->lift_nm[md->tool] = lift;
    pw_tool_bounds(f);
    if (follows) md->shift_nm[2] = md->want_nm[2];
    if (!st || (skipped = pw_skip_move(f, d, st->at_nm[2], 1, &owed)) == PW_SKIP_OUT) return PW_OK;
    pw_leg_begin(f, &st->first, back ? c->unretract_um_s : c->retract_um_s, md->retract_accel_um_s2);
    st->first.to_nm[3] += d;
    st->travel.arc = 0;
    st->travel.leg = st->first;
    if (follows) {
        struct pw_leg *z = back ? &st->first : &st->travel.leg;
        z->to_nm[2] = pw_baby_z(f, md->pos_nm[2] - md->shift_nm[2]);
        st->travel.leg.to_nm[2] = z->to_nm[2];
        if (back) z->to_nm[3] -= d;
        z->velocity_um_s = md->axis_velocity_um_s[2];
        z->accel_um_s2 = md->travel_accel_um_s2;
        f->todo |= PW_TODO_FIRST;
    }
    if (skipped == PW_SKIP_BACK) {
        owed = pw_flow(f, owed);
        pw_skip_back(f, st->at_nm, owed);
        st->first.to_nm[3] += owed;
        st->travel.leg.to_nm[3] += owed;
    }
    f->todo |= PW_TODO_TRAVEL;
    return PW_OK;
}

/* One piece into the merge. */
static int32_t pw_piece(struct pw_front *f, struct pw_line *ln, const struct pw_leg *leg)
{
    struct pw_stage *st = f->stage;
    const struct pw_modal *md = &f->modal;
    int32_t i, err;
    for (i = 0; i < 4; i++) ln->from_nm[i] = st->at_nm[i];
    ln->velocity_um_s = leg->velocity_um_s;
    ln->accel_um_s2 = leg->accel_um_s2;
    ln->corner_um_s = md->corner_um_s;
    ln->e_corner_um_s = md->e_corner_um_s;
    for (i = 0; i < 3; i++) {
        ln->axis_velocity_um_s[i] = md->axis_velocity_um_s[i];
        ln->axis_accel_um_s2[i] = md->axis_accel_um_s2[i];
    }
    ln->e_velocity_um_s = md->e_velocity_um_s;
    ln->e_accel_um_s2 = md->e_accel_um_s2;
    ln->tool = md->tool;
    ln->advance_us = 0;
    if (ln->to_nm[3] > ln->from_nm[3] && (ln->to_nm[0] != ln->from_nm[0] || ln->to_nm[1] != ln->from_nm[1])) ln->advance_us = md->advance_us[md->tool];
    err = pw_merge_line(&st->merge, st->planner, ln, f->guard.merge_nm);
    if (err) return err;
    for (i = 0; i < 4; i++) st->at_nm[i] = ln->to_nm[i];
    return PW_OK;
}

int32_t pw_leg_run(struct pw_front *f, const struct pw_leg *leg)
{
    struct pw_stage *st = f->stage;
    struct pw_line ln;
    int32_t i, err;
    for (;;) {
        int64_t longest = 0;
        for (i = 0; i < 4; i++) longest = pw_max64(longest, pw_abs64(leg->to_nm[i] - st->at_nm[i]));
        if (longest == 0) return PW_OK;
        for (i = 0; i < 4; i++) ln.to_nm[i] = leg->to_nm[i];
        if (longest >= PW_PIECE_NM) { /* of the pieces that are left, one */
            int64_t n = longest / PW_PIECE_NM + 1;
            for (i = 0; i < 4; i++) ln.to_nm[i] = st->at_nm[i] + (leg->to_nm[i] - st->at_nm[i]) / n;
        }
        if ((err = pw_piece(f, &ln, leg))) return err;
    }
}

int32_t pw_travel_run(struct pw_front *f)
{
    struct pw_travel *tr = &f->stage->travel;
    struct pw_line ln;
    int32_t i, err;
    if (!tr->arc) return pw_leg_run(f, &tr->leg);
    for (; tr->k < tr->n; tr->k++) {
        int32_t k = tr->k + 1;
        for (i = 0; i < 4; i++) ln.to_nm[i] = tr->leg.to_nm[i];
        if (k != tr->n) {
            int64_t ab[2];
            for (i = 2; i < 4; i++) { /* k below 2^20, differences below 2^41 */
                int32_t axis = i == 2 ? tr->plane[2] : 3;
                int64_t d = tr->leg.to_nm[axis] - tr->from_nm[axis];
                if (d) ln.to_nm[axis] = tr->from_nm[axis] + d / tr->n * k + d % tr->n * k / tr->n;
            }
            pw_arc_point(tr, k, ab);
            for (i = 0; i < 2; i++) {
                int32_t axis = tr->plane[i];
                ln.to_nm[axis] = pw_max64(pw_min64(ab[i], f->guard.max_nm[axis]), f->guard.min_nm[axis]);
            }
        }
        if ((err = pw_piece(f, &ln, &tr->leg))) return err;
    }
    return PW_OK;
}
