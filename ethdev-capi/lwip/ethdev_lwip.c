/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "ethdev_lwip.h"

#include <string.h>

#include "lwip/ethip6.h"
#include "lwip/etharp.h"
#include "lwip/stats.h"
#include "netif/ethernet.h"

/* Passes the parts of a frame to the device. Empty pbufs are parts, too. */
static int32_t send(struct ethdev_lwip *adapter, const struct pbuf *frame) {
    struct ethdev_iovec parts[ETHDEV_MAX_PARTS];
    size_t count = 0;
    /* lwIP's padding in front of the Ethernet header is not sent. */
    u16_t skip = ETH_PAD_SIZE;

    for (const struct pbuf *p = frame; p != NULL; p = p->next) {
        u16_t skipped = LWIP_MIN(skip, p->len);
        parts[count].base = (const uint8_t *)p->payload + skipped;
        parts[count].len = (size_t)(p->len - skipped);
        skip = (u16_t)(skip - skipped);
        count++;
        /* The last pbuf of a packet; in a queue of packets another one may follow. */
        if (p->tot_len == p->len)
            break;
    }
    return ethdev_send(adapter->device, parts, count);
}

/* Counts the result of `send`, other than ETHDEV_EAGAIN. */
static err_t sent(struct ethdev_lwip *adapter, int32_t result) {
    switch (result) {
    case ETHDEV_OK:
        LINK_STATS_INC(link.xmit);
        return ERR_OK;
    case ETHDEV_ENOLINK:
        adapter->stats.tx_link_down++;
        break;
    default:
        adapter->stats.tx_failed++;
        break;
    }
    LINK_STATS_INC(link.drop);
    return ERR_IF;
}

/* Whether the data of a frame stays unchanged while the shim has a reference to it. That of
 * PBUF_REF and PBUF_ROM is not owned by the pbuf: TCP data that is sent without a copy may change
 * as soon as the peer has acknowledged an earlier transmission of it. */
static int owns_data(const struct pbuf *frame) {
    for (const struct pbuf *p = frame; p != NULL; p = p->next) {
        if ((p->type_internal & PBUF_TYPE_FLAG_STRUCT_DATA_CONTIGUOUS) == 0)
            return 0;
    }
    return 1;
}

static struct pbuf *copy(struct ethdev_lwip *adapter, struct pbuf *frame) {
    struct pbuf *copied = pbuf_clone(PBUF_RAW, PBUF_RAM, frame);
    if (copied == NULL) {
        adapter->stats.tx_no_memory++;
        LINK_STATS_INC(link.memerr);
        LINK_STATS_INC(link.drop);
    } else {
        adapter->stats.tx_copied++;
    }
    return copied;
}

/* Adds a frame to the queue. TCP does not change a segment to which there is another reference. */
static err_t enqueue(struct ethdev_lwip *adapter, struct pbuf *frame) {
    if (adapter->tx_count == ETHDEV_LWIP_TX_QUEUE) {
        adapter->stats.tx_queue_full++;
        LINK_STATS_INC(link.memerr);
        LINK_STATS_INC(link.drop);
        return ERR_MEM;
    }
    if (owns_data(frame)) {
        pbuf_ref(frame);
    } else {
        frame = copy(adapter, frame);
        if (frame == NULL)
            return ERR_MEM;
    }
    adapter->tx_queue[(adapter->tx_first + adapter->tx_count) % ETHDEV_LWIP_TX_QUEUE] = frame;
    adapter->tx_count++;
    adapter->stats.tx_queued++;
    return ERR_OK;
}

/* Removes the first frame from the queue. */
static void dequeue(struct ethdev_lwip *adapter) {
    pbuf_free(adapter->tx_queue[adapter->tx_first]);
    adapter->tx_first = (uint16_t)((adapter->tx_first + 1) % ETHDEV_LWIP_TX_QUEUE);
    adapter->tx_count--;
}

