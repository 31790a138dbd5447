/* The attributes of every object a topology can hold: one table each. */
#include "devices/nic.h"
#include "devices/pci_msix.h"
#include "sim/vlan.h"
#include "topo/schema.h"
#include "topo/uplinks/uplinks.h"

#define KIB 1024ULL
#define GIB (1024ULL * 1024 * 1024)

static const char *const vlan_kinds[] = {[VLAN_SWITCH] = "switch", [VLAN_HUB] = "hub", NULL};
static const char *const boards[] = {"virt", NULL};
static const char *const formats[] = {"auto", "pcapng", "pcap", NULL};

static const struct attr vlan_attrs[] = {
    {"kind", ATTR_CHOICE, SCHEMA_AT(topo_vlan, kind), "switch", 0, 0, vlan_kinds,
     "a switch learns where addresses are; a hub repeats everything"},
    SCHEMA_LINK(topo_vlan, "10us", "1Gbit", "512K"),
    {"ageing", ATTR_TIME, SCHEMA_AT(topo_vlan, ageing_ns), "300s", 0, 0, NULL,
     "a switch forgets an address unused for this long; \"0\": never"},
};

static const struct attr guest_attrs[] = {
    {"clone", ATTR_GUEST, SCHEMA_AT(topo_guest, clone), "(none)", 0, 0, NULL,
     "the guest that it is a clone of, declared before it: what it has is that one's"},
    {"at", ATTR_PATTERN, SCHEMA_AT(topo_guest, at), "(the image's own point, or the prompt)", 0, 0, NULL,
     "what that guest's console prints when it is cloned"},
    {"image", ATTR_STRING, SCHEMA_AT(topo_guest, image), "(host, if there is no kernel or bios)", 0, 0,
     NULL, "\"host\", \"router\", \"debian\" or \"u-boot\""},
    {"kernel", ATTR_FILE, SCHEMA_AT(topo_guest, kernel), "(the image's)", 0, 0, NULL,
     "ELF, Linux Image (also compressed) or flat binary"},
    {"initrd", ATTR_FILE, SCHEMA_AT(topo_guest, initrd), "(the image's)", 0, 0, NULL, "initial RAM disk"},
    {"append", ATTR_STRING, SCHEMA_AT(topo_guest, append), "(none)", 0, 0, NULL,
     "kernel command line, after the image's own"},
    {"bios", ATTR_STRING, SCHEMA_AT(topo_guest, bios), "(the machine's own SBI)", 0, 0, NULL,
     "\"none\", \"opensbi\", \"u-boot\", or a firmware file"},
    {"dtb", ATTR_FILE, SCHEMA_AT(topo_guest, dtb), "(made by the board)", 0, 0, NULL, "device tree blob"},
    {"memory", ATTR_SIZE, SCHEMA_AT(topo_guest, memory), "(the image's, or 128M)", 64 * KIB, 64 * GIB,
     NULL, "RAM, a multiple of 4K"},
    {"harts", ATTR_INT, SCHEMA_AT(topo_guest, harts), "1", 1, 8, NULL, "processors"},
    {"mips", ATTR_INT, SCHEMA_AT(topo_guest, mips), "1000", 1, 100000, NULL,
     "instructions per virtual microsecond and hart"},
    {"board", ATTR_CHOICE, SCHEMA_AT(topo_guest, board), "virt", 0, 0, boards, "the kind of machine"},
    {"legacy", ATTR_BOOL, SCHEMA_AT(topo_guest, legacy), "false", 0, 0, NULL,
     "virtio-mmio devices present the legacy interface (version 1)"},
    {"virtio_console", ATTR_BOOL, SCHEMA_AT(topo_guest, virtio_console), "false", 0, 0, NULL,
     "a second console (hvc0) beside the serial port"},
    {"reboot", ATTR_BOOL, SCHEMA_AT(topo_guest, reboot), "true", 0, 0, NULL,
     "start again when the guest resets itself; otherwise it stops"},
    {"prompt", ATTR_STRING, SCHEMA_AT(topo_guest, prompt), "(the image's)", 0, 0, NULL,
     "what its shell prints when it waits for a command, for sh() and prompt()"},
};

