/* Runs a fuzz target over files, where there is no libFuzzer: seeds and what once crashed stay tests. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    int i;
    for (i = 1; i < argc; i++) {
        FILE *in = fopen(argv[i], "rb");
        uint8_t *data = malloc(1 << 20);
        size_t n;
        if (!in || !data) return 2;
        n = fread(data, 1, 1 << 20, in);
        fclose(in);
        data = realloc(data, n ? n : 1);
        fprintf(stderr, "%s\n", argv[i]);
        LLVMFuzzerTestOneInput(data, n);
        free(data);
    }
    printf("%d inputs: ok\n", argc - 1);
    return 0;
}
