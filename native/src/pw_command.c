/* What a line means: modal state in the core, or an event.  It depends on the command alone, never on state. */
#include "pw_front.h"
#include "pw_math.h"

enum { PW_DWELL_MAX_S = 3600 };

int32_t pw_fail_at(struct pw_front *f, int letter, int32_t error)
{
    f->error_column = letter >= 0 && (f->text.words & pw_bit(letter)) ? f->text.column_of[letter] : f->text.command_column;
    return error;
}

/* A length in nm, rounded half away from zero where inches leave a rest; |nm| <= 2^53 * 25.4 */
int32_t pw_word_nm(const struct pw_front *f, int letter, int64_t *nm)
{
    int64_t v = f->text.value[letter];
    if (!(f->text.numbered & pw_bit(letter))) return PW_E_NUMBER;
    if (f->modal.inch) v = (v * 254 + (v < 0 ? -5 : 5)) / 10;
    *nm = v;
    return PW_OK;
}

int32_t pw_no_words(struct pw_front *f, int32_t error)
{
    int i;
    for (i = 0; f->text.words && i < PW_WORDS; i++)
        if (f->text.words & pw_bit(i)) return pw_fail_at(f, i, error);
    return PW_OK;
}

static void pw_event_todo(struct pw_front *f) { f->todo |= PW_TODO_PUSH | PW_TODO_EVENT; f->event_kind = PW_EV_COMMAND; }

static int32_t pw_dwell(struct pw_front *f)
{
    const struct pw_text *tx = &f->text;
    int64_t us = 0;
    int32_t i;
    for (i = 0; i < PW_WORDS; i++)
        if ((tx->words & pw_bit(i)) && i != PW_LETTER_P && i != PW_LETTER_S) return pw_fail_at(f, i, PW_E_WORD);
    if (tx->words & ~tx->numbered) return pw_fail_at(f, -1, PW_E_NUMBER);
    if (tx->words & pw_bit(PW_LETTER_P)) us = tx->value[PW_LETTER_P] < 0 ? -1 : (tx->value[PW_LETTER_P] + 500) / 1000;
    if (us < 0) return pw_fail_at(f, PW_LETTER_P, PW_E_DWELL);
    if (tx->words & pw_bit(PW_LETTER_S)) us = tx->value[PW_LETTER_S]; /* seconds win, as everywhere */
    if (us < 0 || us > (int64_t)PW_DWELL_MAX_S * 1000000) return pw_fail_at(f, -1, PW_E_DWELL);
    f->dwell_ticks = us * f->cfg->tick_hz / 1000000; /* below 3.6e9 * 2e8 = 7.2e17 */
    f->todo |= PW_TODO_PUSH | PW_TODO_DWELL;
    return PW_OK;
}

/* G92: e alone; in the second context x y z as well. */
static int32_t pw_set_position(struct pw_front *f)
{
    const struct pw_text *tx = &f->text;
    int64_t nm = 0;
    int32_t i, axis, place = 0;
    if (tx->words == 0) return pw_fail_at(f, -1, PW_E_OFFSET);
    for (i = 0; i < PW_WORDS; i++) {
        if (!(tx->words & pw_bit(i))) continue;
        axis = i - PW_LETTER_X;
        if (axis >= 0 && axis < 3) {
            if (!f->side) return pw_fail_at(f, i, PW_E_OFFSET);
            if (pw_word_nm(f, i, &nm)) return pw_fail_at(f, i, PW_E_NUMBER);
            if (nm < f->guard.min_nm[axis] || nm > f->guard.max_nm[axis]) return pw_fail_at(f, i, PW_E_VOLUME);
            place = 1;
        } else if (i != PW_LETTER_E) {
            return pw_fail_at(f, i, PW_E_OFFSET);
        }
    }
    if (tx->words & pw_bit(PW_LETTER_E)) {
        if (pw_word_nm(f, PW_LETTER_E, &nm)) nm = 0;
        f->modal.pos_nm[3] = nm;
    }
    if (place) {
        for (axis = 0; axis < 3; axis++)
            if (tx->words & pw_bit(PW_LETTER_X + axis)) (void)pw_word_nm(f, PW_LETTER_X + axis, &f->modal.pos_nm[axis]);
        if ((i = pw_reachable(f, f->modal.pos_nm))) return pw_fail_at(f, -1, i);
        f->todo |= PW_TODO_PUSH | PW_TODO_FLUSH | PW_TODO_PLACE;
    }
    return PW_OK;
}

