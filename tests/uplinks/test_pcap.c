/* Capture files played into a VLAN: when packets enter, which do, and files that are not right. */
#include "tests/sim/rig.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/uplinks/pcap_file.h"
#include "devices/uplinks/pcap_reader.h"
#include "devices/uplinks/uplink.h"
#include "sim/recording.h"

#define NSEC_MAGIC 0xa1b23c4du
#define USEC_MAGIC 0xa1b2c3d4u
#define ONE_LINK (10000 + 672) /* 10 us, and 84 bytes at 1 Gbit/s */

static struct rig rig;
static struct vlan *vlan;
static struct talker *talker;
static struct uplink *tape;
static char path[] = "/tmp/lanarium-pcap-XXXXXX";
static FILE *file;
static bool swapped;

/* --- capture files, written by hand --- */

static void put32(uint32_t v)
{
    v = swapped ? __builtin_bswap32(v) : v;
    fwrite(&v, sizeof(v), 1, file);
}

static void file_begin(uint32_t magic, uint32_t link_type)
{
    file = fopen(path, "wb");
    assert_non_null(file);
    put32(magic);
    put32(swapped ? 2u << 16 | 4 : 4u << 16 | 2); /* version 2.4: two halves of 16 bits */
    put32(0);
    put32(0);
    put32(262144);
    put32(link_type);
}

/* A broadcast of which `captured` bytes are there; its 15th is the mark. */
static void packet_put(uint32_t seconds, uint32_t fraction, uint32_t len, uint32_t captured,
                       uint8_t mark)
{
    uint8_t b[2048];

    memset(b, 0xee, sizeof(b));
    memcpy(b, "\xff\xff\xff\xff\xff\xff\2\0\0\0\0\x77\x88\xb5", ETH_HLEN);
    b[ETH_HLEN] = mark;
    put32(seconds);
    put32(fraction);
    put32(captured);
    put32(len);
    fwrite(b, captured, 1, file);
}

static void file_end(void)
{
    fclose(file);
    file = NULL;
}

/* Three packets: at 0, 1234567 ns and 1.5 s. */
static void three_packets(void)
{
    file_begin(NSEC_MAGIC, 1);
    packet_put(1000, 999999000, 60, 60, 1);
    packet_put(1001, 1233567, 60, 60, 2);
    packet_put(1002, 499999000, 60, 60, 3);
    file_end();
}

/* --- the network --- */

static const struct pcap_file_options plain = {
    .path = path, .speed = NS_PER_SEC, .loops = 1, .file = "lan.lua", .line = 3};

static void start_with(const struct pcap_file_options *o, const struct sim_options *so)
{
    struct err err = {0};

    rig_init(&rig, so);
    vlan = vlan_create(&rig.sim, "lan", VLAN_SWITCH);
    talker = rig_talker(&rig, vlan);
    tape = pcap_file_create(&rig.sim, "tape", o, &err);
    err_print(&err, stderr);
    assert_non_null(tape);
    uplink_attach(tape, vlan, &vlan->link);
}

static void start(const struct pcap_file_options *o)
{
    start_with(o, NULL);
}

static void finish(void)
{
    uplink_destroy(tape);
    rig_finish(&rig);
}

/* What it says at the end: one sentence, or none (NULL). */
static void concludes(bool good, const char *text)
{
    struct err err = {0};

    assert_int_equal(tape->ops->conclude(tape, &err), good);
    assert_int_equal(err.n, text ? 1 : 0);
    if (text && !strstr(err.texts[0], text))
        fail_msg("it says: %s", err.texts[0]);
    err_finish(&err);
}

static vtime_t sent_at(unsigned n)
{
    assert_true(n < talker->n_seen);
    return talker->seen[n].at - 2 * ONE_LINK;
}

/* --- times --- */

static void packets_enter_at_their_own_times_to_the_nanosecond(void **state)
{
    struct pcap_file_options o = plain;
    (void)state;

    three_packets();
    o.start_ns = 1000000001;
    start(&o);
    assert_int_equal(rig.sim.n_live, 0);
    assert_int_equal(sim_run(&rig.sim, VTIME_NEVER), SIM_IDLE);
    assert_int_equal(talker->n_seen, 3);
    assert_int_equal(sent_at(0), 1000000001);
    assert_int_equal(sent_at(1), 1000000001 + 1234567);
    assert_int_equal(sent_at(2), 1000000001LL + 1500000000);
    concludes(true, NULL);
    finish();
}

