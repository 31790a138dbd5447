/* Captures, read back by libpcap; and what happens when they cannot be written. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim/capture.h"
#include "sim/capture_writer.h"

static char path[] = "/tmp/lanarium-capture-XXXXXX";

static int setup(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    strcpy(path + strlen(path) - 6, "XXXXXX");
    return 0;
}

/* Three talkers, `frames` frames, captured as the options say; returns whether close was well. */
static bool record(const struct capture_options *o, unsigned frames, vtime_t window, struct err *err)
{
    struct rig r;
    struct talker *t[3];

    rig_init(&r, &(struct sim_options){.seed = 1, .max_window = window});
    struct vlan *v = vlan_create(&r.sim, "lan", VLAN_SWITCH);
    for (unsigned i = 0; i < 3; i++)
        t[i] = rig_talker(&r, v);
    struct capture *c = capture_open(&r.sim, o, err);
    assert_non_null(c);
    capture_add_vlan(c, v);
    capture_add_port(c, &t[1]->port);
    for (unsigned i = 0; i < frames; i++)
        rig_send_at(t[i % 3], i * 1000, i % 2 ? 2 : 0xff, 60 + i % 100, (uint8_t)i);
    sim_run(&r.sim, frames * 1000 + NS_PER_MS);
    bool ok = capture_close(c, r.sim.now, err);
    rig_finish(&r);
    return ok;
}

/* The whole file; the caller frees. */
static uint8_t *slurp(size_t *n)
{
    FILE *f = fopen(path, "rb");
    uint8_t *p = xmalloc(1 << 22);

    *n = fread(p, 1, 1 << 22, f);
    fclose(f);
    return p;
}

static unsigned count_packets(int *datalink, vtime_t *first, vtime_t *last)
{
    char e[PCAP_ERRBUF_SIZE];
    pcap_t *p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, e);
    struct pcap_pkthdr *h;
    const u_char *data;
    unsigned n = 0;

    assert_non_null(p);
    *datalink = pcap_datalink(p);
    *last = -1;
    while (pcap_next_ex(p, &h, &data) == 1) {
        vtime_t at = h->ts.tv_sec * NS_PER_SEC + h->ts.tv_usec;
        assert_true(at >= *last);
        *last = at;
        if (n++ == 0)
            *first = at;
    }
    pcap_close(p);
    return n;
}

static void packets_come_back_in_order_with_their_times(void **state)
{
    struct capture_options o = {.path = path, .format = CAPTURE_PCAPNG, .epoch_ns = NS_PER_SEC};
    struct err err = {0};
    vtime_t first, last;
    int datalink;
    (void)state;
    assert_true(record(&o, 300, 0, &err));
    /* 300 on the VLAN; talker 2 sends 100 and gets the rest but for its own. */
    assert_true(count_packets(&datalink, &first, &last) > 550);
    assert_int_equal(datalink, DLT_EN10MB);
    assert_int_equal(first, NS_PER_SEC + 1000); /* the first that the captured port sent */
    o.format = CAPTURE_PCAP;
    assert_true(record(&o, 300, 0, &err));
    assert_true(count_packets(&datalink, &first, &last) > 550);
    assert_int_equal(first, NS_PER_SEC + 1000);
}

static void the_file_does_not_depend_on_windows(void **state)
{
    struct capture_options o = {.path = path, .format = CAPTURE_PCAPNG, .origin = true};
    struct err err = {0};
    size_t na, nb;
    (void)state;
    assert_true(record(&o, 2000, 0, &err));
    uint8_t *a = slurp(&na);
    assert_true(record(&o, 2000, 2 * NS_PER_US, &err));
    uint8_t *b = slurp(&nb);
    assert_int_equal(na, nb);
    assert_memory_equal(a, b, na);
    free(a);
    free(b);
}

/* Records of a lane that are out of order, and of lanes that are handed over at once. */
static void records_are_sorted_stably_by_time_and_lane(void **state)
{
    struct capture_space space = {0};
    struct capture_record r[1000];
    struct rng g;
    (void)state;
    rng_init(&g, 1, "sort");
    for (unsigned round = 0; round < 50; round++) {
        uint32_t n = (uint32_t)rng_below(&g, ARRAY_LEN(r) + 1);
        for (uint32_t i = 0; i < n; i++) /* the frame's address stands for its number */
            r[i] = (struct capture_record){(vtime_t)rng_below(&g, round + 1),
                                           (struct frame *)(uintptr_t)(i + 1),
                                           (uint32_t)rng_below(&g, 4)};
        if (n)
            capture_sort(r, n, &space);
        for (uint32_t i = 1; i < n; i++) {
            assert_false(capture_before(&r[i], &r[i - 1]));
            assert_true(capture_before(&r[i - 1], &r[i]) || r[i - 1].frame < r[i].frame);
        }
    }
    free(space.records);
    free(space.runs);
}

