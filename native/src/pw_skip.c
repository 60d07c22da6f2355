/* Moves of the document that are left out, since their object was canceled, and the way back.
 *
 * The document's position goes on without the machine.  The first move across that is made again begins where the document has the
 * nozzle (a travel: where it ends), so first the machine goes there: straight up to the highest place that was left out (the document
 * lifted over what is printed there), across, down.  Filament that the document has drawn back meanwhile, and the machine has not, is
 * drawn back before; what it has pushed forward again is pushed behind.  What it has extruded is not made up for. */
#include "pw_front.h"
#include "pw_math.h"

enum { STEP_DRAW = 0, STEP_UP, STEP_ACROSS, STEP_DOWN, STEP_PUSH, STEPS };
enum { PW_DRAWN_MAX_NM = 1000000000 };

enum pw_skipped pw_skip_move(struct pw_front *f, int64_t d_e, int64_t z_nm, int still, int64_t *owed_nm)
{
    struct pw_skip *sk = f->stage->skip;
    int32_t *drawn, *real;
    int away;
    *owed_nm = 0;
    if (!sk) return PW_SKIP_NO;
    drawn = &sk->drawn_nm[f->modal.tool];
    real = &sk->real_nm[f->modal.tool];
    *owed_nm = (int64_t)*real - *drawn;
    *drawn = (int32_t)pw_max64(pw_min64(*drawn - d_e, PW_DRAWN_MAX_NM), 0);
    if (sk->on || (sk->away && still)) {
        if (!sk->away) sk->high_nm = z_nm;
        sk->away = 1;
        sk->high_nm = pw_max64(sk->high_nm, z_nm);
        return PW_SKIP_OUT;
    }
    *real = *drawn;
    away = sk->away || *owed_nm;
    sk->away = 0;
    return away ? PW_SKIP_BACK : PW_SKIP_NO;
}

void pw_skip_back(struct pw_front *f, const int64_t to_nm[3], int64_t e_nm)
{
    struct pw_skip *sk = f->stage->skip;
    int32_t i;
    for (i = 0; i < 3; i++) sk->to_nm[i] = to_nm[i];
    sk->to_nm[3] = f->stage->at_nm[3] + e_nm;
    sk->step = STEP_DRAW;
    f->todo |= PW_TODO_BACK;
}

/* The leg of the step in work, from where the stage stands; the same again after the queue was full. */
static void pw_skip_leg(const struct pw_front *f, struct pw_leg *leg)
{
    const struct pw_stage *st = f->stage;
    const struct pw_skip *sk = st->skip;
    const struct pw_config *c = f->cfg;
    int64_t above[3];
    int32_t i, step = sk->step;
    for (i = 0; i < 4; i++) leg->to_nm[i] = st->at_nm[i];
    leg->velocity_um_s = c->max_velocity_um_s;
    leg->accel_um_s2 = f->modal.travel_accel_um_s2;
    if (step == STEP_UP) {
        leg->to_nm[2] = above[2] = pw_max64(pw_max64(st->at_nm[2], sk->to_nm[2]), sk->high_nm);
        for (i = 0; i < 2; i++) above[i] = sk->to_nm[i];
        if (pw_reachable(f, leg->to_nm) || pw_reachable(f, above)) leg->to_nm[2] = pw_max64(st->at_nm[2], sk->to_nm[2]);
    } else if (step == STEP_ACROSS) {
        for (i = 0; i < 2; i++) leg->to_nm[i] = sk->to_nm[i];
    } else if (step == STEP_DOWN) {
        leg->to_nm[2] = sk->to_nm[2];
    } else if (step == STEP_DRAW ? sk->to_nm[3] < st->at_nm[3] : sk->to_nm[3] > st->at_nm[3]) {
        leg->to_nm[3] = sk->to_nm[3];
        leg->velocity_um_s = step == STEP_DRAW ? c->retract_um_s : c->unretract_um_s;
        leg->accel_um_s2 = f->modal.retract_accel_um_s2;
    }
}

int32_t pw_skip_run(struct pw_front *f)
{
    struct pw_skip *sk = f->stage->skip;
    struct pw_leg leg;
    int32_t err;
    for (; sk->step < STEPS; sk->step++) {
        pw_skip_leg(f, &leg);
        if ((err = pw_leg_run(f, &leg))) return err;
    }
    return PW_OK;
}
