/*
 * Any bytes as a capture file: the reader of those that are played.
 *
 * What the player relies on is asserted: lengths that a wire has, times that never go backwards, an
 * end, and an account of every packet. The file is read once without a filter, once with one.
 *
 * Built with: devices/uplinks/pcap_reader.c sim/frame.c sim/base.c
 */
#include <assert.h>
#include <stdio.h>

#include "devices/uplinks/pcap_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t read_all(struct pcap_reader *r)
{
    const struct pcap_counts *c = pcap_reader_counts(r);
    vtime_t at = 0, last = 0;
    uint64_t frames = 0;
    struct frame *f;

    while ((f = pcap_reader_next(r, &at))) {
        assert(f->len >= ETH_HLEN && f->len <= FRAME_MAX_LEN && f->len <= f->cap);
        frame_pad(f); /* for which there is room */
        assert(at >= last && at <= PCAP_MAX_SPAN);
        last = at;
        frames++;
        frame_unref(f);
    }
    assert(at >= last && frames + c->runts + c->giants <= c->packets && c->cut <= frames);
    assert(!pcap_reader_next(r, &at)); /* it stays at its end */
    return frames + c->runts + c->giants - c->packets;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const filters[] = {NULL, "tcp port 80 or (vlan and ip6)"};

    for (size_t i = 0; i < ARRAY_LEN(filters) && size; i++) {
        char why[PCAP_ERRBUF_SIZE] = "";
        FILE *f = fmemopen((void *)data, size, "rb");
        struct pcap_reader *r = f ? pcap_reader_from(f, filters[i], why) : NULL;
        uint64_t missing = r ? read_all(r) : 0;
        assert(r ? !missing || filters[i] : *why);
        (void)missing;
        pcap_reader_close(r);
    }
    assert(frame_alive() == 0);
    return 0;
}
