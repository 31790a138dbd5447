/* The words of -net and -netdev: what each becomes, and its names for our attributes. */
#include <sys/socket.h>

#include "topo/classic_words.h"
#include "topo/schema.h"
#include "topo/uplinks/uplinks.h"

static const struct rename user_names[] = {
    {"hostfwd", "hostfwd"},
    {"guestfwd", "guestfwd"},
    {"tftp", "tftp"},
    {"tftp-server-name", "tftp_server_name"},
    {"bootfile", "bootfile"},
    {"smb", "smb"},
    {"smbserver", "smbserver"},
    {"net", "net"},
    {"ip", "net"},
    {"host", "host"},
    {"dns", "dns"},
    {"dhcpstart", "dhcpstart"},
    {"dnssearch", "dnssearch"},
    {"domainname", "domainname"},
    {"hostname", "hostname"},
    {"restrict", "restrict"},
    {"ipv4", "ipv4"},
    {"ipv6", "ipv6"},
    {"ipv6-net", "ipv6_net"},
    {"ipv6-prefix", "ipv6_net"},
    {"ipv6-prefixlen", "ipv6_prefixlen"},
    {"ipv6-host", "ipv6_host"},
    {"ipv6-dns", "ipv6_dns"},
    {"vlan", NULL},
    {"name", NULL},
    {"id", NULL},
    {NULL, NULL},
};

static const struct rename pcap_names[] = {
    {"file", "file"},       {"speed", "speed"},     {"start", "start"},   {"loop", "loop"},
    {"gap", "gap"},         {"ifname", "ifname"},   {"promisc", "promisc"}, {"snaplen", "snaplen"},
    {"filter", "filter"},   {"vlan", NULL},         {"name", NULL},       {"id", NULL},
    {NULL, NULL},
};

static const struct rename stream_socket_names[] = {
    {"listen", "listen"}, {"connect", "connect"},
    {"fd", "fd"},         {"reconnect", "reconnect"},
    {"secret", "secret"}, {"secret_file", "secret_file"},
    {"vlan", NULL},       {"name", NULL},
    {"id", NULL},         {NULL, NULL},
};
/* What they leave is put together by classic_stream. */
static const struct rename stream_names[] = {
    {"secret", "secret"}, {"secret_file", "secret_file"},
    {"server", NULL},     {"reconnect", NULL},
    {"addr.type", NULL},  {"addr.host", NULL},
    {"addr.port", NULL},  {"addr.path", NULL},
    {"addr.str", NULL},   {"addr.abstract", NULL},
    {"addr.ipv4", NULL},  {"addr.ipv6", NULL},
    {"addr.tight", NULL}, {"addr.numeric", NULL},
    {"addr.mptcp", NULL}, {"addr.keep-alive", NULL},
    {"vlan", NULL},       {"name", NULL},
    {"id", NULL},         {NULL, NULL},
};
static const struct rename datagram_socket_names[] = {
    {"mcast", "mcast"}, {"udp", "remote"}, {"localaddr", "localaddr"}, {"fd", "fd"},
    {"vlan", NULL},     {"name", NULL},    {"id", NULL},               {NULL, NULL},
};
static const struct rename l2tpv3_names[] = {
    {"src", "src"},
    {"dst", "dst"},
    {"udp", "udp"},
    {"ipv6", "ipv6"},
    {"srcport", "srcport"},
    {"dstport", "dstport"},
    {"txsession", "txsession"},
    {"rxsession", "rxsession"},
    {"txcookie", "txcookie"},
    {"rxcookie", "rxcookie"},
    {"cookie64", "cookie64"},
    {"counter", "counter"},
    {"pincounter", "pincounter"},
    {"offset", "offset"},
    {"vlan", NULL},
    {"name", NULL},
    {"id", NULL},
    {NULL, NULL},
};
static const struct rename vde_names[] = {
    {"sock", "sock"}, {"port", "port"}, {"group", "group"}, {"mode", "mode"},
    {"vlan", NULL},   {"name", NULL},   {"id", NULL},       {NULL, NULL},
};
/* local and remote are put together by classic_dgram. */
static const struct rename dgram_names[] = {
    {"local.type", NULL},  {"local.host", NULL},  {"local.port", NULL},  {"local.path", NULL},
    {"local.str", NULL},   {"remote.type", NULL}, {"remote.host", NULL}, {"remote.port", NULL},
    {"remote.path", NULL}, {"local.abstract", NULL}, {"remote.abstract", NULL},
    {"vlan", NULL},        {"name", NULL},        {"id", NULL},          {NULL, NULL},
};