static int pw_core_g(int32_t number)
{
    switch (number) {
    case 0: case 1: case 2: case 3: case 4: case 10: case 11: case 17: case 18: case 19: case 20: case 21: case 90: case 91: case 92:
        return 1;
    default:
        return 0;
    }
}

static int pw_safe_g(int32_t number)
{
    return (number >= 0 && number <= 4) || number == 10 || number == 11 || number == 17 || number == 21 || number == 28 || number == 90 ||
           number == 91 || number == 92;
}

static int32_t pw_command_g(struct pw_front *f)
{
    struct pw_text *tx = &f->text;
    struct pw_modal *md = &f->modal;
    int32_t err;
    if (f->dialect == PW_SAFE_GCODE && (!pw_safe_g(tx->number) || tx->sub)) return pw_fail_at(f, -1, PW_E_DIALECT);
    if (tx->sub || !(pw_core_g(tx->number) || tx->number == 28 || tx->number == 29)) {
        pw_event_todo(f);
        return PW_OK;
    }
    if (tx->number <= 3) return pw_move(f, tx->number);
    if (tx->number >= 17 && tx->number != 28 && tx->number != 29 && tx->number != 92 && (err = pw_no_words(f, PW_E_WORD))) return err;
    switch (tx->number) {
    case 4: return pw_dwell(f);
    case 10:
    case 11: return pw_retract(f, tx->number == 11);
    case 17: case 18: case 19: md->plane = tx->number; break;
    case 20: md->inch = 1; break;
    case 21: md->inch = 0; break;
    case 28:
    case 29: /* the bed is probed from home, and meshes change only there */
        pw_event_todo(f);
        return pw_home_travel(f, tx->number == 28 ? tx->words : 0);
    case 90: md->relative = 0; break;
    case 91: md->relative = 1; break;
    default: return pw_set_position(f);
    }
    return PW_OK;
}

static int32_t pw_command_m(struct pw_front *f)
{
    int32_t err, number = f->text.number;
    if (f->text.sub) {
        pw_event_todo(f);
        return PW_OK;
    }
    switch (number) {
    case 82:
    case 83:
        if ((err = pw_no_words(f, PW_E_WORD))) return err;
        f->modal.relative_e = number == 83;
        return PW_OK;
    case 201: case 203: case 204: case 205:
        if (f->dialect == PW_SAFE_GCODE) return pw_fail_at(f, -1, PW_E_DIALECT);
        return pw_limit_command(f);
    case 900:
        if (f->dialect == PW_SAFE_GCODE) return pw_fail_at(f, -1, PW_E_DIALECT);
        return pw_advance_command(f);
    default:
        pw_event_todo(f);
        return PW_OK;
    }
}

/* T: another extruder takes over where the motion stands; the carriage moves with the next move.  E goes on counting. */
static int32_t pw_tool(struct pw_front *f)
{
    struct pw_modal *md = &f->modal;
    int32_t tool = f->text.number;
    if (f->text.sub || tool >= f->cfg->motors - 3) return pw_fail_at(f, -1, PW_E_TOOL);
    pw_event_todo(f);
    if (tool == md->tool) return PW_OK;
    f->todo |= PW_TODO_FLUSH;
    if (f->stage) {
        f->stage->e_nm[md->tool] = f->stage->at_nm[3];
        f->stage->at_nm[3] = f->stage->e_nm[tool];
    }
    md->tool = tool;
    pw_tool_bounds(f);
    return PW_OK;
}

int32_t pw_command(struct pw_front *f)
{
    f->todo = 0;
    if (f->text.letter == 'G') return pw_command_g(f);
    if (f->text.letter == 'M') return pw_command_m(f);
    if (f->text.letter == 'E') {
        pw_event_todo(f);
        return PW_OK;
    }
    return pw_tool(f);
}
