/* Which machine this is, and becoming another one: a clone of it wakes up in this program. */
#ifndef PROGRAMS_NET_INSTANCE_H
#define PROGRAMS_NET_INSTANCE_H

/**
 * Find the instance device, if the board has one, and listen to it. When the machine turns out to
 * be a clone, it takes the name that it has now, draws new random numbers, reads its cards'
 * addresses again and asks for new leases; then `renamed` is called, and a line printed:
 *
 *     clone 3: this is h3 now
 */
void instance_init(void (*renamed)(void));

#endif
