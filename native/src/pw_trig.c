/* Angle of a vector, cosine and sine by CORDIC, in integers: the same bits everywhere. */
#include "pw_front.h"
#include "pw_math.h"

enum { PW_CORDIC = 40 }; /* the angle left is below 2^-39: 20 nm at 10 m */
#define PW_QUARTER ((int64_t)1 << 60)

/* atan(2^-i) in turns, Q62 */
static const int64_t pw_atan_q62[PW_CORDIC] = {
    INT64_C(576460752303423488), INT64_C(340304653033718298), INT64_C(179807632645220259), INT64_C(91273161881380487),
    INT64_C(45813697873323707), INT64_C(22929182573009054), INT64_C(11467389120678282), INT64_C(5734044481687724),
    INT64_C(2867065987018958), INT64_C(1433538461969102), INT64_C(716769914547871), INT64_C(358385042719534),
    INT64_C(179192532040472), INT64_C(89596267355325), INT64_C(44798133844548), INT64_C(22399066943135),
    INT64_C(11199533474175), INT64_C(5599766737413), INT64_C(2799883368747), INT64_C(1399941684379),
    INT64_C(699970842190), INT64_C(349985421095), INT64_C(174992710548), INT64_C(87496355274),
    INT64_C(43748177637), INT64_C(21874088818), INT64_C(10937044409), INT64_C(5468522205),
    INT64_C(2734261102), INT64_C(1367130551), INT64_C(683565276), INT64_C(341782638),
    INT64_C(170891319), INT64_C(85445659), INT64_C(42722830), INT64_C(21361415),
    INT64_C(10680707), INT64_C(5340354), INT64_C(2670177), INT64_C(1335088)
};

/* product of cos(atan(2^-i)), Q60 */
#define PW_GAIN_Q60 INT64_C(700114967507363238)

int64_t pw_angle_q62(int64_t x, int64_t y)
{
    int64_t angle = 0, big = pw_max64(pw_abs64(x), pw_abs64(y));
    int i, sh = pw_clz64((uint64_t)big | 1) - 4; /* to below 2^60: with the gain of 1.65 * 1.42 it stays below 2^62 */
    if (sh > 0) {
        x *= (int64_t)1 << sh;
        y *= (int64_t)1 << sh;
    } else if (sh < 0) {
        x = pw_asr(x, -sh);
        y = pw_asr(y, -sh);
    }
    if (x < 0) {
        x = -x;
        y = -y;
        angle = 2 * PW_QUARTER;
    }
    for (i = 0; i < PW_CORDIC; i++) {
        int64_t dx = pw_asr(y, i), dy = pw_asr(x, i);
        if (y > 0) {
            x += dx;
            y -= dy;
            angle += pw_atan_q62[i];
        } else if (y < 0) {
            x -= dx;
            y += dy;
            angle -= pw_atan_q62[i];
        } else {
            break;
        }
    }
    return angle & (4 * PW_QUARTER - 1);
}

void pw_cos_sin_q60(int64_t angle_q62, int64_t *cosine, int64_t *sine)
{
    int64_t x = PW_GAIN_Q60, y = 0, rest = angle_q62 & (PW_QUARTER - 1);
    int i, quarter = (int)((uint64_t)angle_q62 >> 60 & 3);
    int turn = rest != 0;
    if (!turn) x = PW_QUARTER;
    for (i = 0; turn && i < PW_CORDIC; i++) {
        int64_t dx = pw_asr(y, i), dy = pw_asr(x, i);
        if (rest >= 0) {
            x -= dx;
            y += dy;
            rest -= pw_atan_q62[i];
        } else {
            x += dx;
            y -= dy;
            rest += pw_atan_q62[i];
        }
    }
    *cosine = quarter == 0 ? x : quarter == 1 ? -y : quarter == 2 ? -x : y;
    *sine = quarter == 0 ? y : quarter == 1 ? x : quarter == 2 ? -y : -x;
}