/* Sends waiting frames while the device accepts them. */
static int32_t flush(struct ethdev_lwip *adapter) {
    int32_t first_error = ETHDEV_OK;

    while (adapter->tx_count > 0) {
        int32_t result = send(adapter, adapter->tx_queue[adapter->tx_first]);
        if (result == ETHDEV_EAGAIN || result == ETHDEV_EBUSY)
            break;
        if (sent(adapter, result) != ERR_OK && result != ETHDEV_ENOLINK && first_error == ETHDEV_OK)
            first_error = result;
        dequeue(adapter);
    }
    return first_error;
}

/* `netif->linkoutput` */
static err_t output(struct netif *netif, struct pbuf *frame) {
    struct ethdev_lwip *adapter = ethdev_lwip_adapter(netif);
    err_t err;

    if (pbuf_clen(frame) > ETHDEV_MAX_PARTS) {
        frame = copy(adapter, frame);
        if (frame == NULL)
            return ERR_MEM;
    } else {
        pbuf_ref(frame);
    }
    /* An error of a waiting frame is counted, and not one of this frame. */
    (void)flush(adapter);
    if (adapter->tx_count > 0) {
        err = enqueue(adapter, frame);
    } else {
        int32_t result = send(adapter, frame);
        if (result == ETHDEV_EAGAIN || result == ETHDEV_EBUSY)
            err = enqueue(adapter, frame);
        else
            err = sent(adapter, result);
    }
    pbuf_free(frame);
    return err;
}

#if ETHDEV_LWIP_RX_DIRECT

/* Receives a frame to a buffer. Sets `*result` to ETHDEV_ENODATA if there is none. */
static struct pbuf *receive(struct ethdev_lwip *adapter, int32_t *result) {
    struct pbuf *p = adapter->rx_buffer;
    struct ethdev_rx rx;

    *result = ETHDEV_ENODATA;
    if (p == NULL)
        p = pbuf_alloc(PBUF_RAW, ETHDEV_LWIP_RX_FRAME_LEN + ETH_PAD_SIZE, PBUF_POOL);
    adapter->rx_buffer = p;
    if (p == NULL) {
        adapter->stats.rx_no_pbuf++;
        LINK_STATS_INC(link.memerr);
        return NULL;
    }
    *result = ethdev_recv(adapter->device, (uint8_t *)p->payload + ETH_PAD_SIZE,
                          ETHDEV_LWIP_RX_FRAME_LEN, &rx);
    if (*result != ETHDEV_OK)
        return NULL;
    adapter->rx_buffer = NULL;
    pbuf_realloc(p, (u16_t)(rx.len + ETH_PAD_SIZE));
    return p;
}

static void free_rx_buffer(struct ethdev_lwip *adapter) {
    if (adapter->rx_buffer != NULL)
        pbuf_free(adapter->rx_buffer);
    adapter->rx_buffer = NULL;
}

#else

/* Receives a frame to a chain of buffers. Sets `*result` to ETHDEV_ENODATA if there is none. */
static struct pbuf *receive(struct ethdev_lwip *adapter, int32_t *result) {
    struct pbuf *p;

    if (adapter->rx_len == 0) {
        struct ethdev_rx rx;
        *result = ethdev_recv(adapter->device, adapter->rx_buffer, sizeof adapter->rx_buffer, &rx);
        if (*result != ETHDEV_OK)
            return NULL;
        adapter->rx_len = (uint16_t)rx.len;
    }
    *result = ETHDEV_ENODATA;
    p = pbuf_alloc(PBUF_RAW, (u16_t)(adapter->rx_len + ETH_PAD_SIZE), PBUF_POOL);
    if (p == NULL) {
        adapter->stats.rx_no_pbuf++;
        LINK_STATS_INC(link.memerr);
        return NULL;
    }
    /* Cannot fail: it has this length. */
    (void)pbuf_take_at(p, adapter->rx_buffer, adapter->rx_len, ETH_PAD_SIZE);
    adapter->rx_len = 0;
    adapter->stats.rx_copied++;
    *result = ETHDEV_OK;
    return p;
}

static void free_rx_buffer(struct ethdev_lwip *adapter) { adapter->rx_len = 0; }

#endif

