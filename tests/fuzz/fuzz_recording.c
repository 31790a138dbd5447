/*
 * Any bytes as a recording: its header, and its entries played to a small network.
 *
 * What must hold whatever they are: the run comes to an end, no later than it is allowed to, what is
 * wrong is one sentence or two, and no frame is left over.
 *
 * Built with: sim/actor.c sim/base.c sim/capture.c sim/capture_writer.c sim/console.c sim/err.c sim/evq.c
 * Built with: sim/frame.c sim/host_time.c sim/inlet.c sim/offload.c sim/pcapng.c sim/playback.c sim/port.c
 * Built with: sim/recording.c sim/rng.c sim/sim.c sim/state.c sim/tap.c sim/vlan.c sim/window.c sim/workers.c
 * Built with: devices/device.c devices/uplinks/uplink.c topo/made_from_read.c
 */
#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

#include "devices/uplinks/uplink.h"
#include "sim/recording.h"
#include "sim/sim.h"
#include "sim/vlan.h"
#include "topo/made_from.h"

#define UNTIL (20 * NS_PER_MS)
#define UPLINKS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A network with three uplinks, of which the last begins without a port. */
static void play(struct playback *p)
{
    struct sim_options o = {.seed = 1, .threads = 1, .playback = p};
    struct uplink *uplinks[UPLINKS];
    struct sim s;

    sim_init(&s, &o);
    struct vlan *v = vlan_create(&s, "lan", VLAN_SWITCH);
    for (unsigned i = 0; i < UPLINKS; i++) {
        uplinks[i] = uplink_stand_in(&s, "up", i < 2 ? UPLINK_UP : UPLINK_NO_PORT);
        uplink_attach(uplinks[i], v, &v->link);
    }
    sim_run(&s, UNTIL);
    assert(s.now <= UNTIL);
    for (unsigned i = 0; i < UPLINKS; i++) {
        free(uplink_answer(uplinks[i], NULL));
        uplink_destroy(uplinks[i]);
    }
    sim_finish(&s);
}

static void header(const struct playback *p, struct err *err)
{
    struct made_from m;
    bool good = made_from_read(&m, playback_header(p), "it", err);

    assert(good ? m.args.n > 0 : err->n == 1);
    (void)good;
    made_from_finish(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    int fd = memfd_create("recording", MFD_CLOEXEC);
    char path[32];

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct playback *p = playback_open(path, &err);
    assert(p ? !err.n : err.n == 1);
    if (p) {
        header(p, &err);
        play(p);
    }
    playback_close(p, &err);
    assert(err.n <= 3);
    err_finish(&err);
    close(fd);
    assert(frame_alive() == 0);
    return 0;
}
