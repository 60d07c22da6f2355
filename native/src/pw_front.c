/* One text in progress: takes lines, and does what each leaves to do before the next byte is looked at. */
#include "pw_front.h"
#include "pw_math.h"

void pw_zero(void *mem, size_t n)
{
    unsigned char *p = mem;
    while (n--) *p++ = 0;
}

void pw_front_begin(struct pw_front *f, const struct pw_config *cfg, struct pw_stage *stage, const int64_t position_nm[PW_MOTORS],
                    int32_t dialect, int32_t side)
{
    int i;
    pw_zero(f, sizeof *f);
    f->cfg = cfg;
    f->stage = stage;
    f->dialect = dialect;
    f->side = side;
    f->state = PW_FRONT_OPEN;
    pw_guard_init(&f->guard, cfg, side);
    pw_limits_reset(&f->modal, cfg);
    f->modal.plane = 17;
    for (i = 0; i < 3; i++) {
        f->modal.pos_nm[i] = position_nm[i];
        f->modal.shift_nm[i] = 0; /* T0 */
    }
    pw_tool_bounds(f);
    pw_text_begin(&f->text, cfg->line_max);
    if (stage) {
        struct pw_planner *planner = stage->planner;
        struct pw_skip *skip = stage->skip;
        pw_zero(stage, sizeof *stage);
        stage->planner = planner;
        stage->skip = skip;
        if (skip) pw_zero(skip, sizeof *skip);
        stage->speed_permille = stage->flow_permille = 1000;
        for (i = 0; i < 4; i++) stage->at_nm[i] = position_nm[i];
        for (i = 0; i < PW_EXTRUDERS; i++) stage->e_nm[i] = position_nm[3 + i];
    }
}

static void pw_event_clear(struct pw_event *ev)
{
    static const struct pw_event none = {0};
    *ev = none;
}

static void pw_event_fail(struct pw_front *f, struct pw_event *ev, int32_t error, int64_t column)
{
    f->state = PW_FRONT_FAILED;
    f->error = error;
    f->todo = 0;
    ev->kind = PW_EV_ERROR;
    ev->code = error;
    ev->line = f->text.line_taken;
    ev->column = column;
    ev->letter = f->text.letter;
    ev->number = f->text.number;
    ev->sub = f->text.sub;
}

static void pw_event_fill(struct pw_front *f, struct pw_event *ev)
{
    const struct pw_text *tx = &f->text;
    int i;
    ev->kind = f->event_kind;
    ev->line = tx->line_taken;
    if (f->event_kind == PW_EV_LAYER) {
        ev->number = tx->layer;
        ev->column = 1;
        return;
    }
    ev->letter = tx->letter;
    ev->number = tx->number;
    ev->sub = tx->sub;
    ev->column = tx->command_column;
    ev->words = tx->words;
    for (i = 0; i < PW_WORDS; i++)
        if (tx->words & pw_bit(i)) ev->value[i] = tx->value[i];
}

/* The queue's part of the line taken: PW_OK when it is done, or PW_E_FULL. */
static int32_t pw_front_queue(struct pw_front *f)
{
    struct pw_stage *st = f->stage;
    int32_t err;
    if (!st) {
        f->todo &= PW_TODO_EVENT;
        return PW_OK;
    }
    if (f->todo & PW_TODO_BACK) {
        if ((err = pw_skip_run(f))) return err;
        f->todo &= ~(uint32_t)PW_TODO_BACK;
    }
    if (f->todo & PW_TODO_FIRST) {
        if ((err = pw_leg_run(f, &st->first))) return err;
        f->todo &= ~(uint32_t)PW_TODO_FIRST;
    }
    if (f->todo & PW_TODO_TRAVEL) {
        if ((err = pw_travel_run(f))) return err;
        f->todo &= ~(uint32_t)PW_TODO_TRAVEL;
    }
    if (f->todo & PW_TODO_PUSH) {
        if ((err = pw_merge_push(&st->merge, st->planner))) return err;
        f->todo &= ~(uint32_t)PW_TODO_PUSH;
    }
    if (f->todo & PW_TODO_DWELL) {
        if ((err = pw_plan_dwell(st->planner, f->dwell_ticks))) return err;
        f->todo &= ~(uint32_t)PW_TODO_DWELL;
    }
    if (f->todo & PW_TODO_FLUSH) {
        if ((err = pw_plan_flush(st->planner))) return err;
        f->todo &= ~(uint32_t)PW_TODO_FLUSH;
    }
    if (f->todo & PW_TODO_PLACE) {
        int64_t at[PW_MOTORS];
        int i;
        for (i = 0; i < 3; i++) at[i] = f->modal.pos_nm[i] - f->modal.shift_nm[i];
        for (i = 0; i < PW_EXTRUDERS; i++) at[3 + i] = i == f->modal.tool ? st->at_nm[3] : st->e_nm[i];
        if ((err = pw_plan_place(st->planner, at))) return err;
        for (i = 0; i < 3; i++) st->at_nm[i] = at[i];
        f->todo &= ~(uint32_t)PW_TODO_PLACE;
    }
    return PW_OK;
}

