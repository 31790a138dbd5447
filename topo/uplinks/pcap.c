/* A capture file that is played, or a live interface of the host, as a topology describes them. */
#include "devices/uplinks/pcap_file.h"
#include "devices/uplinks/pcap_live.h"
#include "sim/sim.h"
#include "topo/schema.h"
#include "topo/uplinks/uplinks.h"

struct topo_pcap {
    struct topo_uplink uplink;
    const char *path, *filter, *ifname;
    uint64_t speed, loops, snaplen;
    vtime_t start, gap;
    bool promisc;
};

static const struct attr attrs[] = {
    {"file", ATTR_FILE, SCHEMA_AT(topo_pcap, path), "(none)", 0, 0, NULL,
     "the capture that is played, pcap or pcapng"},
    {"speed", ATTR_FACTOR, SCHEMA_AT(topo_pcap, speed), "1", 0, 0, NULL,
     "of playing: 1 is with the capture's own spacing, 2 twice as fast, \"max\" as the line takes "
     "it"},
    {"start", ATTR_TIME, SCHEMA_AT(topo_pcap, start), "0", 0, 0, NULL,
     "when the capture's first packet is due"},
    {"loop", ATTR_INT, SCHEMA_AT(topo_pcap, loops), "1", 1, UINT32_MAX, NULL,
     "how many times it is played"},
    {"gap", ATTR_TIME, SCHEMA_AT(topo_pcap, gap), "0", 0, 0, NULL,
     "from its last packet to its first one of the next time"},
    {"ifname", ATTR_STRING, SCHEMA_AT(topo_pcap, ifname), "(none)", 0, 0, NULL,
     "the live interface of the host, instead of a file; needs the right to it"},
    {"promisc", ATTR_BOOL, SCHEMA_AT(topo_pcap, promisc), "true", 0, 0, NULL,
     "of an interface: also what is for others' addresses"},
    {"snaplen", ATTR_SIZE, SCHEMA_AT(topo_pcap, snaplen), "256K", 64, PCAP_LIVE_SNAPLEN, NULL,
     "of an interface: bytes taken of a packet; zeroes stand for the rest"},
    {"filter", ATTR_STRING, SCHEMA_AT(topo_pcap, filter), "(everything)", 0, 0, NULL,
     "which packets enter: a libpcap expression, pcap-filter(7)"},
    SCHEMA_LINK(topo_uplink, "(its VLAN's)", "(its VLAN's)", "(its VLAN's)"),
};

/* What belongs to one of the two alone. */
static const char *const of_files[] = {"speed", "start", "loop", "gap", NULL};
static const char *const of_interfaces[] = {"promisc", "snaplen", NULL};

static struct pcap_file_options file_options(const struct topo_pcap *p)
{
    return (struct pcap_file_options){
        .path = p->path,
        .filter = p->filter,
        .speed = p->speed,
        .start_ns = p->start,
        .gap_ns = p->gap,
        .loops = p->loops,
        .file = p->uplink.object.place.file,
        .line = p->uplink.object.place.line,
    };
}

static struct pcap_live_options live_options(const struct topo_pcap *p)
{
    return (struct pcap_live_options){
        .ifname = p->ifname,
        .filter = p->filter,
        .promisc = p->promisc,
        .snaplen = (uint32_t)p->snaplen,
        .file = p->uplink.object.place.file,
        .line = p->uplink.object.place.line,
    };
}

static void not_of(struct topo *t, const struct topo_object *o, const char *const *names,
                   const char *whose)
{
    for (; *names; names++)
        if (schema_given(o, *names))
            err_at(&t->err, o->place.file, o->place.line, "pcap %s: %s is for %s; leave it out",
                   o->name, *names, whose);
}

static void check(struct topo *t, struct topo_uplink *u)
{
    const struct topo_pcap *p = (const struct topo_pcap *)u;
    const struct topo_object *o = &u->object;
    struct pcap_file_options file = file_options(p);
    struct pcap_live_options live = live_options(p);

    if (schema_given(o, "file") == schema_given(o, "ifname")) {
        err_at(&t->err, o->place.file, o->place.line,
               "pcap %s: it has %s; say either file, to play a capture, or ifname, to join an "
               "interface of the host",
               o->name, p->ifname ? "file and ifname" : "neither file nor ifname");
    } else if (p->path) {
        not_of(t, o, of_interfaces, "live interfaces (ifname)");
        pcap_file_check(&file, o->name, &t->err);
    } else if (p->ifname) {
        not_of(t, o, of_files, "captures that are played (file)");
        pcap_live_check(&live, o->name, &t->err);
    }
}

static enum uplink_start start(const struct topo_uplink *u)
{
    return ((const struct topo_pcap *)u)->path ? UPLINK_EXACT : UPLINK_DOWN;
}

static struct uplink *create(struct sim *s, const struct topo_uplink *u, struct err *err)
{
    const struct topo_pcap *p = (const struct topo_pcap *)u;
    struct pcap_file_options file = file_options(p);
    struct pcap_live_options live = live_options(p);

    return p->path ? pcap_file_create(s, u->object.name, &file, err)
                   : pcap_live_create(s, u->object.name, &live, err);
}

const struct uplink_kind pcap_kind = {
    .schema = {"pcap",
               "pcap \"NAME\" { VLAN, file = PATH or ifname = NAME, ATTRIBUTE = VALUE, ... }",
               "A capture file, played on virtual time: the same on every run. Or a live interface "
               "of the "
               "host.",
               "one VLAN", sizeof(struct topo_pcap), SCHEMA_ATTRS(attrs)},
    .drawn = "pcap",
    .check = check,
    .start = start,
    .create = create,
};
