/* A libpcap handle: the order in which libpcap wants things set, and its errors as sentences. */
#include "devices/uplinks/pcap_handle.h"

#include <stdio.h>

/* Why the handle could not be activated, as a sentence's end. */
static void activate_why(pcap_t *p, int rc, char why[PCAP_ERRBUF_SIZE])
{
    if (rc == PCAP_ERROR_PERM_DENIED || rc == PCAP_ERROR_PROMISC_PERM_DENIED)
        snprintf(why, PCAP_ERRBUF_SIZE,
                 "permission denied; run as root, or give the program the right: "
                 "setcap cap_net_raw+ep PATH/lanarium");
    else
        snprintf(why, PCAP_ERRBUF_SIZE, "%s%s%.180s", pcap_statustostr(rc),
                 *pcap_geterr(p) ? ": " : "", pcap_geterr(p));
}

/* Filter, direction, mode: what can be set once it is active. */
static bool handle_set(const struct pcap_live_options *o, pcap_t *p, char why[PCAP_ERRBUF_SIZE])
{
    struct bpf_program program;
    bool good;

    if (pcap_datalink(p) != DLT_EN10MB) {
        snprintf(why, PCAP_ERRBUF_SIZE, "it is not an Ethernet (link type %d)", pcap_datalink(p));
        return false;
    }
    good = pcap_setnonblock(p, 1, why) == 0;
    if (good && pcap_setdirection(p, PCAP_D_IN) != 0) {
        snprintf(why, PCAP_ERRBUF_SIZE, "%.200s", pcap_geterr(p));
        good = false;
    }
    if (!good || !o->filter)
        return good;
    good = pcap_compile(p, &program, o->filter, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (good) {
        good = pcap_setfilter(p, &program) == 0;
        pcap_freecode(&program);
    }
    if (!good)
        snprintf(why, PCAP_ERRBUF_SIZE, "filter: %.200s", pcap_geterr(p));
    return good;
}

int pcap_handle_open(const struct pcap_live_options *o, pcap_t **to, char why[PCAP_ERRBUF_SIZE])
{
    pcap_t *p = pcap_create(o->ifname, why);
    int rc;

    if (!p)
        return PCAP_ERROR;
    pcap_set_snaplen(p, (int)o->snaplen);
    pcap_set_promisc(p, o->promisc);
    pcap_set_immediate_mode(p, 1);
    pcap_set_buffer_size(p, 4 << 20);
    rc = pcap_activate(p);
    if (rc < 0)
        activate_why(p, rc, why);
    else
        rc = handle_set(o, p, why) ? 0 : PCAP_ERROR;
    if (rc < 0)
        pcap_close(p);
    else
        *to = p;
    return rc;
}