static void a_file_of_either_byte_order_and_precision_is_the_same(void **state)
{
    (void)state;

    for (unsigned i = 0; i < 4; i++) {
        swapped = i & 1;
        file_begin(i & 2 ? USEC_MAGIC : NSEC_MAGIC, 1);
        packet_put(5, 0, 60, 60, 1);
        packet_put(5, i & 2 ? 7 : 7000, 60, 60, 2);
        file_end();
        swapped = false;
        start(&plain);
        sim_run(&rig.sim, NS_PER_SEC);
        assert_int_equal(talker->n_seen, 2);
        assert_int_equal(sent_at(1) - sent_at(0), 7000);
        concludes(true, NULL);
        finish();
    }
}

static void a_factor_scales_the_spacing(void **state)
{
    struct pcap_file_options o = plain;
    (void)state;

    three_packets();
    o.speed = 2 * NS_PER_SEC;
    start(&o);
    sim_run(&rig.sim, 10 * NS_PER_SEC);
    assert_int_equal(sent_at(1), 1234567 / 2);
    assert_int_equal(sent_at(2), 750000000);
    finish();
    o.speed = NS_PER_SEC / 10;
    start(&o);
    sim_run(&rig.sim, 20 * NS_PER_SEC);
    assert_int_equal(sent_at(1), 12345670);
    assert_int_equal(sent_at(2), 15 * NS_PER_SEC);
    finish();
}

static void at_most_speed_the_line_is_full_and_nothing_is_lost(void **state)
{
    struct pcap_file_options o = plain;
    struct link link = {LINK_DEFAULT_DELAY, LINK_DEFAULT_RATE, 2000};
    (void)state;

    three_packets();
    o.speed = 0;
    o.loops = 1000; /* far more than the link's queue holds */
    start(&o);
    uplink_attach(tape, vlan, &link);
    sim_run(&rig.sim, NS_PER_SEC);
    assert_int_equal(talker->n_seen, 3000);
    for (unsigned i = 0; i < 3000; i++) {
        assert_int_equal(talker->seen[i].mark, i % 3 + 1);
        assert_int_equal(sent_at(i), i * 672);
    }
    assert_int_equal(port_dropped(&tape->ports->port), 0);
    finish();
}

static void a_line_without_a_rate_is_not_given_all_at_once(void **state)
{
    struct pcap_file_options o = plain;
    struct link fast = {LINK_DEFAULT_DELAY, 0, 1000};
    (void)state;

    three_packets();
    o.speed = 0;
    o.loops = 120000; /* 21.6 MB at a terabit a second: 172 us */
    start(&o);
    uplink_attach(tape, vlan, &fast);
    port_set_up(&talker->port, false);
    sim_run(&rig.sim, 170 * NS_PER_US);
    assert_true(tape->ports->port.stats.tx_frames < 360000);
    sim_run(&rig.sim, 180 * NS_PER_US);
    assert_int_equal(tape->ports->port.stats.tx_frames, 360000);
    assert_int_equal(port_dropped(&tape->ports->port), 0);
    finish();
}

static void passes_follow_each_other_after_the_gap(void **state)
{
    struct pcap_file_options o = plain;
    (void)state;

    three_packets();
    o.loops = 3;
    o.gap_ns = 5 * NS_PER_MS;
    start(&o);
    assert_int_equal(sim_run(&rig.sim, VTIME_NEVER), SIM_IDLE);
    assert_int_equal(talker->n_seen, 9);
    assert_int_equal(sent_at(3), 1505 * NS_PER_MS);
    assert_int_equal(sent_at(4), 1505 * NS_PER_MS + 1234567);
    assert_int_equal(sent_at(8), 4510 * NS_PER_MS);
    finish();
}

static void a_filter_leaves_out_packets_but_not_their_time(void **state)
{
    struct pcap_file_options o = plain;
    (void)state;

    three_packets();
    o.filter = "ether[14] == 2";
    o.loops = 2;
    start(&o);
    sim_run(&rig.sim, 10 * NS_PER_SEC);
    assert_int_equal(talker->n_seen, 2);
    assert_int_equal(sent_at(0), 1234567);
    assert_int_equal(sent_at(1), 1500000000 + 1234567);
    finish();
}

static void times_that_go_backwards_stand_still(void **state)
{
    (void)state;

    file_begin(NSEC_MAGIC, 1);
    packet_put(5, 0, 60, 60, 1);
    packet_put(6, 0, 60, 60, 2);
    packet_put(4, 0, 60, 60, 3);
    packet_put(7, 0, 60, 60, 4);
    file_end();
    start(&plain);
    sim_run(&rig.sim, 10 * NS_PER_SEC);
    assert_int_equal(talker->n_seen, 4);
    assert_int_equal(sent_at(2), NS_PER_SEC + 672); /* behind the one before on the line */
    assert_int_equal(sent_at(3), 2 * NS_PER_SEC);
    concludes(true, "lan.lua:3: pcap tape: ");
    concludes(true, "1 packet earlier than the one before: sent right behind it");
    finish();
}