/* Passes up to `budget` frames to lwIP. Returns 1 if more may be pending, 0 or an error. */
static int32_t receive_frames(struct netif *netif, uint16_t budget) {
    struct ethdev_lwip *adapter = ethdev_lwip_adapter(netif);

    for (; budget > 0; budget--) {
        int32_t result;
        struct pbuf *p = receive(adapter, &result);
        if (p != NULL) {
            LINK_STATS_INC(link.recv);
            if (netif->input(p, netif) != ERR_OK) {
                adapter->stats.rx_refused++;
                LINK_STATS_INC(link.drop);
                pbuf_free(p);
            }
        } else if (result == ETHDEV_ENOBUFS) {
            result = ethdev_discard(adapter->device);
            if (result != ETHDEV_OK)
                return result;
            adapter->stats.rx_too_long++;
            LINK_STATS_INC(link.lenerr);
            LINK_STATS_INC(link.drop);
        } else if (result == ETHDEV_ENODATA) {
            return 0;
        } else if (result != ETHDEV_EBADMSG) {
            /* An invalid frame was counted by the device, and others may follow it. */
            return result;
        }
    }
    return 1;
}

/* Follows the link of the device. */
static int32_t update_link(struct netif *netif) {
    struct ethdev_lwip *adapter = ethdev_lwip_adapter(netif);
    struct ethdev_link link;
    int32_t result = ethdev_link(adapter->device, &link);

    if (result != ETHDEV_OK)
        return result;
    if (!link.up) {
        /* These are not for the network that the next link leads to. */
        while (adapter->tx_count > 0) {
            adapter->stats.tx_link_down++;
            LINK_STATS_INC(link.drop);
            dequeue(adapter);
        }
    }
    if (link.up && !netif_is_link_up(netif))
        netif_set_link_up(netif);
    else if (!link.up && netif_is_link_up(netif))
        netif_set_link_down(netif);
    return ETHDEV_OK;
}

int32_t ethdev_lwip_poll(struct netif *netif, uint16_t budget) {
    struct ethdev_lwip *adapter = ethdev_lwip_adapter(netif);
    int32_t results[4];

    results[0] = ethdev_service(adapter->device, NULL);
    results[1] = update_link(netif);
    results[2] = flush(adapter);
    results[3] = receive_frames(netif, budget);
    for (size_t i = 0; i < 3; i++) {
        if (results[i] != ETHDEV_OK)
            return results[i];
    }
    return results[3];
}

#if (LWIP_IPV4 && LWIP_IGMP) || (LWIP_IPV6 && LWIP_IPV6_MLD)

static void apply_filter(struct ethdev_lwip *adapter) {
    uint8_t groups[ETHDEV_LWIP_GROUPS][6];
    struct ethdev_rx_filter filter = {1, ETHDEV_MULTICAST_LIST, 0, 0, 0,
                                      (const uint8_t(*)[6])groups};
    int32_t result;

    for (size_t i = 0; i < ETHDEV_LWIP_GROUPS; i++) {
        if (adapter->groups[i].users > 0)
            memcpy(groups[filter.group_count++], adapter->groups[i].mac, 6);
    }
    if (adapter->other_groups > 0)
        filter.multicast = ETHDEV_MULTICAST_ALL;
    result = ethdev_set_rx_filter(adapter->device, &filter, NULL);
    if (result != ETHDEV_OK)
        adapter->stats.filter_failed++;
}

/* Adds an IP group with this MAC address, or removes one. Several may share the address. */
static err_t change_group(struct netif *netif, const uint8_t mac[6],
                          enum netif_mac_filter_action action) {
    struct ethdev_lwip *adapter = ethdev_lwip_adapter(netif);
    struct ethdev_lwip_group *unused = NULL;

    for (size_t i = 0; i < ETHDEV_LWIP_GROUPS; i++) {
        struct ethdev_lwip_group *group = &adapter->groups[i];
        if (group->users == 0) {
            unused = group;
        } else if (memcmp(group->mac, mac, 6) == 0) {
            group->users = (uint16_t)(group->users + (action == NETIF_ADD_MAC_FILTER ? 1 : -1));
            if (group->users == 0)
                apply_filter(adapter);
            return ERR_OK;
        }
    }
    if (action != NETIF_ADD_MAC_FILTER) {
        if (adapter->other_groups > 0)
            adapter->other_groups--;
    } else if (unused == NULL) {
        adapter->other_groups++;
    } else {
        memcpy(unused->mac, mac, 6);
        unused->users = 1;
    }
    apply_filter(adapter);
    return ERR_OK;
}

