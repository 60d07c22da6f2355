/* Bytes to the words of a line, one byte at a time: any split of the text gives the same result.
 *
 * line:   [N number] command word* [*checksum] [;comment], with blanks and (comments) between and inside words, but not in numbers
 * number: [+-] digits [. digits], kept in 1e-6: the seventh decimal rounds, half away from zero, further ones do not count
 *
 * Nothing of the text is stored, so a line costs no memory.  M commands whose words the core and its users read are strict; in
 * others, and behind M117 and its like, what is no word is taken for a message. */
#include "pw_front.h"
#include "pw_math.h"

enum { WORDS = 0, LETTER, NUMBER, QUOTE, SUM, COMMENT, PAREN, MESSAGE, EXCLUDE };
enum { LAYER_NO = 0, LAYER_MATCH, LAYER_NUMBER, LAYER_DIGITS, LAYER_CHANGE, LAYER_SPACE };

#define PW_WHOLE_MAX INT64_C(9007199254) /* 2^53 / 1e6 */

static const char pw_layer_change[] = "LAYER_CHANGE";
static const char pw_exclude[] = "EXCLUDE_OBJECT"; /* the one command with a name; the rest of its line is a message */

void pw_text_next(struct pw_text *tx)
{
    tx->column = 0;
    tx->mark = 0;
    tx->words = 0;
    tx->numbered = 0;
    tx->letter = 0;
    tx->number = tx->sub = 0;
    tx->bytes = 0;
    tx->state = WORDS;
    tx->started = 0;
    tx->numbered_line = 0;
    tx->loose = 0;
    tx->sum = tx->sum_state = 0;
    tx->layer_state = LAYER_NO;
}

void pw_text_begin(struct pw_text *tx, int32_t line_max)
{
    pw_zero(tx, sizeof *tx);
    tx->line_max = line_max;
    tx->line = 1;
}

static enum pw_text_result pw_text_fail(struct pw_text *tx, int32_t error, int64_t column)
{
    tx->error = error;
    tx->mark = column;
    return PW_TEXT_ERROR;
}

/* Commands that carry a message instead of words. */
static int pw_is_message(int32_t letter, int32_t number)
{
    static const int16_t list[] = {0, 1, 16, 23, 28, 30, 32, 36, 117, 118, 486, 550, 587, 588, 928, 1002};
    unsigned i;
    if (letter != 'M') return 0;
    for (i = 0; i < sizeof list / sizeof *list; i++)
        if (list[i] == number) return 1;
    return 0;
}

/* M commands in which every character counts. */
static int pw_is_strict(int32_t letter, int32_t number)
{
    static const int16_t list[] = {17, 18, 73, 82, 83, 84, 104, 105, 106, 107, 109, 110, 140, 141, 190, 191,
                                   201, 203, 204, 205, 220, 221, 300, 400, 572, 593, 600, 900};
    unsigned i;
    if (letter != 'M') return 1;
    for (i = 0; i < sizeof list / sizeof *list; i++)
        if (list[i] == number) return 1;
    return 0;
}

static void pw_number_begin(struct pw_text *tx)
{
    tx->mantissa = 0;
    tx->negative = tx->digits = tx->point = tx->fraction = tx->round_up = 0;
}

/* One digit more; in 32 bits where that is enough, since a 64-bit product costs an M0+ 60 cycles. */
static int64_t pw_append(int64_t mantissa, uint8_t c)
{
    if (mantissa < 400000000) return (int64_t)((uint32_t)mantissa * 10u + (uint32_t)(c - '0'));
    return mantissa * 10 + (c - '0');
}

/* 0, or an error */
static int32_t pw_number_byte(struct pw_text *tx, uint8_t c)
{
    if (c == '.') {
        if (tx->point) return PW_E_NUMBER;
        tx->point = 1;
        return PW_OK;
    }
    tx->digits = 1;
    if (!tx->point) {
        tx->mantissa = pw_append(tx->mantissa, c);
        return tx->mantissa > PW_WHOLE_MAX ? PW_E_NUMBER : PW_OK;
    }
    if (tx->fraction < 6) {
        tx->mantissa = pw_append(tx->mantissa, c);
        tx->fraction++;
    } else if (tx->fraction == 6) {
        tx->round_up = c >= '5';
        tx->fraction++;
    }
    return PW_OK;
}

