/* TAP interfaces: frames both ways, with and without virtio-net headers, and interfaces that
 * vanish. */
#include "tap_rig.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/uplinks/tap_header.h"
#include "sim/offload.h"

#define MSS 1000u
#define HEADERS (ETH_HLEN + 40u)

static int host = -1;

static void start(bool vnet_hdr, bool host_header)
{
    struct tap_options o = tap_rig_options();

    o.vnet_hdr = vnet_hdr;
    assert_non_null(tap_rig_start(&o));
    tap_rig_up();
    host = tap_rig_host(host_header);
}

static void finish(void)
{
    close(host);
    tap_rig_finish();
}

/* What the host has received. */
static uint8_t got[FRAME_MAX_LEN + TAP_HEADER];
static ssize_t got_len;
static unsigned n_got, n_bad, got_payload;

/* --- segments of TCP over IPv4 --- */

/* A packet whose payload is bytes 0, 1, 2...; the checksum is the pseudo-header's only. */
static struct frame *tcp_packet(uint32_t payload)
{
    struct frame *f = frame_new(HEADERS + payload);
    uint8_t *p = f->data;

    f->len = HEADERS + payload;
    memset(p, 0, HEADERS);
    memset(p, 0xff, ETH_ALEN);
    memcpy(p + ETH_ALEN, (uint8_t[]){2, 0, 0, 0, 0, 9}, ETH_ALEN);
    store_be16(p + 12, 0x0800);
    p[14] = 0x45;
    store_be16(p + 16, (uint16_t)(f->len - ETH_HLEN));
    p[22] = 64;
    p[23] = 6;
    store_be32(p + 26, 0x0a090001);
    store_be32(p + 30, 0x0a090002);
    store_be16(p + 24, inet_fold(inet_sum(0, p + 14, 20)));
    store_be16(p + 34, 1000);
    store_be16(p + 36, 2000);
    p[46] = 0x50;
    p[47] = 0x10;
    store_be16(p + 50, (uint16_t)~inet_fold(inet_sum(6 + 20 + payload, p + 26, 8)));
    for (uint32_t i = 0; i < payload; i++)
        p[HEADERS + i] = (uint8_t)i;
    f->offload = (struct frame_offload){.needs_csum = true, .csum_start = 34, .csum_offset = 16};
    if (payload > MSS) {
        f->offload.gso = FRAME_GSO_TCPV4;
        f->offload.gso_size = MSS;
        f->offload.hdr_len = HEADERS;
    }
    return f;
}

/* Whether its checksums are right. */
static bool tcp_good(const uint8_t *p)
{
    uint32_t len = load_be16(p + 16) - 20u;

    return inet_fold(inet_sum(0, p + 14, 20)) == 0 &&
           inet_fold(inet_sum(inet_sum(6 + len, p + 26, 8), p + 34, len)) == 0;
}

static void send_from_talker(struct frame *f)
{
    tap_talker->actor.now = tap_rig.sim.now;
    port_send(&tap_talker->port, f);
    rig_send_at(tap_talker, tap_rig.sim.now, 0x77, 60, 0); /* something due: it is collected */
}

static void send_from_host(const void *bytes, size_t len)
{
    assert_int_equal(send(host, bytes, len, 0), (ssize_t)len);
}

static bool is_tcp(const uint8_t *p)
{
    return load_be16(p + 12) == 0x0800 && p[23] == 6;
}

/* The next frame of the talker's that the host has; its bytes begin at got + skip. */
static bool host_receives(size_t skip)
{
    while ((got_len = recv(host, got, sizeof(got), 0)) >= 0)
        if (got_len >= (ssize_t)skip + ETH_HLEN && got[skip + 6] == 2 && got[skip + 5] != 0x77)
            return true;
    return false;
}

static bool host_has_frame(void)
{
    return host_receives(0) && got_len >= 60;
}

static bool host_has_request(void)
{
    return host_receives(TAP_HEADER) && is_tcp(got + TAP_HEADER);
}

static bool host_has_segments(void)
{
    while (host_receives(0)) {
        n_got++;
        got_payload += (unsigned)got_len - HEADERS;
        n_bad += !is_tcp(got) || !tcp_good(got) || (unsigned)got_len > HEADERS + MSS;
    }
    return got_payload >= 50 * MSS;
}

/* --- frames --- */

static bool talker_has_one(void)
{
    return tap_talker->n_seen > 0;
}

static void pass_both_ways(bool vnet_hdr)
{
    uint8_t bytes[100] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5, 42};

    start(vnet_hdr, false);
    rig_send_at(tap_talker, NS_PER_MS, 0xff, 1514, 17);
    tap_rig_until(host_has_frame);
    assert_int_equal(got_len, 1514);
    assert_int_equal(got[14], 17);
    send_from_host(bytes, sizeof(bytes));
    tap_rig_until(talker_has_one);
    assert_int_equal(tap_talker->seen[0].mark, 42);
    assert_int_equal(tap_talker->seen[0].len, 100);
    finish();
}