/* A link that becomes faster while frames are on it: the tap sees times that go back. */
static void a_link_that_changes_leaves_the_file_in_order(void **state)
{
    struct capture_options o = {.path = path};
    struct err err = {0};
    vtime_t first, last;
    struct rig r;
    struct talker *t[2];
    int datalink;
    (void)state;
    rig_init(&r, NULL);
    struct vlan *v = vlan_create(&r.sim, "lan", VLAN_HUB);
    t[0] = rig_talker(&r, v);
    t[1] = rig_talker(&r, v);
    struct link slow = v->link;
    slow.delay_ns = 5 * NS_PER_MS;
    port_attach(&t[1]->port, v, &slow);
    struct capture *c = capture_open(&r.sim, &o, &err);
    capture_add_port(c, &t[1]->port);
    for (unsigned i = 0; i < 20; i++) /* the later half is there first, the last ones between */
        rig_send_at(t[0], i * 10000 + (i < 15 ? 0 : 2 * NS_PER_MS), 0xff, 60, (uint8_t)i);
    sim_run(&r.sim, 100 * NS_PER_US);
    port_attach(&t[1]->port, v, &v->link);
    for (unsigned i = 1; i <= 10; i++) {
        sim_run(&r.sim, i * NS_PER_MS);
        capture_flush(c);
    }
    assert_true(capture_close(c, r.sim.now, &err));
    rig_finish(&r);
    assert_int_equal(count_packets(&datalink, &first, &last), 20); /* which looks at the order */
}

static void a_filter_keeps_what_it_matches(void **state)
{
    struct capture_options o = {.path = path, .filter = "ether broadcast"};
    struct err err = {0};
    vtime_t first, last;
    int datalink;
    (void)state;
    assert_true(record(&o, 10, 0, &err));
    assert_int_equal(count_packets(&datalink, &first, &last), 5 + 5);
}

static void a_wrong_filter_and_a_wrong_path_are_one_sentence_each(void **state)
{
    struct capture_options o = {.path = path, .filter = "no such thing"};
    struct err err = {0};
    struct rig r;
    (void)state;
    rig_init(&r, NULL);
    assert_null(capture_open(&r.sim, &o, &err));
    o.filter = NULL;
    o.path = "/nonexistent/x.pcapng";
    assert_null(capture_open(&r.sim, &o, &err));
    assert_int_equal(err.n, 2);
    assert_non_null(strstr(err.texts[0], "filter \"no such thing\""));
    assert_non_null(strstr(err.texts[1], strerror(ENOENT)));
    err_finish(&err);
    rig_finish(&r);
}

static void a_full_disk_is_reported_with_what_was_lost(void **state)
{
    struct capture_options o = {.path = "/dev/full"};
    struct err err = {0};
    (void)state;
    assert_false(record(&o, 3000, 0, &err));
    assert_int_equal(err.n, 1);
    assert_non_null(strstr(err.texts[0], strerror(ENOSPC)));
    err_finish(&err);
}

static void a_closed_pipe_is_reported(void **state)
{
    struct err err = {0};
    char name[32];
    int fd[2];
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(fd), 0);
    snprintf(name, sizeof(name), "/dev/fd/%d", fd[1]);
    struct capture_options o = {.path = name};
    /* Opening it once more keeps it writable; then the reader goes. */
    struct rig r;
    rig_init(&r, NULL);
    struct vlan *v = vlan_create(&r.sim, "lan", VLAN_HUB);
    struct talker *t = rig_talker(&r, v);
    struct capture *c = capture_open(&r.sim, &o, &err);
    capture_add_vlan(c, v);
    close(fd[0]);
    rig_send_at(t, 0, 0xff, 60, 0);
    sim_run(&r.sim, NS_PER_MS);
    assert_false(capture_close(c, r.sim.now, &err));
    assert_non_null(strstr(err.texts[0], strerror(EPIPE)));
    close(fd[1]);
    err_finish(&err);
    rig_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(packets_come_back_in_order_with_their_times, setup, teardown),
        cmocka_unit_test_setup_teardown(the_file_does_not_depend_on_windows, setup, teardown),
        cmocka_unit_test(records_are_sorted_stably_by_time_and_lane),
        cmocka_unit_test_setup_teardown(a_link_that_changes_leaves_the_file_in_order, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_filter_keeps_what_it_matches, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_filter_and_a_wrong_path_are_one_sentence_each, setup,
                                        teardown),
        cmocka_unit_test(a_full_disk_is_reported_with_what_was_lost),
        cmocka_unit_test(a_closed_pipe_is_reported),
    };
    return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
