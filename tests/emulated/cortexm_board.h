/* A board of QEMU (MPS2) for the Cortex-M port: two CMSDK timers, and pins that write a log. */
#ifndef CORTEXM_BOARD_H
#define CORTEXM_BOARD_H
#include "bare.h"
#include "printwright_cortexm.h"

/* Starts the timers and interrupts; takes memory that ends at `end` for the log and returns how much. */
size_t board_start(char *end);
uint32_t board_us(void);
void board_print_log(void); /* "spent" and the ticks of the step interrupt, the pump, the worker; then "pins" time levels, both in hexadecimal; levels: steps, directions << 8, heaters << 16 */

#endif
