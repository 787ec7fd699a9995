/* Tests of the shim on a device in memory, with the real lwIP. Run by shim.rs, built with the
   address and undefined behaviour sanitizers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ethdev_lwip.h"
#include "lwip/igmp.h"
#include "lwip/init.h"
#include "lwip/priv/memp_priv.h"
#include "lwip/stats.h"
#include "lwip/timeouts.h"

#define CHECK(condition)                                                      \
    do {                                                                      \
        if (!(condition)) {                                                   \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);   \
            exit(1);                                                          \
        }                                                                     \
    } while (0)

#define MAX_FRAMES 64
#define MAX_LEN 2000

struct frame {
    size_t len;
    uint8_t data[MAX_LEN];
};

/* A device in memory. */
static struct {
    struct ethdev base;
    /* Frames to receive, from `rx_first`. */
    struct frame rx[MAX_FRAMES];
    size_t rx_first;
    size_t rx_count;
    size_t discarded;
    /* Sent frames, and the parts of the last one. */
    struct frame tx[MAX_FRAMES];
    size_t tx_count;
    struct ethdev_iovec parts[ETHDEV_MAX_PARTS];
    size_t part_count;
    /* Number of frames that can be sent before the queue is full. */
    size_t tx_capacity;
    uint8_t link_up;
    /* Result of every call that accesses the chip. */
    int32_t error;
    uint8_t multicast;
    uint8_t groups[64][6];
    size_t group_count;
} nic;

static int32_t nic_recv(struct ethdev *dev, void *buf, size_t capacity, struct ethdev_rx *rx)
{
    struct frame *frame = &nic.rx[nic.rx_first];

    CHECK(dev == &nic.base);
    if (nic.error != ETHDEV_OK) {
        return nic.error;
    }
    if (nic.rx_first == nic.rx_count) {
        return ETHDEV_ENODATA;
    }
    memset(rx, 0, sizeof *rx);
    rx->len = frame->len;
    if (frame->len > capacity) {
        return ETHDEV_ENOBUFS;
    }
    memcpy(buf, frame->data, frame->len);
    nic.rx_first++;
    return ETHDEV_OK;
}

static int32_t nic_discard(struct ethdev *dev)
{
    (void)dev;
    nic.rx_first++;
    nic.discarded++;
    return ETHDEV_OK;
}

static int32_t nic_send(struct ethdev *dev, const struct ethdev_iovec *parts, size_t count)
{
    struct frame *frame = &nic.tx[nic.tx_count];

    (void)dev;
    CHECK(count <= ETHDEV_MAX_PARTS);
    if (nic.error != ETHDEV_OK) {
        return nic.error;
    }
    if (!nic.link_up) {
        return ETHDEV_ENOLINK;
    }
    if (nic.tx_capacity == 0) {
        return ETHDEV_EAGAIN;
    }
    CHECK(nic.tx_count < MAX_FRAMES);
    nic.tx_capacity--;
    nic.tx_count++;
    frame->len = 0;
    for (size_t i = 0; i < count; i++) {
        CHECK(frame->len + parts[i].len <= MAX_LEN);
        memcpy(frame->data + frame->len, parts[i].base, parts[i].len);
        frame->len += parts[i].len;
        nic.parts[i] = parts[i];
    }
    nic.part_count = count;
    return ETHDEV_OK;
}

static int32_t nic_tx_ready(struct ethdev *dev, uint8_t *ready)
{
    (void)dev;
    *ready = nic.tx_capacity > 0;
    return ETHDEV_OK;
}

static int32_t nic_service(struct ethdev *dev, struct ethdev_events *events)
{
    (void)dev;
    (void)events;
    return nic.error;
}

static int32_t nic_link(struct ethdev *dev, struct ethdev_link *link)
{
    (void)dev;
    memset(link, 0, sizeof *link);
    link->up = nic.link_up;
    return ETHDEV_OK;
}