static void a_time_beyond_all_days_is_never_reached(void **state)
{
    struct pcap_file_options o = plain;
    (void)state;

    file_begin(USEC_MAGIC, 1);
    packet_put(0, 0, 60, 60, 1);
    packet_put(0x7fffffff, 999999, 60, 60, 2);
    packet_put(5, 0, 60, 60, 3);
    file_end();
    o.speed = 1;
    o.loops = 5;
    o.gap_ns = VTIME_NEVER / 2;
    start(&o);
    assert_int_equal(sim_run(&rig.sim, VTIME_NEVER), SIM_IDLE);
    assert_int_equal(talker->n_seen, 1);
    finish();
}

static void the_result_does_not_depend_on_windows_or_on_being_recorded(void **state)
{
    static struct rig_seen seen[RIG_MAX_SEEN];
    char record[] = "/tmp/lanarium-recording-XXXXXX";
    struct pcap_file_options o = plain;
    struct err err = {0};
    struct stat st;
    (void)state;

    three_packets();
    o.loops = 20;
    o.speed = 1000 * NS_PER_SEC;
    close(mkstemp(record));
    for (unsigned i = 0; i < 3; i++) {
        start_with(&o, &(struct sim_options){.seed = 1, .max_window = i * 7 * NS_PER_US});
        rig.sim.recording = i == 2 ? recording_create(record, "", &err) : NULL;
        for (unsigned k = 0; k < 50; k++)
            rig_send_at(talker, k * NS_PER_MS, 0xff, 200, 1);
        sim_run(&rig.sim, NS_PER_SEC);
        assert_int_equal(talker->n_seen, 60);
        assert_int_equal(tape->ports->port.stats.rx_frames, 50); /* taken, and that is all */
        if (i)
            assert_memory_equal(talker->seen, seen, sizeof(seen));
        memcpy(seen, talker->seen, sizeof(seen));
        if (rig.sim.recording)
            assert_true(recording_close(rig.sim.recording, rig.sim.now, &err));
        finish();
    }
    assert_int_equal(stat(record, &st), 0);
    assert_true(st.st_size < 100); /* its head and its end: nothing entered from outside */
    unlink(record);
}

/* --- packets and files that are not right --- */

static void what_is_missing_of_a_packet_is_zeroes(void **state)
{
    struct pcap_counts counts = {0};
    struct pcap_pkthdr h = {.caplen = 20, .len = 100};
    uint8_t bytes[20];
    (void)state;

    memset(bytes, 0xee, sizeof(bytes));
    struct frame *f = pcap_packet_frame(&h, bytes, &counts);
    assert_int_equal(f->len, 100);
    assert_memory_equal(f->data, bytes, 20);
    for (unsigned i = 20; i < 100; i++)
        assert_int_equal(f->data[i], 0);
    assert_int_equal(counts.cut, 1);
    frame_unref(f);
    h.len = 20;
    f = pcap_packet_frame(&h, bytes, &counts);
    assert_int_equal(f->len, 20);
    assert_true(f->cap >= FRAME_MIN_WIRE); /* it can be padded */
    frame_unref(f);

    file_begin(NSEC_MAGIC, 1);
    packet_put(5, 0, 100, 20, 1);
    file_end();
    start(&plain);
    sim_run(&rig.sim, NS_PER_SEC);
    assert_int_equal(talker->seen[0].len, 100);
    concludes(true, "1 packet had been captured in part only: zeroes were sent for the rest");
    finish();
}

static void short_and_long_packets_are_counted_and_not_sent(void **state)
{
    struct err err = {0};
    (void)state;

    file_begin(NSEC_MAGIC, 1);
    packet_put(5, 0, 13, 13, 1);
    packet_put(5, 0, 0, 0, 1);
    packet_put(5, 0, FRAME_MAX_LEN + 1, 100, 1);
    packet_put(5, 0, 15, 15, 4);
    file_end();
    start(&plain);
    sim_run(&rig.sim, NS_PER_SEC);
    assert_int_equal(talker->n_seen, 1);
    assert_int_equal(talker->seen[0].len, 15);
    assert_true(tape->ops->conclude(tape, &err));
    assert_int_equal(err.n, 2);
    assert_non_null(strstr(err.texts[0], "2 packets shorter than an Ethernet header: not sent"));
    assert_non_null(strstr(err.texts[1], "1 packet longer than any frame: not sent"));
    err_finish(&err);
    finish();
}

