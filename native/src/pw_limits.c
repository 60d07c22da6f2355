/* M201 M203 M204 M205 M900: limits of a document, never above the machine's.  Units as Marlin has them: mm/s, mm/s^2, mm, s. */
#include "pw_front.h"
#include "pw_math.h"

enum { PW_CORNER_MIN = 100 }; /* um/s: M205 with 0 means "nearly stop", not "never arrive" */

void pw_limits_reset(struct pw_modal *md, const struct pw_config *cfg)
{
    int i;
    md->print_accel_um_s2 = md->travel_accel_um_s2 = md->retract_accel_um_s2 = cfg->max_accel_um_s2;
    md->corner_um_s = cfg->corner_um_s;
    md->e_corner_um_s = cfg->e_corner_um_s;
    for (i = 0; i < 3; i++) {
        md->axis_velocity_um_s[i] = cfg->axis_velocity_um_s[i] ? cfg->axis_velocity_um_s[i] : cfg->max_velocity_um_s;
        md->axis_accel_um_s2[i] = cfg->axis_accel_um_s2[i] ? cfg->axis_accel_um_s2[i] : cfg->max_accel_um_s2;
    }
    md->e_velocity_um_s = cfg->max_e_velocity_um_s;
    md->e_accel_um_s2 = cfg->max_e_accel_um_s2;
    for (i = 0; i < PW_EXTRUDERS; i++) md->advance_us[i] = cfg->advance_us[i];
}

/* The letter's value in um, at most 2^53 / 1000; -1: no such word. */
static int64_t pw_limit_um(const struct pw_front *f, int letter)
{
    if (!(f->text.words & pw_bit(letter))) return -1;
    return pw_max64(f->text.value[letter] / 1000, 0);
}

static int32_t pw_lower(int64_t value, int32_t machine) { return value < machine ? (int32_t)value : machine; }

/* The words X Y Z: a limit of each axis, of which 0 in the machine means that the one along the path is all. */
static void pw_limit_axes(const struct pw_front *f, int32_t out[3], const int32_t machine[3], int32_t along)
{
    int64_t v;
    int i;
    for (i = 0; i < 3; i++)
        if ((v = pw_limit_um(f, PW_LETTER_X + i)) >= 0) out[i] = pw_lower(v, machine[i] ? machine[i] : along);
}

/* The lower of the X and Y words, which hold along any direction in the plane. */
static int64_t pw_limit_xy(const struct pw_front *f)
{
    int64_t x = pw_limit_um(f, PW_LETTER_X), y = pw_limit_um(f, PW_LETTER_Y);
    return x < 0 ? y : y < 0 ? x : pw_min64(x, y);
}

/* M900 K, T: pressure advance, at most the machine's; taken at a stop.  Without any in the machine it is ignored. */
int32_t pw_advance_command(struct pw_front *f)
{
    const struct pw_text *tx = &f->text;
    struct pw_modal *md = &f->modal;
    int32_t tool = md->tool, us, i;
    if (tx->words & tx->numbered & pw_bit(PW_LETTER_T)) {
        int64_t n = tx->value[PW_LETTER_T];
        if (n < 0 || n % 1000000 != 0 || n / 1000000 >= f->cfg->motors - 3) return pw_fail_at(f, PW_LETTER_T, PW_E_TOOL);
        tool = (int32_t)(n / 1000000);
    }
    if (f->cfg->advance_us[tool] == 0) {
        f->ignored++;
        return PW_OK;
    }
    for (i = 0; i < PW_WORDS; i++) {
        if (!(tx->words & pw_bit(i))) continue;
        if (i != PW_LETTER_K && i != PW_LETTER_T) return pw_fail_at(f, i, PW_E_WORD);
        if (!(tx->numbered & pw_bit(i))) return pw_fail_at(f, i, PW_E_NUMBER);
    }
    if (!(tx->words & pw_bit(PW_LETTER_K))) return PW_OK; /* asks for the value */
    if (tx->value[PW_LETTER_K] < 0) return pw_fail_at(f, PW_LETTER_K, PW_E_VALUE);
    us = pw_lower(tx->value[PW_LETTER_K], f->cfg->advance_us[tool]);
    if (us == md->advance_us[tool]) return PW_OK;
    md->advance_us[tool] = us;
    f->todo |= PW_TODO_PUSH | PW_TODO_FLUSH;
    return PW_OK;
}