static void frames_pass_both_ways(void **state)
{
    (void)state;
    pass_both_ways(true);
    pass_both_ways(false);
}

static void a_runt_of_the_host_is_padded(void **state)
{
    uint8_t bytes[ETH_HLEN + 1] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,
                                   0,    0,    0,    9,    0x88, 0xb5, 42};
    (void)state;

    for (int vnet_hdr = 0; vnet_hdr < 2; vnet_hdr++) {
        start(vnet_hdr, false);
        send_from_host(bytes, sizeof(bytes));
        tap_rig_until(talker_has_one);
        assert_int_equal(tap_talker->seen[0].mark, 42);
        assert_int_equal(tap_talker->seen[0].len, FRAME_MIN_WIRE);
        finish();
    }
}

static bool talker_has_many(void)
{
    return tap_talker->n_seen >= 1000;
}

static void many_frames_of_the_host_all_enter_in_order(void **state)
{
    uint8_t bytes[1514] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5};
    (void)state;

    start(true, false);
    for (unsigned i = 0; i < 1000; i++) {
        bytes[14] = (uint8_t)i;
        while (send(host, bytes, sizeof(bytes), 0) < 0 && errno == EAGAIN)
            sim_run(&tap_rig.sim, tap_rig.sim.now + NS_PER_MS);
        if (i % 250 == 249) /* the interface's own queue is no longer than that */
            sim_run(&tap_rig.sim, tap_rig.sim.now + 10 * NS_PER_MS);
    }
    tap_rig_until(talker_has_many);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(tap_talker->seen[i].mark, (uint8_t)i);
    finish();
}

/* --- virtio-net headers --- */

