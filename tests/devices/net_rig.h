/* A virtio-net device with a driver, for the tests of its parts. */
#ifndef TESTS_DEVICES_NET_RIG_H
#define TESTS_DEVICES_NET_RIG_H

#include "driver.h"

#include "devices/virtio_net.h"
#include "sim/offload.h"

enum { RX, TX, CTRL };
#define LINE 5
#define ALL_OFFLOADS                                                                               \
    (VIRTIO_NET_F_CSUM | VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6 | VIRTIO_NET_F_HOST_ECN | \
     VIRTIO_NET_F_HOST_UFO | VIRTIO_NET_GUEST_OFFLOADS)

extern struct rig rig;
extern struct nic *nic;
extern struct driver drv;
extern const uint8_t own[ETH_ALEN]; /* the NIC's address */

/** A device with this configuration, on a line. */
void make(const struct nic_config *c);

/* cmocka's setup for each interface, and teardown. */
int modern(void **state);
int legacy(void **state);
int teardown(void **state);

struct virtio_net *net(void);

/** The length of the header that was negotiated. */
unsigned header(void);

/** Bring the device up with these features and three queues of 16. */
void start(uint64_t features);

/** A frame of `len` bytes to `to`, counting up. */
void fill(uint8_t *p, uint32_t len, const uint8_t *to);

/** An IPv4 TCP frame with `payload` bytes, its checksum left to do; returns its length. */
uint32_t tcp_frame(uint8_t *p, uint32_t payload);

/** Send a header (NULL: zeroes) and `len` bytes as two buffers; kick. */
void transmit(const uint8_t *hdr, const uint8_t *bytes, uint32_t len);

/** Give the device a buffer to receive into, without a kick; returns its address. */
uint64_t give(uint32_t len);

/** A frame made by `fill` arrives. */
void receive(const uint8_t *to, uint32_t len);

/** A frame made by `tcp_frame` arrives, with segments of `mss` to be made (0: only the sum). */
void receive_tso(uint32_t payload, uint16_t mss);

/** Assert that the TCP checksum of a frame is right. */
void check_tcp_sum(const uint8_t *p, uint32_t len);

/* A row for each interface. */
#define BOTH(f)                                                                                    \
    {#f " (modern)", f, modern, teardown, NULL}, {#f " (legacy)", f, legacy, teardown, NULL}

#endif