/* The number in work in 1e-6, at most 2^53; 0 or an error. */
static int32_t pw_number_end(const struct pw_text *tx, int64_t *value)
{
    static const int32_t scale[] = {1000000, 100000, 10000, 1000, 100, 10, 1, 1};
    int64_t m = tx->mantissa, by = scale[tx->fraction];
    int64_t v = (m <= UINT32_MAX ? (int64_t)pw_umul64((uint32_t)m, (uint32_t)by) : m * by) + tx->round_up; /* below 9007199255e6 */
    if (!tx->digits || v > (int64_t)1 << 53) return PW_E_NUMBER;
    *value = tx->negative ? -v : v;
    return PW_OK;
}

/* A word without a number ends. */
static int32_t pw_word_bare(struct pw_text *tx)
{
    if (tx->is_command || (tx->word == PW_LETTER_N && !tx->letter)) return PW_E_NUMBER;
    tx->value[tx->word] = 0;
    tx->words |= pw_bit(tx->word);
    return PW_OK;
}

static int32_t pw_word_number(struct pw_text *tx)
{
    int64_t value = 0;
    int32_t err;
    if (tx->is_command && !tx->point && !tx->negative && tx->digits && tx->mantissa <= 99999) { /* as below, without divisions */
        tx->letter = 'A' + tx->word;
        tx->number = (int32_t)tx->mantissa;
        tx->loose = !pw_is_strict(tx->letter, tx->number);
        return PW_OK;
    }
    if ((err = pw_number_end(tx, &value))) return err;
    if (tx->is_command) {
        int64_t whole = value / 1000000, part = value % 1000000;
        if (value < 0 || tx->negative || whole > 99999 || part % 100000 != 0) return PW_E_NUMBER;
        tx->letter = 'A' + tx->word;
        tx->number = (int32_t)whole;
        tx->sub = (int32_t)(part / 100000);
        tx->loose = !pw_is_strict(tx->letter, tx->number);
        return PW_OK;
    }
    if (tx->word == PW_LETTER_N && !tx->letter) {
        if (tx->negative || value % 1000000 != 0) return PW_E_NUMBER;
        return PW_OK;
    }
    tx->value[tx->word] = value;
    tx->words |= pw_bit(tx->word);
    tx->numbered |= pw_bit(tx->word);
    return PW_OK;
}

/* A letter begins a word; 0 or an error. */
static int32_t pw_word_letter(struct pw_text *tx, uint8_t c)
{
    int n = c - 'A';
    tx->word = (uint8_t)n;
    tx->is_command = 0;
    tx->mark = tx->column;
    if (!tx->letter) {
        if (n == PW_LETTER_N && !tx->started) {
            tx->numbered_line = 1;
        } else if (n == PW_LETTER_E && !tx->started) {
            tx->command_column = (int32_t)pw_min64(tx->column, INT32_MAX);
            tx->started = 1;
            tx->match = 1;
            tx->state = EXCLUDE;
            return PW_OK;
        } else {
            if (n != PW_LETTER_G && n != PW_LETTER_M && n != PW_LETTER_T) return PW_E_SYNTAX;
            tx->is_command = 1;
            tx->command_column = (int32_t)pw_min64(tx->column, INT32_MAX);
        }
    } else if (n == PW_LETTER_G || n == PW_LETTER_M || (tx->words & pw_bit(n))) {
        return PW_E_REPEATED;
    } else {
        tx->column_of[n] = (uint16_t)pw_min64(tx->column, UINT16_MAX);
    }
    tx->state = LETTER;
    tx->started = 1;
    return PW_OK;
}

