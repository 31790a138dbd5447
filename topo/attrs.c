/* The attributes of every object a topology can hold: one table each. */
#include "sim/vlan.h"
#include "topo/schema.h"

#define KIB 1024ULL
#define GIB (1024ULL * 1024 * 1024)

#define AT(type, member) offsetof(struct type, member)

/* The line between an object and its VLAN, said once for all that have one. */
#define LINK_ATTRS(type, delay_preset, rate_preset, queue_preset)                                  \
    {"delay",                                                                                      \
     ATTR_TIME,                                                                                    \
     AT(type, link.delay_ns),                                                                      \
     delay_preset,                                                                                 \
     LINK_MIN_DELAY,                                                                               \
     3600 * (uint64_t)NS_PER_SEC,                                                                  \
     NULL,                                                                                         \
     "propagation delay of the link, each way"},                                                   \
        {"rate",                                                                                   \
         ATTR_RATE,                                                                                \
         AT(type, link.rate_bps),                                                                  \
         rate_preset,                                                                              \
         0,                                                                                        \
         0,                                                                                        \
         NULL,                                                                                     \
         "bits per second of the link, each way"},                                                 \
    {                                                                                              \
        "queue", ATTR_SIZE, AT(type, link.queue_bytes), queue_preset, 64, GIB, NULL,               \
            "bytes that may wait for the link in each direction; more is dropped"                  \
    }

static const char *const vlan_kinds[] = {[VLAN_SWITCH] = "switch", [VLAN_HUB] = "hub", NULL};
static const char *const boards[] = {"virt", NULL};
static const char *const formats[] = {"auto", "pcapng", "pcap", NULL};

static const struct attr vlan_attrs[] = {
    {"kind", ATTR_CHOICE, AT(topo_vlan, kind), "switch", 0, 0, vlan_kinds,
     "a switch learns where addresses are; a hub repeats everything"},
    LINK_ATTRS(topo_vlan, "10us", "1Gbit", "512K"),
    {"ageing", ATTR_TIME, AT(topo_vlan, ageing_ns), "300s", 0, 0, NULL,
     "a switch forgets an address unused for this long; \"0\": never"},
};

static const struct attr guest_attrs[] = {
    {"clone", ATTR_GUEST, AT(topo_guest, clone), "(none)", 0, 0, NULL,
     "the guest that it is a clone of, declared before it: what it has is that one's"},
    {"at", ATTR_PATTERN, AT(topo_guest, at), "(the image's own point, or the prompt)", 0, 0, NULL,
     "what that guest's console prints when it is cloned"},
    {"image", ATTR_STRING, AT(topo_guest, image), "(host, if there is no kernel or bios)", 0, 0,
     NULL, "\"host\", \"router\", \"debian\" or \"u-boot\""},
    {"kernel", ATTR_FILE, AT(topo_guest, kernel), "(the image's)", 0, 0, NULL,
     "ELF, Linux Image (also compressed) or flat binary"},
    {"initrd", ATTR_FILE, AT(topo_guest, initrd), "(the image's)", 0, 0, NULL, "initial RAM disk"},
    {"append", ATTR_STRING, AT(topo_guest, append), "(none)", 0, 0, NULL,
     "kernel command line, after the image's own"},
    {"bios", ATTR_STRING, AT(topo_guest, bios), "(the machine's own SBI)", 0, 0, NULL,
     "\"none\", \"opensbi\", \"u-boot\", or a firmware file"},
    {"dtb", ATTR_FILE, AT(topo_guest, dtb), "(made by the board)", 0, 0, NULL, "device tree blob"},
    {"memory", ATTR_SIZE, AT(topo_guest, memory), "(the image's, or 128M)", 64 * KIB, 64 * GIB,
     NULL, "RAM, a multiple of 4K"},
    {"harts", ATTR_INT, AT(topo_guest, harts), "1", 1, 8, NULL, "processors"},
    {"mips", ATTR_INT, AT(topo_guest, mips), "1000", 1, 100000, NULL,
     "instructions per virtual microsecond and hart"},
    {"board", ATTR_CHOICE, AT(topo_guest, board), "virt", 0, 0, boards, "the kind of machine"},
    {"legacy", ATTR_BOOL, AT(topo_guest, legacy), "false", 0, 0, NULL,
     "virtio-mmio devices present the legacy interface (version 1)"},
    {"virtio_console", ATTR_BOOL, AT(topo_guest, virtio_console), "false", 0, 0, NULL,
     "a second console (hvc0) beside the serial port"},
    {"reboot", ATTR_BOOL, AT(topo_guest, reboot), "true", 0, 0, NULL,
     "start again when the guest resets itself; otherwise it stops"},
    {"prompt", ATTR_STRING, AT(topo_guest, prompt), "(the image's)", 0, 0, NULL,
     "what its shell prints when it waits for a command, for sh() and prompt()"},
};

