/* What the tests of virtio-net share. */
#include "net_rig.h"

#include "sim/vlan.h"

struct rig rig;
struct nic *nic;
struct driver drv;
const uint8_t own[ETH_ALEN] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

void make(const struct nic_config *c)
{
    struct nic_config config = *c;
    struct err err = {0};

    rig_init(&rig);
    memcpy(config.mac, own, ETH_ALEN);
    nic = nic_model_find("virtio-net")->create(&rig.env, "rig.eth0", &config, &err);
    assert_non_null(nic);
    assert_false(err_any(&err));
    rig_wire(&rig, &nic->dev, LINE);
    struct vlan *v = vlan_create(&rig.sim, "line", VLAN_HUB);
    port_attach(&nic->port, v, &v->link);
    nic->port.link = (struct link){0}; /* what arrives is there at once */
}

int modern(void **state)
{
    (void)state;
    make(&(struct nic_config){.mtu = 1500});
    return 0;
}

int legacy(void **state)
{
    (void)state;
    make(&(struct nic_config){.legacy = true});
    return 0;
}

int teardown(void **state)
{
    (void)state;
    nic_destroy(nic);
    rig_finish(&rig);
    return 0;
}

struct virtio_net *net(void)
{
    return nic->dev.object;
}

unsigned header(void)
{
    return virtio_has(&net()->virtio, VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MRG_RXBUF) ? 12 : 10;
}

void start(uint64_t features)
{
    driver_start(&drv, &rig, &nic->dev, features, 3, 16);
}

void fill(uint8_t *p, uint32_t len, const uint8_t *to)
{
    for (uint32_t i = 0; i < len; i++)
        p[i] = (uint8_t)i;
    memcpy(p, to, ETH_ALEN);
    memcpy(p + ETH_ALEN, own, ETH_ALEN);
    store_be16(p + 12, 0x88b5);
}

void transmit(const uint8_t *hdr, const uint8_t *bytes, uint32_t len)
{
    uint64_t h = rig_alloc(&rig, 64), b = rig_alloc(&rig, len);

    if (hdr)
        memcpy(rig_at(&rig, h), hdr, header());
    memcpy(rig_at(&rig, b), bytes, len);
    driver_add(&drv, TX, (struct buf[]){{h, header(), 0}, {b, len, 0}}, 2);
    driver_kick(&drv, TX);
}

uint64_t give(uint32_t len)
{
    uint64_t at = rig_alloc(&rig, len);

    driver_add(&drv, RX, &(struct buf){at, len, DESC_WRITE}, 1);
    return at;
}

void receive(const uint8_t *to, uint32_t len)
{
    struct frame *f = frame_new(len);

    f->len = len;
    fill(f->data, len, to);
    rig_receive(&rig, &nic->port, f);
    frame_unref(f);
}

uint32_t tcp_frame(uint8_t *p, uint32_t payload)
{
    uint32_t len = 54 + payload, sum;

    fill(p, len, own);
    store_be16(p + 12, 0x0800);
    memset(p + 14, 0, 40);
    p[14] = 0x45;
    store_be16(p + 16, (uint16_t)(len - 14));
    p[22] = 64;
    p[23] = 6;
    store_be32(p + 26, 0x0a000001);
    store_be32(p + 30, 0x0a000002);
    store_be16(p + 24, inet_fold(inet_sum(0, p + 14, 20)));
    store_be32(p + 38, 1000);
    p[46] = 0x50;
    p[47] = 0x18;
    sum = inet_sum(6 + 20 + payload, p + 26, 8);
    store_be16(p + 50, (uint16_t)~inet_fold(sum));
    return len;
}

void receive_tso(uint32_t payload, uint16_t mss)
{
    struct frame *f = frame_new(54 + payload);

    f->len = tcp_frame(f->data, payload);
    f->offload = (struct frame_offload){.needs_csum = true, .csum_start = 34, .csum_offset = 16,
                                        .gso = mss ? FRAME_GSO_TCPV4 : 0, .gso_size = mss,
                                        .hdr_len = 54};
    rig_receive(&rig, &nic->port, f);
    frame_unref(f);
}

void check_tcp_sum(const uint8_t *p, uint32_t len)
{
    uint32_t sum = inet_sum(6 + len - 34, p + 26, 8);

    assert_int_equal(inet_fold(inet_sum(sum, p + 34, len - 34)), 0);
}