static void a_file_cut_short_is_played_up_to_there_and_the_run_is_not_good(void **state)
{
    struct pcap_file_options o = plain;
    (void)state;

    o.loops = 7; /* it is over all the same */
    for (long cut = 24; cut < 24 + 3 * 76; cut++) {
        unsigned whole = (unsigned)(cut - 24) / 76;
        three_packets();
        assert_int_equal(truncate(path, cut), 0);
        if ((cut - 24) % 76 == 0)
            continue; /* between packets: nothing is wrong with it */
        start(&o);
        sim_run(&rig.sim, 10 * NS_PER_SEC);
        assert_int_equal(talker->n_seen, whole);
        concludes(false, "is cut short or damaged after");
        finish();
    }
}

static void a_file_that_changes_between_passes_ends_it(void **state)
{
    struct pcap_file_options o = plain;
    (void)state;

    three_packets();
    o.loops = 2;
    start(&o);
    unlink(path);
    sim_run(&rig.sim, 10 * NS_PER_SEC);
    assert_int_equal(talker->n_seen, 3);
    concludes(false, "No such file");
    finish();
}

static void a_pass_that_sends_nothing_is_the_last(void **state)
{
    struct pcap_file_options o = plain;
    (void)state;

    three_packets();
    o.loops = UINT32_MAX;
    o.filter = "arp";
    start(&o);
    assert_int_equal(sim_run(&rig.sim, VTIME_NEVER), SIM_IDLE);
    concludes(true, "has no packet that could be sent (of 3)");
    finish();
}

static void refused(const struct pcap_file_options *o, const char *text)
{
    struct err err = {0};

    assert_false(pcap_file_check(o, "tape", &err));
    assert_int_equal(err.n, 1);
    if (!strstr(err.texts[0], text) || strncmp(err.texts[0], "lan.lua:3: pcap tape: ", 22) != 0)
        fail_msg("it says: %s", err.texts[0]);
    err_finish(&err);
}

static void what_is_no_capture_of_ethernet_is_refused_in_one_sentence(void **state)
{
    struct pcap_file_options o = plain;
    (void)state;

    file = fopen(path, "w");
    fputs("this is no capture, but long enough to be one", file);
    file_end();
    refused(&o, "it is no capture that can be read (unknown file format)");
    assert_int_equal(truncate(path, 0), 0);
    refused(&o, "it is no capture that can be read (");
    file_begin(NSEC_MAGIC, 113);
    file_end();
    refused(&o, "its packets are not Ethernet's but of link type LINUX_SLL (113)");
    file_begin(NSEC_MAGIC, 0x0fffffff);
    file_end();
    refused(&o, "its packets are not Ethernet's");
    three_packets();
    o.filter = "tcp port port";
    refused(&o, "filter \"tcp port port\": ");
    o.path = "/nonexistent";
    o.filter = NULL;
    refused(&o, "No such file or directory");
    o.path = "/tmp";
    refused(&o, "it is no capture that can be read (");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_enter_at_their_own_times_to_the_nanosecond),
        cmocka_unit_test(a_file_of_either_byte_order_and_precision_is_the_same),
        cmocka_unit_test(a_factor_scales_the_spacing),
        cmocka_unit_test(at_most_speed_the_line_is_full_and_nothing_is_lost),
        cmocka_unit_test(a_line_without_a_rate_is_not_given_all_at_once),
        cmocka_unit_test(passes_follow_each_other_after_the_gap),
        cmocka_unit_test(a_filter_leaves_out_packets_but_not_their_time),
        cmocka_unit_test(times_that_go_backwards_stand_still),
        cmocka_unit_test(a_time_beyond_all_days_is_never_reached),
        cmocka_unit_test(the_result_does_not_depend_on_windows_or_on_being_recorded),
        cmocka_unit_test(what_is_missing_of_a_packet_is_zeroes),
        cmocka_unit_test(short_and_long_packets_are_counted_and_not_sent),
        cmocka_unit_test(a_file_cut_short_is_played_up_to_there_and_the_run_is_not_good),
        cmocka_unit_test(a_file_that_changes_between_passes_ends_it),
        cmocka_unit_test(a_pass_that_sends_nothing_is_the_last),
        cmocka_unit_test(what_is_no_capture_of_ethernet_is_refused_in_one_sentence),
    };
    close(mkstemp(path));
    int failed = cmocka_run_group_tests_name("pcap", tests, NULL, NULL);
    unlink(path);
    return failed;
}