static const struct attr nic_attrs[] = {
    {"model", ATTR_STRING, AT(topo_nic, model), "virtio-net", 0, 0, NULL,
     "the card (see: lanarium help nic)"},
    {"mac", ATTR_MAC, AT(topo_nic, mac), "(52:54:00 and a hash of the names)", 0, 0, NULL,
     "its address"},
    {"name", ATTR_STRING, AT(topo_nic, object.name), "(eth0, eth1...)", 0, 0, NULL,
     "what it is called in the topology and in captures"},
    LINK_ATTRS(topo_nic, "(its VLAN's)", "(its VLAN's)", "(its VLAN's)"),
    {"up", ATTR_BOOL, AT(topo_nic, up), "true", 0, 0, NULL, "whether the cable is plugged in"},
    {"legacy", ATTR_BOOL, AT(topo_nic, legacy), "(the guest's)", 0, 0, NULL,
     "virtio-mmio: present the legacy interface (version 1)"},
    {"offload", ATTR_BOOL, AT(topo_nic, offload), "true", 0, 0, NULL,
     "offer checksum and segmentation offload to the driver"},
    {"mrg_rxbuf", ATTR_BOOL, AT(topo_nic, mrg_rxbuf), "true", 0, 0, NULL,
     "offer mergeable receive buffers to the driver"},
    {"queue_size", ATTR_INT, AT(topo_nic, queue_size), "(the model's)", 1, 32768, NULL,
     "descriptors per ring, a power of two"},
    {"mtu", ATTR_INT, AT(topo_nic, mtu), "(not told)", 68, 65535, NULL,
     "told to the driver, where the model can"},
};

static const struct attr disk_attrs[] = {
    {"writable", ATTR_BOOL, AT(topo_disk, writable), "false", 0, 0, NULL,
     "write to the file itself; otherwise a run never changes it"},
};

static const struct attr user_attrs[] = {
    {"hostfwd", ATTR_LIST, AT(topo_user, hostfwd), "(none)", 0, 0, NULL,
     "redirections \"tcp:127.0.0.1:8080-10.0.2.15:80\", one or a list"},
    {"tftp", ATTR_FOLDER, AT(topo_user, tftp), "(none)", 0, 0, NULL, "the folder that TFTP serves"},
    {"bootfile", ATTR_STRING, AT(topo_user, bootfile), "(none)", 0, 0, NULL,
     "the file that BOOTP and DHCP name"},
    {"net", ATTR_STRING, AT(topo_user, net), "(10.0.2.0/24)", 0, 0, NULL, "its network"},
    {"host", ATTR_STRING, AT(topo_user, host), "(net + 2)", 0, 0, NULL,
     "address of the router, DHCP and TFTP server"},
    {"dns", ATTR_STRING, AT(topo_user, dns), "(net + 3)", 0, 0, NULL, "address of the DNS server"},
    {"dhcpstart", ATTR_STRING, AT(topo_user, dhcpstart), "(net + 15)", 0, 0, NULL,
     "the first of the 16 addresses handed out"},
    {"hostname", ATTR_STRING, AT(topo_user, hostname), "(none)", 0, 0, NULL,
     "the name given to DHCP clients"},
    {"restrict", ATTR_BOOL, AT(topo_user, restrict_host), "false", 0, 0, NULL,
     "nothing reaches the host or beyond"},
    LINK_ATTRS(topo_user, "(its VLAN's)", "(its VLAN's)", "(its VLAN's)"),
};

static const struct attr capture_attrs[] = {
    {"format", ATTR_CHOICE, AT(topo_capture, format), "auto", 0, 0, formats,
     "auto: pcap if the name ends in .pcap, else pcapng"},
    {"filter", ATTR_STRING, AT(topo_capture, filter), "(everything)", 0, 0, NULL,
     "a libpcap expression, pcap-filter(7)"},
    {"origin", ATTR_BOOL, AT(topo_capture, origin), "false", 0, 0, NULL,
     "write the sender's guest, pc and instruction count as the packet's comment"},
    {"snaplen", ATTR_SIZE, AT(topo_capture, snaplen), "0", 0, 0, NULL,
     "bytes kept of a packet; 0: all"},
};

#define ATTRS(table) table, ARRAY_LEN(table)

const struct schema schemas[TOPO_KINDS] = {
    [TOPO_VLAN] = {"vlan", "vlan \"NAME\" { ATTRIBUTE = VALUE, ... }",
                   "A broadcast domain. Delay, rate and queue are what each port's link gets "
                   "that says nothing else.",
                   NULL, sizeof(struct topo_vlan), ATTRS(vlan_attrs)},
    [TOPO_GUEST] = {"guest", "guest \"NAME\" { VLAN, nic{...}, disk{...}, ATTRIBUTE = VALUE, ... }",
                    "A machine and the program it runs.",
                    "VLANs (a default NIC on each), nic{...}, disk{...} or disk \"FILE\"",
                    sizeof(struct topo_guest), ATTRS(guest_attrs)},
    [TOPO_NIC] = {"nic", "nic { VLAN, ATTRIBUTE = VALUE, ... }",
                  "A network card of a guest. With no VLAN it is on none.", "one VLAN",
                  sizeof(struct topo_nic), ATTRS(nic_attrs)},
    [TOPO_DISK] = {"disk", "disk \"FILE\" or disk { \"FILE\", writable = true }",
                   "A raw disk image, as a virtio block device.", "the file's path",
                   sizeof(struct topo_disk), ATTRS(disk_attrs)},
    [TOPO_USER] = {"user", "user \"NAME\" { VLAN, ATTRIBUTE = VALUE, ... }",
                   "A user-mode network stack: router, DHCP, DNS and TFTP server, and the way to "
                   "the host's network, without privilege.",
                   "one VLAN", sizeof(struct topo_user), ATTRS(user_attrs)},
    [TOPO_CAPTURE] = {"capture", "capture \"FILE\" { POINT, ..., ATTRIBUTE = VALUE, ... }",
                      "A capture file; \"-\" is standard output. The path is relative to the "
                      "current folder.",
                      "VLANs, guests, NICs (h1.eth0) and stacks; none: every VLAN",
                      sizeof(struct topo_capture), ATTRS(capture_attrs)},
};