static int32_t nic_counters(struct ethdev *dev, struct ethdev_counters *counters)
{
    (void)dev;
    memset(counters, 0, sizeof *counters);
    return ETHDEV_OK;
}

static int32_t nic_info(struct ethdev *dev, struct ethdev_info *info)
{
    (void)dev;
    memset(info, 0, sizeof *info);
    info->mtu = 1500;
    return ETHDEV_OK;
}

static int32_t nic_mac(struct ethdev *dev, uint8_t mac[6])
{
    static const uint8_t own[6] = {2, 0, 0, 0, 0, 1};

    (void)dev;
    memcpy(mac, own, 6);
    return ETHDEV_OK;
}

static int32_t nic_set_rx_filter(struct ethdev *dev, const struct ethdev_rx_filter *filter, uint8_t *outcome)
{
    (void)dev;
    (void)outcome;
    CHECK(filter->broadcast == 1 && filter->promiscuous == 0 && filter->reserved == 0);
    nic.multicast = filter->multicast;
    nic.group_count = filter->group_count;
    memcpy(nic.groups, filter->groups, 6 * filter->group_count);
    return ETHDEV_OK;
}

static struct ethdev_ops ops = {
    .abi = ETHDEV_ABI,
    .size = sizeof(struct ethdev_ops),
    .recv = nic_recv,
    .discard = nic_discard,
    .send = nic_send,
    .tx_ready = nic_tx_ready,
    .service = nic_service,
    .link = nic_link,
    .counters = nic_counters,
    .info = nic_info,
    .mac = nic_mac,
    .set_rx_filter = nic_set_rx_filter,
};

static struct netif netif;
static struct ethdev_lwip adapter;
/* Frames that were passed to lwIP. */
static struct frame input[MAX_FRAMES];
static size_t input_count;
static int input_refuses;

u32_t sys_now(void)
{
    return 0;
}

uint32_t lwip_node_random(void)
{
    return 1;
}

void lwip_node_assert_failed(const char *message, const char *file, int line)
{
    fprintf(stderr, "%s:%d: lwIP assertion failed: %s\n", file, line, message);
    exit(1);
}

static err_t capture(struct pbuf *p, struct netif *inp)
{
    struct frame *frame = &input[input_count];

    CHECK(inp == &netif && input_count < MAX_FRAMES);
    if (input_refuses) {
        return ERR_MEM;
    }
    frame->len = pbuf_copy_partial(p, frame->data, MAX_LEN, ETH_PAD_SIZE);
    CHECK(frame->len + ETH_PAD_SIZE == p->tot_len);
    input_count++;
    pbuf_free(p);
    return ERR_OK;
}

/* Number of elements of a pool in use. */
static uint32_t used(int pool)
{
    return (uint32_t)memp_pools[pool]->stats->used;
}

static void begin(void)
{
    ip4_addr_t address, netmask, gateway;

    memset(&nic, 0, sizeof nic);
    nic.base.ops = &ops;
    nic.tx_capacity = MAX_FRAMES;
    nic.link_up = 1;
    input_count = 0;
    input_refuses = 0;
    IP4_ADDR(&address, 192, 168, 69, 1);
    IP4_ADDR(&netmask, 255, 255, 255, 0);
    IP4_ADDR(&gateway, 0, 0, 0, 0);
    CHECK(ethdev_lwip_add(&netif, &adapter, &nic.base, &address, &netmask, &gateway) == ETHDEV_OK);
    CHECK(netif_is_link_up(&netif) && netif.mtu == 1500 && netif.hwaddr[5] == 1);
    netif.input = capture;
}

/* Nothing is left in lwIP's memory. */
static void end(void)
{
    ethdev_lwip_remove(&netif);
    CHECK(used(MEMP_PBUF_POOL) == 0 && used(MEMP_PBUF) == 0 && lwip_stats.mem.used == 0);
}