static const struct rename tap_names[] = {
    {"ifname", "ifname"},
    {"script", "script"},
    {"downscript", "downscript"},
    {"script_timeout", "script_timeout"},
    {"address", "address"},
    {"mtu", "mtu"},
    {"fd", "fd"},
    {"helper", "helper"},
    {"br", "br"},
    {"sndbuf", "sndbuf"},
    {"vnet_hdr", "vnet_hdr"},
    {"vhost", NULL}, /* there is no kernel's side of virtio here */
    {"vlan", NULL},
    {"name", NULL},
    {"id", NULL},
    {NULL, NULL},
};
static const struct rename bridge_names[] = {
    {"br", "br"}, {"helper", "helper"}, {"vlan", NULL},
    {"name", NULL}, {"id", NULL}, {NULL, NULL},
};

/* A bridge is br0 unless it is said, and the helper plugs us in. */
static void bridge_default(struct classic *c, struct topo_object *o, const struct classic_list *l)
{
    if (!classic_get(l, "br"))
        schema_set(c->t, o, "br", "br0", c->place);
}

/*
 * There, a user-mode stack has both IPv4 and IPv6; but to switch one on is to leave the other off,
 * unless that is said too.
 */
static void user_families(struct classic *c, struct topo_object *o, const struct classic_list *l)
{
    bool ipv4, ipv6, said4 = schema_given(o, "ipv4"), said6 = schema_given(o, "ipv6");
    (void)l;
    user_families_said(o, &ipv4, &ipv6);
    if (!said4 && said6 && ipv6)
        schema_set(c->t, o, "ipv4", "false", c->place);
    if (!said6)
        schema_set(c->t, o, "ipv6", said4 && ipv4 ? "false" : "true", c->place);
}

/* Whether a "socket" carries datagrams. */
static bool is_datagram_socket(const struct classic_list *l)
{
    const char *fd = classic_get(l, "fd");
    int type = 0;
    socklen_t len = sizeof(type);

    return classic_get(l, "mcast") || classic_get(l, "udp") ||
           (fd && getsockopt(atoi(fd), SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_DGRAM);
}

static const struct uplink_word uplink_words[] = {
    {"user", TOPO_USER, user_names, NULL, user_families},
    {"tap", TOPO_TAP, tap_names, NULL, NULL},
    {"bridge", TOPO_TAP, bridge_names, NULL, bridge_default},
    {"socket", TOPO_DGRAM, datagram_socket_names, is_datagram_socket, NULL},
    {"socket", TOPO_STREAM, stream_socket_names, NULL, NULL},
    {"stream", TOPO_STREAM, stream_names, NULL, classic_stream},
    {"dgram", TOPO_DGRAM, dgram_names, NULL, classic_dgram},
    {"vde", TOPO_VDE, vde_names, NULL, NULL},
    {"l2tpv3", TOPO_L2TPV3, l2tpv3_names, NULL, NULL},
    {"pcap", TOPO_PCAP, pcap_names, NULL, NULL},
};

const struct uplink_word *uplink_word_find(const struct classic_list *l)
{
    for (size_t i = 0; i < ARRAY_LEN(uplink_words); i++)
        if (strcmp(uplink_words[i].word, l->word) == 0 &&
            (!uplink_words[i].is || uplink_words[i].is(l)))
            return &uplink_words[i];
    return NULL;
}

/* "user, socket, dgram": what can follow -net and -netdev, into `text`. */
const char *uplink_words_text(char *text, size_t size)
{
    size_t len = 0;

    for (size_t i = 0; i < ARRAY_LEN(uplink_words); i++) {
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again |= strcmp(uplink_words[k].word, uplink_words[i].word) == 0;
        if (!again && len < size)
            len += (size_t)snprintf(text + len, size - len, "%s%s", len ? ", " : "",
                                    uplink_words[i].word);
    }
    return text;
}