/* Finishes the line taken.  1: an event stands; 0: go on. */
static int pw_front_finish(struct pw_front *f, struct pw_event *ev)
{
    int32_t err = pw_front_queue(f);
    if (err == PW_E_FULL) {
        ev->kind = PW_EV_FULL;
        ev->line = f->text.line_taken;
        return 1;
    }
    if (err) { /* the guard admits nothing that the planner refuses */
        pw_event_fail(f, ev, PW_E_ASSERT, f->text.command_column);
        return 1;
    }
    if (f->todo & PW_TODO_EVENT) {
        f->todo = 0;
        pw_event_fill(f, ev);
        pw_text_next(&f->text);
        return 1;
    }
    pw_text_next(&f->text);
    return 0;
}

int32_t pw_front_settle(struct pw_front *f)
{
    if (f->todo) {
        int32_t err = pw_front_queue(f);
        if (err) return err;
        if (!f->todo) pw_text_next(&f->text);
    }
    return pw_merge_push(&f->stage->merge, f->stage->planner);
}

/* Carries out what pw_text has found.  1: an event stands. */
static int pw_front_line(struct pw_front *f, enum pw_text_result r, struct pw_event *ev)
{
    int32_t err;
    if (r == PW_TEXT_ERROR) {
        f->text.line_taken = f->text.line;
        pw_event_fail(f, ev, f->text.error, f->text.mark);
        return 1;
    }
    f->lines = f->text.line_taken;
    if (r == PW_TEXT_LAYER) {
        f->todo = PW_TODO_PUSH | PW_TODO_EVENT;
        f->event_kind = PW_EV_LAYER;
    } else if ((err = pw_command(f))) {
        pw_event_fail(f, ev, err, f->error_column);
        return 1;
    }
    return pw_front_finish(f, ev);
}

int32_t pw_front_take(struct pw_front *f, const char *text, int32_t len, struct pw_event *ev)
{
    int32_t taken = 0;
    pw_event_clear(ev);
    if (f->todo && pw_front_finish(f, ev)) return 0;
    while (taken < len) {
        int32_t used = 0;
        enum pw_text_result r = pw_text_take(&f->text, text + taken, len - taken, &used);
        taken += used;
        if (r != PW_TEXT_MORE && pw_front_line(f, r, ev)) return taken;
    }
    ev->line = f->text.line;
    ev->number = f->moves;
    ev->sub = f->ignored;
    return taken;
}

int32_t pw_front_end(struct pw_front *f, struct pw_event *ev)
{
    pw_event_clear(ev);
    if (f->todo && pw_front_finish(f, ev)) return PW_OK;
    if (!f->ending) {
        enum pw_text_result r = pw_text_end(&f->text);
        f->ending = 1;
        if (r != PW_TEXT_MORE && pw_front_line(f, r, ev)) return PW_OK;
    }
    if (f->stage) {
        f->todo = PW_TODO_PUSH | PW_TODO_FLUSH;
        if (pw_front_finish(f, ev)) return PW_OK;
    }
    f->state = PW_FRONT_ENDED;
    ev->kind = PW_EV_END;
    ev->line = f->text.line_taken;
    return PW_OK;
}
