/* A port of a VDE switch, with vde_switch where it is installed, and with switches that fail. */
#include "tests/uplinks/peer.h"

#include <fcntl.h>
#include <libvdeplug.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "devices/uplinks/datagrams.h"
#include "devices/uplinks/vde.h"

static struct peer_rig r;
static char folder[] = "/tmp/lanarium-vde-XXXXXX", sock[64];
static pid_t program;
static int program_in; /* it ends when nobody holds this */

static struct uplink *create(struct err *err)
{
    struct vde_options o = {.sock = sock, .mode = 0700, .file = "net.lua", .line = 3};

    return vde_create(&r.rig.sim, "switch", &o, err);
}

/* Its file is there a moment before it listens. */
static bool switch_there(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s/ctl", sock);
    bool there = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
    close(fd);
    return there;
}

static void switch_start(void)
{
    int in[2];

    assert_return_code(pipe2(in, O_CLOEXEC), errno);
    program = fork();
    if (program == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(in[0], 0);
        dup2(null, 1);
        dup2(null, 2);
        execlp("vde_switch", "vde_switch", "-s", sock, NULL);
        _exit(127);
    }
    close(in[0]);
    program_in = in[1];
    bool there = false;
    for (int i = 0; i < 500 && !(there = switch_there()); i++)
        usleep(10000);
    assert_true(there);
}

static void switch_end(void)
{
    kill(program, SIGTERM);
    waitpid(program, NULL, 0);
    close(program_in);
}

/* Installed and, with a sanitizer, not: libvdeplug loads its parts in a way that those refuse. */
static bool usable(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#endif
    return access("/usr/bin/vde_switch", X_OK) == 0 ||
           access("/usr/local/bin/vde_switch", X_OK) == 0;
}

static int setup(void **state)
{
    (void)state;
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    assert_non_null(mkdtemp(folder));
    snprintf(sock, sizeof(sock), "%s/ctl", folder);
    peer_rig_init(&r);
    return 0;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;

    peer_rig_finish(&r);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static bool carrier_is(bool up)
{
    for (int i = 0; i < 3000 && r.uplink->ports->carrier != up; i++)
        peer_rig_run(&r, 1);
    return r.uplink->ports->carrier == up;
}

static void frames_pass_the_switch_and_its_end_is_a_loss_of_carrier(void **state)
{
    struct vde_open_args args = {0, NULL, 0700};
    struct err err = {0};
    uint8_t frame[1514], got[2000];
    (void)state;

    if (!usable())
        skip();
    switch_start();
    VDECONN *other = vde_open(sock, "test", &args);
    assert_non_null(other);
    struct uplink *u = create(&err);
    assert_non_null(u);
    peer_rig_attach(&r, u);
    peer_frame(frame, sizeof(frame), 42);
    assert_int_equal(vde_send(other, frame, sizeof(frame), 0), sizeof(frame));
    assert_true(peer_rig_until(&r, 1));
    assert_int_equal(r.talker->seen[0].len, sizeof(frame));
    rig_send_at(r.talker, r.rig.sim.now + NS_PER_MS, 0xff, 200, 7);
    peer_rig_run(&r, 5);
    assert_int_equal(vde_recv(other, got, sizeof(got), 0), 200);
    assert_int_equal(got[ETH_HLEN], 7);
    vde_close(other);

    switch_end();
    assert_true(carrier_is(false));
    rig_send_at(r.talker, r.rig.sim.now + NS_PER_MS, 0xff, 200, 8);
    peer_rig_run(&r, 250); /* it is tried in vain */
    switch_start();
    assert_true(carrier_is(true));
    other = vde_open(sock, "test", &args);
    assert_non_null(other);
    assert_int_equal(vde_send(other, frame, sizeof(frame), 0), sizeof(frame));
    assert_true(peer_rig_until(&r, 2));
    vde_close(other);
    switch_end();
}

static void a_switch_that_is_not_there_is_one_sentence(void **state)
{
    struct err err = {0};
    char want[200];
    (void)state;

    if (!usable())
        skip();
    assert_null(create(&err));
    snprintf(want, sizeof(want),
             "net.lua:3: vde: cannot open %s: No such file or directory; is there a vde_switch?",
             sock);
    assert_int_equal(err.n, 1);
    assert_string_equal(err.texts[0], want);
    err_finish(&err);
}

/* It takes connections and says nothing. */
static int silent_switch(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    mkdir(sock, 0700);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s/ctl", sock);
    unlink(a.sun_path);
    assert_return_code(bind(fd, (struct sockaddr *)&a, sizeof(a)), errno);
    assert_return_code(listen(fd, 5), errno);
    return fd;
}

static void a_switch_that_does_not_answer_is_one_sentence(void **state)
{
    struct err err = {0};
    char want[128];
    (void)state;

    if (!usable())
        skip();
    int fd = silent_switch();
    assert_null(create(&err));
    snprintf(want, sizeof(want), "net.lua:3: vde: %s does not answer", sock);
    assert_int_equal(err.n, 1);
    assert_string_equal(err.texts[0], want);
    err_finish(&err);
    close(fd);
}

/* An uplink that is plugged into a switch; without one installed, the test is skipped. */
static struct uplink *plug_in(void)
{
    struct err err = {0};

    if (!usable())
        skip();
    switch_start();
    struct uplink *u = create(&err);
    assert_non_null(u);
    peer_rig_attach(&r, u);
    return u;
}

static void a_switch_that_falls_silent_holds_nobody(void **state)
{
    (void)state;

    plug_in();
    switch_end();
    int fd = silent_switch();
    assert_true(carrier_is(false));
    peer_rig_run(&r, 300); /* an attempt is under way, and the run goes on; so does its end */
    close(fd);
}

static void a_switch_that_does_not_read_is_waited_for(void **state)
{
    enum { N = 500 };
    (void)state;

    struct uplink *u = plug_in();
    const struct datagrams *d = container_of(u, struct datagrams, uplink);
    kill(program, SIGSTOP);
    for (unsigned i = 0; i < N; i++)
        rig_send_at(r.talker, NS_PER_MS, 0xff, 100, (uint8_t)i);
    peer_rig_run(&r, 5);
    assert_true(d->blocked);
    assert_true(d->n_sent < N);
    kill(program, SIGCONT);
    for (int i = 0; i < 2000 && d->n_sent < N; i++)
        peer_rig_run(&r, 1);
    assert_int_equal(d->n_sent, N);
    assert_false(d->blocked);
    assert_int_equal(port_dropped(&u->ports->port), 0);
    switch_end();
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(frames_pass_the_switch_and_its_end_is_a_loss_of_carrier),
        IN_FOLDER(a_switch_that_is_not_there_is_one_sentence),
        IN_FOLDER(a_switch_that_does_not_answer_is_one_sentence),
        IN_FOLDER(a_switch_that_falls_silent_holds_nobody),
        IN_FOLDER(a_switch_that_does_not_read_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