static const struct attr nic_attrs[] = {
    {"model", ATTR_STRING, SCHEMA_AT(topo_nic, model), "virtio-net", 0, 0, NULL,
     "the card (see: lanarium help nic)"},
    {"mac", ATTR_MAC, SCHEMA_AT(topo_nic, mac), "(52:54:00 and a hash of the names)", 0, 0, NULL,
     "its address"},
    {"name", ATTR_STRING, SCHEMA_AT(topo_nic, object.name), "(eth0, eth1...)", 0, 0, NULL,
     "what it is called in the topology and in captures"},
    SCHEMA_LINK(topo_nic, "(its VLAN's)", "(its VLAN's)", "(its VLAN's)"),
    {"up", ATTR_BOOL, SCHEMA_AT(topo_nic, up), "true", 0, 0, NULL, "whether the cable is plugged in"},
    {"legacy", ATTR_BOOL, SCHEMA_AT(topo_nic, legacy), "(the guest's)", 0, 0, NULL,
     "virtio: present the legacy interface; on PCI besides the modern one"},
    {"offload", ATTR_BOOL, SCHEMA_AT(topo_nic, offload), "true", 0, 0, NULL,
     "offer checksum and segmentation offload to the driver"},
    {"mrg_rxbuf", ATTR_BOOL, SCHEMA_AT(topo_nic, mrg_rxbuf), "true", 0, 0, NULL,
     "offer mergeable receive buffers to the driver"},
    {"queue_size", ATTR_INT, SCHEMA_AT(topo_nic, queue_size), "(the model's)", 1, 32768, NULL,
     "descriptors per ring, a power of two"},
    {"queues", ATTR_INT, SCHEMA_AT(topo_nic, queues), "1", 1, NIC_MAX_PAIRS, NULL,
     "virtio: pairs of rings, so that each of as many harts has its own"},
    {"mtu", ATTR_INT, SCHEMA_AT(topo_nic, mtu), "(not told)", 68, 65535, NULL,
     "told to the driver, where the model can"},
    {"addr", ATTR_INT, SCHEMA_AT(topo_nic, addr), "(the next that is free)", 1, 31, NULL,
     "PCI: its slot on bus 0"},
    {"vectors", ATTR_INT, SCHEMA_AT(topo_nic, vectors), "(two a pair of queues, and two)", 0, PCI_MSIX_MAX, NULL,
     "virtio-net-pci: of its MSI-X table; 0: it has none"},
    {"iobase", ATTR_INT, SCHEMA_AT(topo_nic, iobase), "0x300", 0x100, 0xfe0, NULL,
     "ISA: the first of its ports"},
    {"irq", ATTR_INT, SCHEMA_AT(topo_nic, irq), "9", 2, 15, NULL, "ISA: its interrupt line"},
};

static const struct attr disk_attrs[] = {
    {"writable", ATTR_BOOL, SCHEMA_AT(topo_disk, writable), "false", 0, 0, NULL,
     "write to the file itself; otherwise a run never changes it"},
};

static const struct attr patch_attrs[] = {
    SCHEMA_LINK(topo_patch, "(each VLAN's)", "(each VLAN's)", "(each VLAN's)"),
};

static const struct attr capture_attrs[] = {
    {"format", ATTR_CHOICE, SCHEMA_AT(topo_capture, format), "auto", 0, 0, formats,
     "auto: pcap if the name ends in .pcap, else pcapng"},
    {"filter", ATTR_STRING, SCHEMA_AT(topo_capture, filter), "(everything)", 0, 0, NULL,
     "a libpcap expression, pcap-filter(7)"},
    {"origin", ATTR_BOOL, SCHEMA_AT(topo_capture, origin), "false", 0, 0, NULL,
     "write the sender's guest, pc and instruction count as the packet's comment"},
    {"snaplen", ATTR_SIZE, SCHEMA_AT(topo_capture, snaplen), "0", 0, 0, NULL,
     "bytes kept of a packet; 0: all"},
};

static const struct schema vlan_schema = {
    "vlan",
    "vlan \"NAME\" { ATTRIBUTE = VALUE, ... }",
    "A broadcast domain. Delay, rate and queue are what each port's link gets that says nothing "
    "else.",
    NULL,
    sizeof(struct topo_vlan),
    SCHEMA_ATTRS(vlan_attrs),
};
static const struct schema guest_schema = {
    "guest",
    "guest \"NAME\" { VLAN, nic{...}, disk{...}, ATTRIBUTE = VALUE, ... }",
    "A machine and the program it runs.",
    "VLANs (a default NIC on each), nic{...}, disk{...} or disk \"FILE\"",
    sizeof(struct topo_guest),
    SCHEMA_ATTRS(guest_attrs),
};
static const struct schema nic_schema = {
    "nic",
    "nic { VLAN, ATTRIBUTE = VALUE, ... }",
    "A network card of a guest. With no VLAN it is on none.",
    "one VLAN",
    sizeof(struct topo_nic),
    SCHEMA_ATTRS(nic_attrs),
};
static const struct schema disk_schema = {
    "disk",
    "disk \"FILE\" or disk { \"FILE\", writable = true }",
    "A raw disk image, as a virtio block device.",
    "the file's path",
    sizeof(struct topo_disk),
    SCHEMA_ATTRS(disk_attrs),
};
static const struct schema patch_schema = {
    "patch",
    "patch \"NAME\" { VLAN, VLAN, ATTRIBUTE = VALUE, ... }",
    "A cable between two VLANs, with a link at each end. Patches must not connect VLANs in a circle.",
    "two VLANs",
    sizeof(struct topo_patch),
    SCHEMA_ATTRS(patch_attrs),
};
static const struct schema capture_schema = {
    "capture",
    "capture \"FILE\" { POINT, ..., ATTRIBUTE = VALUE, ... }",
    "A capture file; \"-\" is standard output. The path is relative to the current folder.",
    "VLANs, guests, NICs (h1.eth0), uplinks and patches; none: every VLAN",
    sizeof(struct topo_capture),
    SCHEMA_ATTRS(capture_attrs),
};

const struct schema *const schemas[TOPO_KINDS] = {
    [TOPO_VLAN] = &vlan_schema,       [TOPO_GUEST] = &guest_schema, [TOPO_NIC] = &nic_schema,
    [TOPO_DISK] = &disk_schema,       [TOPO_CAPTURE] = &capture_schema,
    [TOPO_PATCH] = &patch_schema,     [TOPO_USER] = &user_kind.schema,
    [TOPO_DGRAM] = &dgram_kind.schema, [TOPO_L2TPV3] = &l2tpv3_kind.schema,
    [TOPO_PCAP] = &pcap_kind.schema,  [TOPO_STREAM] = &stream_kind.schema,
    [TOPO_TAP] = &tap_kind.schema,    [TOPO_VDE] = &vde_kind.schema,
};