/* Adds a frame with these bytes to the receive queue of the device. */
static void arrive(size_t len, uint8_t first)
{
    struct frame *frame = &nic.rx[nic.rx_count++];

    CHECK(nic.rx_count < MAX_FRAMES && len <= MAX_LEN);
    frame->len = len;
    for (size_t i = 0; i < len; i++) {
        frame->data[i] = (uint8_t)(first + i);
    }
}

/* Sends a frame of `len` bytes `value`. */
static err_t send_ram(u16_t len, uint8_t value)
{
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)(len + ETH_PAD_SIZE), PBUF_RAM);
    err_t err;

    CHECK(p != NULL);
    memset(p->payload, value, p->len);
    err = netif.linkoutput(&netif, p);
    pbuf_free(p);
    return err;
}

static void output_chain_passes_parts_in_place(void)
{
    static const char body[] = "static";
    struct pbuf *head, *middle, *tail;

    begin();
    head = pbuf_alloc(PBUF_RAW, 20 + ETH_PAD_SIZE, PBUF_RAM);
    middle = pbuf_alloc_reference((void *)(uintptr_t)body, 6, PBUF_ROM);
    tail = pbuf_alloc(PBUF_RAW, 40, PBUF_POOL);
    memset(head->payload, 1, head->len);
    memset(tail->payload, 3, 40);
    pbuf_cat(head, middle);
    pbuf_cat(head, tail);
    CHECK(netif.linkoutput(&netif, head) == ERR_OK);
    CHECK(nic.tx_count == 1 && nic.tx[0].len == 66 && nic.part_count == 3);
    CHECK(nic.parts[0].base == (uint8_t *)head->payload + ETH_PAD_SIZE && nic.parts[0].len == 20);
    CHECK(nic.parts[1].base == (const void *)body);
    CHECK(nic.parts[2].base == tail->payload && nic.parts[2].len == 40);
    CHECK(memcmp(nic.tx[0].data + 20, body, 6) == 0);
    CHECK(head->ref == 1 && adapter.stats.tx_copied == 0);
    pbuf_free(head);
    end();
}

static void output_more_parts_than_the_device_takes_is_copied(void)
{
    struct pbuf *head = NULL;

    begin();
    for (uint8_t i = 0; i < ETHDEV_MAX_PARTS + 4; i++) {
        struct pbuf *p = pbuf_alloc(PBUF_RAW, i == 0 ? 2 + ETH_PAD_SIZE : 2, PBUF_RAM);

        memset(p->payload, i, p->len);
        if (head == NULL) {
            head = p;
        } else {
            pbuf_cat(head, p);
        }
    }
    CHECK(netif.linkoutput(&netif, head) == ERR_OK);
    nic.tx_capacity = 0;
    CHECK(netif.linkoutput(&netif, head) == ERR_OK);
    CHECK(adapter.stats.tx_copied == 2 && head->ref == 1);
    nic.tx_capacity = 1;
    CHECK(ethdev_lwip_poll(&netif, 1) == 0);
    CHECK(nic.tx_count == 2 && nic.part_count == 1 && nic.tx[1].len == 2 * (ETHDEV_MAX_PARTS + 4));
    CHECK(nic.tx[1].data[39] == 19 && memcmp(nic.tx[0].data, nic.tx[1].data, nic.tx[0].len) == 0);
    pbuf_free(head);
    end();
}