static void pw_layer_byte(struct pw_text *tx, uint8_t c)
{
    switch (tx->layer_state) {
    case LAYER_MATCH:
        if (tx->match == 5 && c == ':') {
            tx->layer_state = LAYER_NUMBER;
            pw_number_begin(tx);
        } else if (c != (uint8_t)pw_layer_change[tx->match]) {
            tx->layer_state = LAYER_NO;
        } else if (pw_layer_change[++tx->match] == 0) {
            tx->layer_state = LAYER_CHANGE;
        }
        break;
    case LAYER_NUMBER:
        if (c == '-' && !tx->negative) tx->negative = 1;
        else if (c >= '0' && c <= '9') {
            tx->mantissa = c - '0';
            tx->layer_state = LAYER_DIGITS;
        } else if (c != ' ') tx->layer_state = LAYER_NO;
        break;
    case LAYER_DIGITS:
        if (c >= '0' && c <= '9' && tx->mantissa < 100000000) tx->mantissa = tx->mantissa * 10 + (c - '0');
        else if (c == ' ' || c == '\t') tx->layer_state = LAYER_SPACE;
        else tx->layer_state = LAYER_NO;
        break;
    case LAYER_CHANGE:
    case LAYER_SPACE:
        if (c != ' ' && c != '\t') tx->layer_state = LAYER_NO;
        break;
    default:
        break;
    }
}

static void pw_comment_begin(struct pw_text *tx)
{
    tx->state = COMMENT;
    if (!tx->started) {
        tx->layer_state = LAYER_MATCH;
        tx->match = 0;
    }
}

/* One byte that is no line end, outside comments and numbers. */
static int32_t pw_text_byte(struct pw_text *tx, uint8_t c)
{
    int32_t err;
    switch (tx->state) {
    case NUMBER: /* the number has ended */
        if ((err = pw_word_number(tx))) return err;
        tx->state = WORDS;
        if (tx->is_command && pw_is_message(tx->letter, tx->number)) {
            tx->loose = 1;
            tx->state = MESSAGE;
            return c == ';' ? (pw_comment_begin(tx), PW_OK) : PW_OK;
        }
        /* fall through */
    case WORDS:
        if (c == ' ' || c == '\t') return PW_OK;
        if (c >= 'a' && c <= 'z') c = (uint8_t)(c - 32);
        if (c >= 'A' && c <= 'Z') return pw_word_letter(tx, c);
        if (c == ';') {
            pw_comment_begin(tx);
            return PW_OK;
        }
        if (c == '(') {
            tx->mark = tx->column;
            tx->back = WORDS;
            tx->state = PAREN;
            tx->started = 1;
            return PW_OK;
        }
        if (c == '*' && tx->started) {
            tx->state = SUM;
            tx->sum_wanted = tx->sum;
            tx->sum_state = 0;
            tx->sum_value = 0;
            tx->mark = tx->column;
            return PW_OK;
        }
        tx->mark = tx->column;
        return PW_E_SYNTAX;
    case LETTER:
        if (c == ' ' || c == '\t') return PW_OK;
        if ((c >= '0' && c <= '9') || c == '.') {
            pw_number_begin(tx);
            tx->state = NUMBER;
            return pw_number_byte(tx, c);
        }
        if (c == '-' || c == '+') {
            pw_number_begin(tx);
            tx->negative = c == '-';
            tx->state = NUMBER;
            return PW_OK;
        }
        if ((err = pw_word_bare(tx))) return err;
        if (c == '"') {
            tx->state = QUOTE;
            return PW_OK;
        }
        tx->state = WORDS;
        return pw_text_byte(tx, c);
    case EXCLUDE:
        if (c >= 'a' && c <= 'z') c = (uint8_t)(c - 32);
        if (c != (uint8_t)pw_exclude[tx->match]) return PW_E_SYNTAX;
        if (pw_exclude[++tx->match] == 0) {
            tx->letter = 'E';
            tx->loose = 1;
            tx->back = 0;
            tx->sum_state = 0;
            tx->state = MESSAGE;
        }
        return PW_OK;
    case SUM:
        if (c >= '0' && c <= '9' && tx->sum_state < 2) {
            tx->sum_state = 1;
            tx->sum_value = (uint16_t)(tx->sum_value * 10 + (c - '0'));
            return tx->sum_value > 255 ? PW_E_CHECKSUM : PW_OK;
        }
        if (c == ' ' || c == '\t') {
            if (tx->sum_state == 1) tx->sum_state = 2;
            return PW_OK;
        }
        if (c == ';') {
            if (!tx->sum_state || tx->sum_value != tx->sum_wanted) return PW_E_CHECKSUM;
            tx->state = COMMENT;
            return PW_OK;
        }
        return PW_E_CHECKSUM;
    default:
        return PW_E_SYNTAX;
    }
}

