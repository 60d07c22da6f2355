/* SHA-256 (FIPS 180-4) for the driver of emulated targets: small, no library, any byte order. */
#ifndef SHA256_H
#define SHA256_H
#include <stdint.h>

struct sha256 {
    uint32_t h[8];
    uint32_t w[16];  /* block in work */
    uint64_t bytes;
};

void sha256_begin(struct sha256 *s);
void sha256_word(struct sha256 *s, uint32_t le); /* four bytes, little-endian; only whole words are ever hashed */
void sha256_end(struct sha256 *s, uint8_t digest[32]);

#endif
