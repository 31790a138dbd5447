/* What fpu.c needs of the host: fpu_x86.c and fpu_portable.c provide it, one of them compiled. */
#ifndef GUESTS_FPU_HOST_H
#define GUESTS_FPU_HOST_H

#include "guests/fpu.h"

/* The portable one can be asked for on any host: -DFPU_PORTABLE. */
#if defined(__x86_64__) && !defined(FPU_PORTABLE)
#define FPU_X86 1
#else
#define FPU_X86 0
#endif

/** Add to the flags accumulated. */
void fpu_raise(uint8_t flags);

#endif
