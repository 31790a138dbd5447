/* A virtio-net with four pairs of queues, and a driver that uses them. */
#ifndef TESTS_DEVICES_MQ_RIG_H
#define TESTS_DEVICES_MQ_RIG_H

#include "net_rig.h"

#define PAIRS 4
#define MQ (VIRTIO_NET_F_MQ | VIRTIO_NET_F_CTRL_VQ)
#define HELD_MOST (PORT_MAX_HELD / PAIRS)
#define NOWHERE 99u

extern uint64_t buffers[PAIRS]; /* where each pair receives, again and again */

/** A card with PAIRS pairs, and one whose driver speaks the legacy interface. */
int several(void **state);
int several_legacy(void **state);

/** A driver that takes multiqueue and these features: queues, and memory for what comes. */
void start_with(uint64_t features);

/** A command to the control queue; what it answers. */
uint8_t control(const uint8_t *data, uint32_t len);

/** VQ_PAIRS_SET; 0: it was taken. */
uint8_t use_pairs(unsigned n);

/** A pair gets n buffers. */
void give_to(unsigned pair, unsigned n);

/** All of that, with n pairs in use and eight buffers for each there is. */
void start_pairs(unsigned n);

/** Which pair has received a packet since it was last asked, and no other has (NOWHERE: none); it
 * gets a new buffer. */
unsigned where(void);

/** TCP between a host and port of ours (10.0.0.1) and one of theirs, into p; in from them or out to
 * them. Returns its length. */
uint32_t tcp(uint8_t *p, unsigned ours, unsigned theirs, bool in);

/** Bytes sent by a pair; bytes that arrive. */
void send_from(unsigned pair, const uint8_t *bytes, uint32_t len);
void arrive(const uint8_t *bytes, uint32_t len);

/** The same with a packet of a flow. */
void send_tcp(unsigned pair, unsigned ours, unsigned theirs);
void receive_tcp(unsigned ours, unsigned theirs);

/** The same, and where that came. */
unsigned answer_to(unsigned ours, unsigned theirs);

#define EITHER(f)                                                                                  \
    {#f " (modern)", f, several, teardown, NULL},                                                  \
    {                                                                                              \
#f " (legacy)", f, several_legacy, teardown, NULL                                          \
    }

#endif