static void a_request_for_a_checksum_passes_to_the_host(void **state)
{
    (void)state;

    start(true, true);
    send_from_talker(tcp_packet(100));
    tap_rig_until(host_has_request);
    const struct virtio_net_hdr *h = (const void *)got;
    assert_int_equal(h->flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
    assert_int_equal(h->csum_start, 34);
    assert_int_equal(h->csum_offset, 16);
    assert_int_equal(h->gso_type, VIRTIO_NET_HDR_GSO_NONE);
    finish();
}

static void a_request_to_segment_passes_to_the_host_as_it_is(void **state)
{
    (void)state;

    start(true, true);
    send_from_talker(tcp_packet(50 * MSS));
    tap_rig_until(host_has_request);
    const struct virtio_net_hdr *h = (const void *)got;
    assert_int_equal(got_len, TAP_HEADER + HEADERS + 50 * MSS);
    assert_int_equal(h->gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
    assert_int_equal(h->gso_size, MSS);
    finish();
}

static void without_headers_the_host_has_finished_segments(void **state)
{
    (void)state;

    start(false, false);
    n_got = n_bad = got_payload = 0;
    send_from_talker(tcp_packet(50 * MSS));
    tap_rig_until(host_has_segments);
    assert_int_equal(n_got, 50);
    assert_int_equal(n_bad, 0);
    finish();
}

static void a_request_that_the_kernel_refuses_is_finished_here(void **state)
{
    struct frame *f = tcp_packet(50 * MSS);
    (void)state;

    start(true, false);
    n_got = n_bad = got_payload = 0;
    f->offload.hdr_len = 0xffff; /* to us a hint, to the kernel beyond the frame */
    send_from_talker(f);
    tap_rig_until(host_has_segments);
    assert_int_equal(n_got, 50);
    assert_int_equal(n_bad, 0);
    finish();
}

static void a_request_that_fits_no_frame_is_dropped_and_counted(void **state)
{
    struct frame *f = tcp_packet(100);
    (void)state;

    start(true, false);
    f->offload.csum_start = 5000; /* beyond the frame */
    send_from_talker(f);
    rig_send_at(tap_talker, tap_rig.sim.now + NS_PER_MS, 0xff, 100, 17);
    tap_rig_until(host_has_frame);
    assert_int_equal(got[14], 17);
    assert_int_equal(port_dropped(&tap_uplink->ports->port), 1);
    finish();
}

/* What the talker has seen of requests, and of the packets that they are for. */
static struct frame_offload seen_offload;
static unsigned seen_payload, seen_packets, seen_bad;

static void note_packet(void *opaque, struct frame *f)
{
    (void)opaque;
    seen_packets++;
    seen_bad += !tcp_good(f->data);
}

static void note(struct talker *t, struct frame *f)
{
    (void)t;
    if (!is_tcp(f->data))
        return;
    seen_offload = f->offload;
    seen_payload += f->len - HEADERS;
    offload_finish(f, note_packet, NULL);
}

static bool talker_has_payload(void)
{
    return seen_payload >= 50 * MSS;
}

/* The host's stack leaves a segmentation to the interface. */
static void host_requests_segments(bool vnet_hdr)
{
    struct frame *f = tcp_packet(50 * MSS);
    struct virtio_net_hdr h = tap_header_of(&f->offload);

    start(vnet_hdr, true);
    seen_payload = seen_packets = seen_bad = 0;
    seen_offload = (struct frame_offload){0};
    tap_talker->on_rx = note;
    memcpy(got, &h, sizeof(h));
    memcpy(got + sizeof(h), f->data, f->len);
    send_from_host(got, sizeof(h) + f->len);
    frame_unref(f);
    tap_rig_until(talker_has_payload);
    assert_int_equal(seen_payload, 50 * MSS);
    assert_int_equal(seen_packets, 50);
    assert_int_equal(seen_bad, 0);
}

static void a_request_of_the_host_passes_as_it_is(void **state)
{
    (void)state;

    host_requests_segments(true);
    assert_int_equal(tap_talker->n_seen, 1);
    assert_int_equal(seen_offload.gso, FRAME_GSO_TCPV4);
    assert_int_equal(seen_offload.gso_size, MSS);
    assert_true(seen_offload.needs_csum);
    finish();
}

static void without_headers_the_host_segments_itself_and_they_are_joined(void **state)
{
    (void)state;

    host_requests_segments(false);
    assert_in_range(tap_talker->n_seen, 2, 25); /* as many as come before a barrier */
    finish();
}

static void headers_that_fit_no_frame_are_refused(void **state)
{
    struct virtio_net_hdr h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 50};
    struct frame_offload o;
    (void)state;

    assert_true(tap_offload_of(&h, 52, &o));
    assert_false(tap_offload_of(&h, 51, &o));
    h = (struct virtio_net_hdr){.gso_type = VIRTIO_NET_HDR_GSO_TCPV6, .gso_size = 0};
    assert_false(tap_offload_of(&h, 1500, &o));
    h = (struct virtio_net_hdr){.gso_type = 0x55, .gso_size = 100};
    assert_false(tap_offload_of(&h, 1500, &o));
}

static void a_header_is_read_as_it_was_written(void **state)
{
    struct frame_offload o = {.needs_csum = true,
                              .csum_start = 54,
                              .csum_offset = 16,
                              .gso = FRAME_GSO_TCPV6,
                              .ecn = true,
                              .gso_size = 1440,
                              .hdr_len = 74};
    struct frame_offload read;
    (void)state;

    for (o.gso = FRAME_GSO_TCPV4; o.gso <= FRAME_GSO_TCPV6; o.gso++) {
        struct virtio_net_hdr h = tap_header_of(&o);
        memset(&read, 0, sizeof(read));
        assert_true(tap_offload_of(&h, 1500, &read));
        assert_int_equal(read.gso, o.gso);
        assert_int_equal(read.csum_start, 54);
        assert_int_equal(read.csum_offset, 16);
        assert_int_equal(read.gso_size, 1440);
        assert_int_equal(read.hdr_len, 74);
        assert_true(read.ecn && read.needs_csum);
    }
}

/* --- what can happen to an interface --- */

static bool carrier_is_lost(void)
{
    return !tap_uplink->ports->carrier;
}

static void an_interface_that_is_deleted_is_a_carrier_that_is_lost(void **state)
{
    (void)state;

    start(true, false);
    assert_false(carrier_is_lost());
    tap_rig_host_do("ip link del " TAP_RIG_NAME);
    tap_rig_listen();
    tap_rig_until(carrier_is_lost);
    assert_string_equal(tap_rig_said(), "lanarium: net.lua:7: tap gw has lost its carrier: "
                                        "interface " TAP_RIG_NAME " has vanished\n");
    /* And the run goes on. */
    rig_send_at(tap_talker, tap_rig.sim.now + NS_PER_MS, 0xff, 100, 1);
    assert_int_equal(sim_run(&tap_rig.sim, tap_rig.sim.now + 5 * NS_PER_MS), SIM_REACHED);
    assert_int_equal(tap_uplink->ports->port.stats.drops[DROP_DOWN], 1);
    finish();
}

static void one_that_is_deleted_while_frames_are_written_is_lost_likewise(void **state)
{
    (void)state;

    start(true, false);
    tap_rig_host_do("ip link del " TAP_RIG_NAME);
    for (unsigned i = 0; i < 100; i++)
        send_from_talker(tcp_packet(20 * MSS));
    tap_rig_listen();
    tap_rig_until(carrier_is_lost);
    tap_rig_said();
    assert_true(port_dropped(&tap_uplink->ports->port) > 0);
    finish();
}

static void what_is_sent_while_the_host_has_it_down_is_dropped_and_counted(void **state)
{
    char *line;
    size_t len;
    (void)state;

    start(true, false);
    tap_rig_host_do("ip link set " TAP_RIG_NAME " down");
    rig_send_at(tap_talker, tap_rig.sim.now + NS_PER_MS, 0xff, 100, 1);
    sim_run(&tap_rig.sim, tap_rig.sim.now + 5 * NS_PER_MS);
    assert_int_equal(port_dropped(&tap_uplink->ports->port), 1);
    assert_false(carrier_is_lost());
    FILE *to = open_memstream(&line, &len);
    tap_uplink->ops->describe(tap_uplink, to);
    fclose(to);
    assert_string_equal(line, "ifname=" TAP_RIG_NAME ",vnet_hdr=on (1 frames lost while the host "
                              "had it down)");
    free(line);
    tap_rig_up();
    close(host);
    host = tap_rig_host(false);
    rig_send_at(tap_talker, tap_rig.sim.now + NS_PER_MS, 0xff, 100, 1);
    tap_rig_until(host_has_frame);
    finish();
}

/* A bridge to a line so slow that it keeps frames: they count against sndbuf. */
static bool port_holds(void)
{
    return tap_uplink->ports->port.held.n > 0;
}

static bool line_has_all(void)
{
    while (host_receives(0))
        n_got++;
    return n_got >= 100;
}

static void what_the_host_does_not_take_waits(void **state)
{
    uint8_t bytes[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5, 42};
    struct tap_options o = tap_rig_options();
    (void)state;

    if (system("ip link add lanslow type veth peer name lanfar && ip link add lanbr type bridge && "
               "ip link set lanslow master lanbr && ip link set lanbr up && "
               "ip link set lanslow up && ip link set lanfar up && "
               "tc qdisc add dev lanslow root tbf rate 40kbit burst 5k limit 10mb") != 0) {
        print_message("the kernel has no veth, bridge or tbf\n");
        skip();
    }
    o.sndbuf = 20000;
    assert_non_null(tap_rig_start(&o));
    tap_rig_up();
    tap_rig_host_do("ip link set " TAP_RIG_NAME " master lanbr");
    tap_rig_host_do("ip link set " TAP_RIG_NAME
                    " name lanold && ip link set lanfar name " TAP_RIG_NAME);
    host = tap_rig_host(false);
    n_got = 0;
    send_from_host(bytes, sizeof(bytes)); /* the bridge learns: what it floods, it copies */
    tap_rig_until(talker_has_one);
    for (unsigned i = 0; i < 100; i++)
        rig_send_at(tap_talker, tap_rig.sim.now + NS_PER_MS, 9, 1514, (uint8_t)i);
    tap_rig_until(port_holds);
    assert_false(line_has_all());
    tap_rig_host_do("tc qdisc change dev lanslow root tbf rate 100mbit burst 5k limit 10mb");
    tap_rig_until(line_has_all);
    assert_int_equal(n_got, 100);
    assert_int_equal(port_dropped(&tap_uplink->ports->port), 0);
    finish();
    tap_rig_host_do("ip link del lanslow && ip link del lanbr");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_that_fit_no_frame_are_refused),
        cmocka_unit_test(a_header_is_read_as_it_was_written),
        cmocka_unit_test(frames_pass_both_ways),
        cmocka_unit_test(a_runt_of_the_host_is_padded),
        cmocka_unit_test(many_frames_of_the_host_all_enter_in_order),
        cmocka_unit_test(a_request_for_a_checksum_passes_to_the_host),
        cmocka_unit_test(a_request_to_segment_passes_to_the_host_as_it_is),
        cmocka_unit_test(without_headers_the_host_has_finished_segments),
        cmocka_unit_test(a_request_that_the_kernel_refuses_is_finished_here),
        cmocka_unit_test(a_request_that_fits_no_frame_is_dropped_and_counted),
        cmocka_unit_test(a_request_of_the_host_passes_as_it_is),
        cmocka_unit_test(without_headers_the_host_segments_itself_and_they_are_joined),
        cmocka_unit_test(an_interface_that_is_deleted_is_a_carrier_that_is_lost),
        cmocka_unit_test(one_that_is_deleted_while_frames_are_written_is_lost_likewise),
        cmocka_unit_test(what_is_sent_while_the_host_has_it_down_is_dropped_and_counted),
        cmocka_unit_test(what_the_host_does_not_take_waits),
    };

    tap_rig_enter();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