static void output_queue_full_waits_in_order(void)
{
    struct pbuf *p;

    begin();
    nic.tx_capacity = 1;
    CHECK(send_ram(60, 0) == ERR_OK);
    p = pbuf_alloc(PBUF_RAW, 60 + ETH_PAD_SIZE, PBUF_RAM);
    memset(p->payload, 1, p->len);
    CHECK(netif.linkoutput(&netif, p) == ERR_OK);
    CHECK(p->ref == 2);
    for (uint8_t i = 2; i <= ETHDEV_LWIP_TX_QUEUE; i++) {
        CHECK(send_ram(60, i) == ERR_OK);
    }
    CHECK(send_ram(60, 99) == ERR_MEM && adapter.stats.tx_queue_full == 1);
    CHECK(nic.tx_count == 1 && adapter.stats.tx_queued == ETHDEV_LWIP_TX_QUEUE);
    /* One has space: it is the first one, and the new frame is the last. */
    nic.tx_capacity = 1;
    CHECK(send_ram(60, ETHDEV_LWIP_TX_QUEUE + 1) == ERR_OK);
    CHECK(p->ref == 1);
    nic.tx_capacity = MAX_FRAMES;
    CHECK(ethdev_lwip_poll(&netif, 1) == 0);
    CHECK(nic.tx_count == ETHDEV_LWIP_TX_QUEUE + 2 && adapter.stats.tx_copied == 0);
    for (uint8_t i = 0; i < nic.tx_count; i++) {
        CHECK(nic.tx[i].data[0] == i);
    }
    pbuf_free(p);
    end();
}

static void output_data_of_others_that_waits_is_copied(void)
{
    static const pbuf_type types[] = {PBUF_ROM, PBUF_REF};

    for (size_t i = 0; i < 2; i++) {
        uint8_t data[60 + ETH_PAD_SIZE];
        struct pbuf *p;

        begin();
        memset(data, 7, sizeof data);
        p = pbuf_alloc_reference(data, sizeof data, types[i]);
        nic.tx_capacity = 0;
        CHECK(netif.linkoutput(&netif, p) == ERR_OK);
        CHECK(p->ref == 1 && adapter.stats.tx_copied == 1);
        pbuf_free(p);
        memset(data, 8, sizeof data);
        nic.tx_capacity = 1;
        CHECK(ethdev_lwip_poll(&netif, 1) == 0);
        CHECK(nic.tx_count == 1 && nic.tx[0].data[0] == 7 && nic.tx[0].data[59] == 7);
        end();
    }
}

static void output_without_memory_is_counted(void)
{
    uint8_t data[60] = {0};
    struct pbuf *p, *hog;
    u16_t len = MEM_SIZE - 100;

    begin();
    while ((hog = pbuf_alloc(PBUF_RAW, len, PBUF_RAM)) == NULL) {
        len = (u16_t)(len - 100);
    }
    p = pbuf_alloc_reference(data, sizeof data, PBUF_REF);
    nic.tx_capacity = 0;
    /* The rest of the heap. */
    for (int i = 0; i < 20 && adapter.stats.tx_no_memory == 0; i++) {
        err_t err = netif.linkoutput(&netif, p);

        CHECK(err == (adapter.stats.tx_no_memory > 0 || adapter.stats.tx_queue_full > 0 ? ERR_MEM : ERR_OK));
    }
    CHECK(adapter.stats.tx_no_memory == 1 && adapter.stats.tx_queue_full == 0);
    pbuf_free(hog);
    pbuf_free(p);
    end();
}

static void poll_link_down_drops_waiting_frames(void)
{
    begin();
    nic.tx_capacity = 0;
    CHECK(send_ram(60, 1) == ERR_OK && send_ram(60, 2) == ERR_OK);
    nic.link_up = 0;
    CHECK(ethdev_lwip_poll(&netif, 1) == 0);
    CHECK(!netif_is_link_up(&netif) && adapter.stats.tx_link_down == 2 && adapter.tx_count == 0);
    CHECK(send_ram(60, 3) == ERR_IF && adapter.stats.tx_link_down == 3);
    nic.link_up = 1;
    nic.tx_capacity = MAX_FRAMES;
    CHECK(ethdev_lwip_poll(&netif, 1) == 0);
    CHECK(netif_is_link_up(&netif) && nic.tx_count == 0);
    CHECK(send_ram(60, 4) == ERR_OK && nic.tx_count == 1);
    end();
}