/* The line ends: nothing (empty line), a line, a layer or an error. */
static enum pw_text_result pw_text_newline(struct pw_text *tx)
{
    int32_t err = PW_OK;
    tx->column++;
    tx->line_taken = tx->line;
    switch (tx->state) {
    case NUMBER: err = pw_word_number(tx); break;
    case LETTER: err = pw_word_bare(tx); break;
    case SUM: err = !tx->sum_state || tx->sum_value != tx->sum_wanted ? PW_E_CHECKSUM : PW_OK; break;
    case MESSAGE: err = tx->sum_state && tx->sum_value != tx->sum_wanted ? PW_E_CHECKSUM : PW_OK; break;
    case QUOTE:
    case EXCLUDE:
    case PAREN: err = tx->loose && tx->state == QUOTE ? PW_OK : PW_E_SYNTAX; break;
    default: break;
    }
    if (err) return pw_text_fail(tx, err, tx->mark);
    if (tx->letter) return PW_TEXT_LINE;
    if (tx->layer_state == LAYER_DIGITS || tx->layer_state == LAYER_SPACE || tx->layer_state == LAYER_CHANGE) {
        tx->layer = tx->match == 5 ? (tx->negative ? -tx->mantissa : tx->mantissa) : -1;
        return PW_TEXT_LAYER;
    }
    return PW_TEXT_MORE;
}

enum pw_text_result pw_text_end(struct pw_text *tx) { return tx->column ? pw_text_newline(tx) : PW_TEXT_MORE; }

/* In a message a checksum counts only where the line is numbered, and only at its end. */
static void pw_message_byte(struct pw_text *tx, uint8_t c)
{
    if (c == ';' && !tx->numbered_line) {
        tx->state = COMMENT;
    } else if (c == '*' && tx->numbered_line) {
        tx->sum_wanted = tx->sum;
        tx->sum_value = 0;
        tx->sum_state = 0;
        tx->back = 1;
    } else if (c >= '0' && c <= '9' && tx->back == 1 && tx->sum_value < 256) {
        tx->sum_value = (uint16_t)(tx->sum_value * 10 + (c - '0'));
        tx->sum_state = 1;
    } else if (c != ' ' && c != '\t') {
        tx->back = 0;
        tx->sum_state = 0;
    }
}

enum pw_text_result pw_text_take(struct pw_text *tx, const char *text, int32_t len, int32_t *used)
{
    int32_t i, err;
    for (i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c == '\n' || c == '\r') {
            enum pw_text_result r;
            if (c == '\n' && tx->was_cr) {
                tx->was_cr = 0;
                continue;
            }
            r = pw_text_newline(tx);
            if (r == PW_TEXT_ERROR) {
                *used = i;
                return r;
            }
            tx->was_cr = c == '\r';
            tx->line++;
            if (r != PW_TEXT_MORE) {
                *used = i + 1;
                return r;
            }
            pw_text_next(tx);
            continue;
        }
        tx->was_cr = 0;
        tx->column++;
        switch (tx->state) {
        case COMMENT:
            if (tx->layer_state != LAYER_NO) pw_layer_byte(tx, c);
            continue;
        case PAREN:
            if (c == ')') tx->state = tx->back;
            tx->sum ^= c;
            continue;
        case MESSAGE:
            pw_message_byte(tx, c);
            tx->sum ^= c;
            continue;
        case QUOTE:
            if (c == '"') tx->state = WORDS;
            err = PW_OK;
            break;
        case NUMBER:
            if ((c >= '0' && c <= '9') || c == '.') {
                err = pw_number_byte(tx, c);
                break;
            }
            /* fall through */
        default:
            err = pw_text_byte(tx, c);
            if (tx->state == COMMENT) continue;
            break;
        }
        tx->sum ^= c;
        if (err && tx->loose && tx->letter) { /* the rest is a message */
            tx->state = MESSAGE;
            tx->back = 0;
            tx->sum_state = 0;
            continue;
        }
        if (!err && ++tx->bytes > tx->line_max) {
            err = PW_E_LINE_LENGTH;
            tx->mark = tx->column;
        }
        if (err) {
            *used = i;
            return pw_text_fail(tx, err, tx->mark);
        }
    }
    *used = len;
    return PW_TEXT_MORE;
}
