/* Quotients and rests of 64 bits as the compiler calls for them, on a chip whose division is native/port/bare/divide.c. */
#include "bare.h"

static uint64_t state = 88172645463325252u;

static uint64_t some(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state >> (state & 63u);
}

/* The rest is smaller than the divisor and of the dividend's sign, and all of it adds up: so there is one answer. */
int bare_main(void)
{
    for (int i = 0; i < 20000; i++) {
        uint64_t n = some(), d = some() | !i, q, r;
        int64_t sn = (int64_t)n, sd = (int64_t)d, sq, sr;
        if (!d || sn == INT64_MIN || sd == INT64_MIN) continue;
        q = n / d;
        r = n % d;
        sq = sn / sd;
        sr = sn % sd;
        if (r >= d || q * d + r != n || (uint64_t)sq * (uint64_t)sd + (uint64_t)sr != (uint64_t)sn) return 1;
        if ((sr < 0 ? -sr : sr) >= (sd < 0 ? -sd : sd) || (sr && (sr < 0) != (sn < 0))) return 2;
    }
    bare_put("divided\n");
    return 0;
}