static void poll_device_error_is_returned_and_loses_counted_frames(void)
{
    begin();
    nic.tx_capacity = 0;
    CHECK(send_ram(60, 1) == ERR_OK);
    nic.error = ETHDEV_EFAULT;
    arrive(60, 0);
    CHECK(ethdev_lwip_poll(&netif, 4) == ETHDEV_EFAULT);
    CHECK(adapter.stats.tx_failed == 1 && adapter.tx_count == 0 && input_count == 0);
    CHECK(send_ram(60, 2) == ERR_IF && adapter.stats.tx_failed == 2);
    /* In use by another thread: waits, as for a full queue. */
    nic.error = ETHDEV_EBUSY;
    CHECK(send_ram(60, 3) == ERR_OK && adapter.tx_count == 1);
    nic.error = ETHDEV_OK;
    nic.tx_capacity = MAX_FRAMES;
    CHECK(ethdev_lwip_poll(&netif, 4) == 0);
    CHECK(nic.tx_count == 1 && nic.tx[0].data[0] == 3 && input_count == 1);
    end();
}

static void poll_frames_of_all_lengths_are_delivered(void)
{
    static const size_t lengths[] = {14, 60, 255, 256, 257, 1000, 1513, 1514};
    size_t count = sizeof lengths / sizeof lengths[0];

    begin();
    for (size_t i = 0; i < count; i++) {
        arrive(lengths[i], (uint8_t)i);
    }
    CHECK(ethdev_lwip_poll(&netif, 3) == 1 && input_count == 3);
    CHECK(ethdev_lwip_poll(&netif, 100) == 0 && input_count == count);
    for (size_t i = 0; i < count; i++) {
        CHECK(input[i].len == lengths[i] && memcmp(input[i].data, nic.rx[i].data, lengths[i]) == 0);
    }
    CHECK(adapter.stats.rx_copied == (ETHDEV_LWIP_RX_DIRECT ? 0 : count));
    end();
}

static void poll_bad_frames_are_counted(void)
{
    begin();
    arrive(ETHDEV_LWIP_RX_FRAME_LEN + 1, 0);
    arrive(60, 1);
    CHECK(ethdev_lwip_poll(&netif, 8) == 0);
    CHECK(adapter.stats.rx_too_long == 1 && nic.discarded == 1 && input_count == 1);
    input_refuses = 1;
    arrive(60, 2);
    CHECK(ethdev_lwip_poll(&netif, 8) == 0);
    CHECK(adapter.stats.rx_refused == 1 && input_count == 1);
    end();
}

static void poll_without_buffers_keeps_frames(void)
{
    static struct pbuf *held[PBUF_POOL_SIZE];
    size_t count = 0;

    begin();
    while (count < PBUF_POOL_SIZE && (held[count] = pbuf_alloc(PBUF_RAW, 1, PBUF_POOL)) != NULL) {
        count++;
    }
    CHECK(count == PBUF_POOL_SIZE);
    arrive(1000, 5);
    arrive(60, 6);
    CHECK(ethdev_lwip_poll(&netif, 8) == 0 && ethdev_lwip_poll(&netif, 8) == 0);
    CHECK(adapter.stats.rx_no_pbuf == 2 && input_count == 0 && nic.discarded == 0);
    while (count > 0) {
        pbuf_free(held[--count]);
    }
    CHECK(ethdev_lwip_poll(&netif, 8) == 0 && input_count == 2);
    CHECK(input[0].len == 1000 && input[0].data[0] == 5 && input[1].data[0] == 6);
    end();
}

/* Whether the filter of the device has this group. */
static int passes(const uint8_t mac[6])
{
    int found = nic.multicast == ETHDEV_MULTICAST_ALL;

    for (size_t i = 0; i < nic.group_count; i++) {
        found |= memcmp(nic.groups[i], mac, 6) == 0;
    }
    return found;
}