#endif

#if LWIP_IPV4 && LWIP_IGMP
static err_t filter_ipv4(struct netif *netif, const ip4_addr_t *group,
                         enum netif_mac_filter_action action) {
    /* RFC 1112 section 6.4: the low 23 bits of the group. */
    const uint8_t mac[6] = {0x01, 0x00, 0x5e, (uint8_t)(ip4_addr2(group) & 0x7f), ip4_addr3(group),
                            ip4_addr4(group)};
    return change_group(netif, mac, action);
}
#endif

#if LWIP_IPV6 && LWIP_IPV6_MLD
static err_t filter_ipv6(struct netif *netif, const ip6_addr_t *group,
                         enum netif_mac_filter_action action) {
    /* RFC 2464 section 7: the low 32 bits of the group. */
    uint8_t mac[6] = {0x33, 0x33, 0, 0, 0, 0};
    memcpy(&mac[2], &group->addr[3], 4);
    return change_group(netif, mac, action);
}
#endif

/* The `init` function of netif_add(). */
static err_t init(struct netif *netif) {
    struct ethdev_lwip *adapter = ethdev_lwip_adapter(netif);
    struct ethdev_info info;

    if (ethdev_mac(adapter->device, netif->hwaddr) != ETHDEV_OK ||
        ethdev_info(adapter->device, &info) != ETHDEV_OK)
        return ERR_IF;
    netif->hwaddr_len = ETH_HWADDR_LEN;
    netif->mtu = (u16_t)LWIP_MIN(info.mtu, 0xffff);
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    netif->linkoutput = output;
#if LWIP_IPV4
    netif->output = etharp_output;
#if LWIP_IGMP
    netif->flags |= NETIF_FLAG_IGMP;
    netif_set_igmp_mac_filter(netif, filter_ipv4);
#endif
#endif
#if LWIP_IPV6
    netif->output_ip6 = ethip6_output;
#if LWIP_IPV6_MLD
    netif->flags |= NETIF_FLAG_MLD6;
    netif_set_mld_mac_filter(netif, filter_ipv6);
    {
        /* lwIP does not join this group, of which every node is a member (RFC 4291, 2.8). */
        ip6_addr_t all_nodes;
        ip6_addr_set_allnodes_linklocal(&all_nodes);
        filter_ipv6(netif, &all_nodes, NETIF_ADD_MAC_FILTER);
    }
#endif
#endif
    return ERR_OK;
}

#if LWIP_IPV4
int32_t ethdev_lwip_add(struct netif *netif, struct ethdev_lwip *adapter, struct ethdev *device,
                        const ip4_addr_t *address, const ip4_addr_t *netmask,
                        const ip4_addr_t *gateway) {
#else
int32_t ethdev_lwip_add(struct netif *netif, struct ethdev_lwip *adapter, struct ethdev *device) {
#endif
    int32_t result = ethdev_service(device, NULL);

    if (result != ETHDEV_OK)
        return result;
    memset(adapter, 0, sizeof *adapter);
    adapter->device = device;
#if LWIP_IPV4
    if (netif_add(netif, address, netmask, gateway, adapter, init, ethernet_input) == NULL)
#else
    if (netif_add(netif, adapter, init, ethernet_input) == NULL)
#endif
        return ETHDEV_EOTHER;
    result = update_link(netif);
    if (result != ETHDEV_OK)
        ethdev_lwip_remove(netif);
    return result;
}

void ethdev_lwip_remove(struct netif *netif) {
    struct ethdev_lwip *adapter = ethdev_lwip_adapter(netif);

    netif_remove(netif);
    while (adapter->tx_count > 0)
        dequeue(adapter);
    free_rx_buffer(adapter);
}