int32_t pw_limit_command(struct pw_front *f)
{
    struct pw_text *tx = &f->text;
    struct pw_modal *md = &f->modal;
    const struct pw_config *c = f->cfg;
    int32_t i, number = tx->number;
    int64_t v;
    for (i = 0; i < PW_WORDS; i++) {
        if (!(tx->words & pw_bit(i))) continue;
        if (!(tx->numbered & pw_bit(i))) return pw_fail_at(f, i, PW_E_NUMBER);
        if (tx->value[i] < 0 || (number != 205 && i != PW_LETTER_T && tx->value[i] < 1000)) return pw_fail_at(f, i, PW_E_VALUE);
        if (number == 204 && i == PW_LETTER_T && tx->value[i] < 1000) return pw_fail_at(f, i, PW_E_VALUE);
    }
    switch (number) {
    case 201:
        pw_limit_axes(f, md->axis_accel_um_s2, c->axis_accel_um_s2, c->max_accel_um_s2);
        if ((v = pw_limit_um(f, PW_LETTER_E)) >= 0) md->e_accel_um_s2 = pw_lower(v, c->max_e_accel_um_s2);
        break;
    case 203:
        pw_limit_axes(f, md->axis_velocity_um_s, c->axis_velocity_um_s, c->max_velocity_um_s);
        if ((v = pw_limit_um(f, PW_LETTER_E)) >= 0) md->e_velocity_um_s = pw_lower(v, c->max_e_velocity_um_s);
        break;
    case 204:
        if ((v = pw_limit_um(f, PW_LETTER_S)) >= 0) md->print_accel_um_s2 = md->travel_accel_um_s2 = pw_lower(v, c->max_accel_um_s2);
        if ((v = pw_limit_um(f, PW_LETTER_P)) >= 0) md->print_accel_um_s2 = pw_lower(v, c->max_accel_um_s2);
        if ((v = pw_limit_um(f, PW_LETTER_T)) >= 0) md->travel_accel_um_s2 = pw_lower(v, c->max_accel_um_s2);
        if ((v = pw_limit_um(f, PW_LETTER_R)) >= 0) md->retract_accel_um_s2 = pw_lower(v, c->max_accel_um_s2);
        break;
    default:
        if ((v = pw_limit_xy(f)) >= 0) md->corner_um_s = pw_lower(pw_max64(v, PW_CORNER_MIN), c->corner_um_s);
        if ((v = pw_limit_um(f, PW_LETTER_E)) >= 0) md->e_corner_um_s = pw_lower(pw_max64(v, PW_CORNER_MIN), c->e_corner_um_s);
        if (tx->words & pw_bit(PW_LETTER_J)) { /* junction deviation: corner^2 = J a / (sqrt 2 - 1), J at most 1 m here */
            int64_t j_nm = pw_min64(tx->value[PW_LETTER_J], 1000000000);
            int64_t a = pw_min64(pw_min64(md->axis_accel_um_s2[0], md->axis_accel_um_s2[1]), md->print_accel_um_s2);
            int64_t v2 = pw_mulshift(j_nm * a, 10368968, 32); /* below 1e9 * 1e8; 2^32 / 1000 / 0.41421 */
            v = pw_isqrt64((uint64_t)v2);
            md->corner_um_s = pw_lower(pw_max64(v, PW_CORNER_MIN), c->corner_um_s);
        }
        break;
    }
    return PW_OK;
}