static void filter_follows_groups(void)
{
    static const uint8_t all_systems[6] = {0x01, 0x00, 0x5e, 0, 0, 1};
    static const uint8_t all_nodes[6] = {0x33, 0x33, 0, 0, 0, 1};
    static const uint8_t shared[6] = {0x01, 0x00, 0x5e, 1, 2, 3};
    ip4_addr_t first, second, more;

    begin();
    netif_set_up(&netif);
    CHECK(passes(all_systems) && passes(all_nodes) && !passes(shared));
    /* Two IP groups with the same MAC address. */
    IP4_ADDR(&first, 224, 1, 2, 3);
    IP4_ADDR(&second, 225, 129, 2, 3);
    CHECK(igmp_joingroup_netif(&netif, &first) == ERR_OK && passes(shared));
    CHECK(igmp_joingroup_netif(&netif, &second) == ERR_OK && passes(shared));
    CHECK(igmp_leavegroup_netif(&netif, &first) == ERR_OK && passes(shared));
    CHECK(igmp_leavegroup_netif(&netif, &second) == ERR_OK && !passes(shared));
    /* More than the list has places. */
    for (int i = 0; i < ETHDEV_LWIP_GROUPS; i++) {
        IP4_ADDR(&more, 224, 2, 2, i);
        CHECK(igmp_joingroup_netif(&netif, &more) == ERR_OK);
    }
    CHECK(nic.multicast == ETHDEV_MULTICAST_ALL);
    for (int i = ETHDEV_LWIP_GROUPS - 1; i >= 0; i--) {
        IP4_ADDR(&more, 224, 2, 2, i);
        CHECK(igmp_leavegroup_netif(&netif, &more) == ERR_OK);
    }
    CHECK(nic.multicast == ETHDEV_MULTICAST_LIST && passes(all_systems) && passes(all_nodes));
    CHECK(nic.group_count == 2 && adapter.stats.filter_failed == 0);
    end();
}

static void add_invalid_device_is_refused(void)
{
    struct ethdev_ops other = ops;
    ip4_addr_t any;

    memset(&nic, 0, sizeof nic);
    memset(&any, 0, sizeof any);
    CHECK(ethdev_lwip_add(&netif, &adapter, NULL, &any, &any, &any) == ETHDEV_EINVAL);
    CHECK(ethdev_lwip_add(&netif, &adapter, &nic.base, &any, &any, &any) == ETHDEV_EINVAL);
    nic.base.ops = &other;
    other.abi = ETHDEV_ABI + 1;
    CHECK(ethdev_lwip_add(&netif, &adapter, &nic.base, &any, &any, &any) == ETHDEV_EABI);
    other.abi = ETHDEV_ABI;
    other.mac = NULL;
    CHECK(ethdev_lwip_add(&netif, &adapter, &nic.base, &any, &any, &any) == ETHDEV_EOTHER);
    CHECK(netif_list == NULL);
}

static void remove_drops_waiting_frames(void)
{
    begin();
    nic.tx_capacity = 0;
    CHECK(send_ram(60, 1) == ERR_OK && adapter.tx_count == 1);
    arrive(60, 0);
    CHECK(ethdev_lwip_poll(&netif, 8) == 0);
    end();
    CHECK(nic.tx_count == 0);
}

int main(void)
{
    lwip_init();
    output_chain_passes_parts_in_place();
    output_more_parts_than_the_device_takes_is_copied();
    output_queue_full_waits_in_order();
    output_data_of_others_that_waits_is_copied();
    output_without_memory_is_counted();
    poll_link_down_drops_waiting_frames();
    poll_device_error_is_returned_and_loses_counted_frames();
    poll_frames_of_all_lengths_are_delivered();
    poll_bad_frames_are_counted();
    poll_without_buffers_keeps_frames();
    filter_follows_groups();
    add_invalid_device_is_refused();
    remove_drops_waiting_frames();
    printf("all passed\n");
    return 0;
}
