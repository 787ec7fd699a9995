/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * ethdev_lwip.h: lwIP (2.1 and later) on a device of ethdev.h. Copy this file and ethdev_lwip.c.
 *
 *     static struct netif netif;
 *     static struct ethdev_lwip adapter;
 *
 *     ethdev_lwip_add(&netif, &adapter, nic, &address, &netmask, &gateway);
 *     netif_set_default(&netif);
 *     netif_set_up(&netif);
 *     for (;;) {
 *         while (ethdev_lwip_poll(&netif, 8) > 0) {
 *         }
 *         sys_check_timeouts();
 *         sleep_until_interrupt_or(sys_timeouts_sleeptime());
 *     }
 *
 * Context
 *   These functions, as all of lwIP, are called from one context: the main loop with NO_SYS, or a
 *   thread that holds the core lock. None may be called from an interrupt handler.
 *
 * Sending
 *   The parts of a frame are passed to the device where they are. While the transmit queue of the
 *   device is full, frames wait here by reference, because most of lwIP drops a packet that its
 *   driver refuses. They leave in order. ethdev_lwip_poll() sends them: call it when the device has
 *   capacity again, or periodically.
 *
 * Receiving
 *   The device writes a frame to a buffer of PBUF_POOL. If PBUF_POOL_BUFSIZE is smaller than a
 *   frame, it is copied once more, to a chain of buffers. While no buffer is free, frames stay in
 *   the device, which counts those that it loses when its own queue is full.
 */
#ifndef ETHDEV_LWIP_H
#define ETHDEV_LWIP_H

#include "ethdev.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Number of frames that can wait for the transmit queue of the device. TCP sends up to
 * TCP_SND_BUF / TCP_MSS frames of a connection at once. */
#ifndef ETHDEV_LWIP_TX_QUEUE
#define ETHDEV_LWIP_TX_QUEUE 16
#endif

/* Longest received frame in bytes, without FCS: 1518 with a VLAN tag. */
#ifndef ETHDEV_LWIP_RX_FRAME_LEN
#define ETHDEV_LWIP_RX_FRAME_LEN 1514
#endif

/* Number of multicast MAC addresses in the receive filter of the device. With more groups than
 * that, all multicast frames pass. At most ETHDEV_MAX_GROUPS. */
#ifndef ETHDEV_LWIP_GROUPS
#define ETHDEV_LWIP_GROUPS 8
#endif

/* 1: a received frame fits one buffer of PBUF_POOL, to which the device writes it. */
#define ETHDEV_LWIP_RX_DIRECT (PBUF_POOL_BUFSIZE >= ETHDEV_LWIP_RX_FRAME_LEN + ETH_PAD_SIZE)

/* Counters since ethdev_lwip_add(). They wrap at 2^32. */
struct ethdev_lwip_stats {
    uint32_t tx_queued;     /* frames that waited for the transmit queue of the device */
    uint32_t tx_copied;     /* frames that were copied: data that may change while the frame waits
                               (PBUF_REF, PBUF_ROM), or more than ETHDEV_MAX_PARTS parts */
    uint32_t tx_queue_full; /* frames refused with ERR_MEM: ETHDEV_LWIP_TX_QUEUE frames waited.
                               TCP sends them again, the rest of lwIP drops them */
    uint32_t tx_no_memory;  /* frames refused with ERR_MEM: no memory for a copy */
    uint32_t tx_link_down;  /* frames lost: the link was down, or went down while they waited */
    uint32_t tx_failed;     /* frames lost: the device refused them with another error */
    uint32_t rx_copied;     /* frames that were copied to a chain of buffers */
    uint32_t rx_no_pbuf;    /* polls that ended because no PBUF_POOL buffer was free */
    uint32_t rx_too_long;   /* frames lost: longer than ETHDEV_LWIP_RX_FRAME_LEN */
    uint32_t rx_refused;    /* frames lost: lwIP refused them */
    uint32_t filter_failed; /* changes of the receive filter that the device refused */
};

/* A multicast MAC address, and the number of IP groups that have it. */
struct ethdev_lwip_group {
    uint8_t mac[6];
    uint16_t users;
};

/* The adapter of one device, in memory of the caller, who may read `device`, `stats` and
 * `tx_count`, the number of frames that wait for the transmit queue of the device. */
struct ethdev_lwip {
    struct ethdev *device;
    struct ethdev_lwip_stats stats;
    /* A ring that begins at `tx_first`. */
    struct pbuf *tx_queue[ETHDEV_LWIP_TX_QUEUE];
    uint16_t tx_first;
    uint16_t tx_count;
#if ETHDEV_LWIP_RX_DIRECT
    /* The buffer for the next frame; NULL: none was free. */
    struct pbuf *rx_buffer;
#else
    /* The next frame, of `rx_len` bytes; 0: none. */
    uint8_t rx_buffer[ETHDEV_LWIP_RX_FRAME_LEN];
    uint16_t rx_len;
#endif
    struct ethdev_lwip_group groups[ETHDEV_LWIP_GROUPS];
    /* IP groups that did not fit. */
    uint16_t other_groups;
};

/* Adds an interface on `device`, which is started. `adapter` and `netif` stay in use until
 * ethdev_lwip_remove(). MAC address, IP MTU and link are those of the device.
 *
 * Returns ETHDEV_OK, an error of the device, or ETHDEV_EOTHER if lwIP does not accept the
 * interface. After an error nothing is in use. */
#if LWIP_IPV4
int32_t ethdev_lwip_add(struct netif *netif, struct ethdev_lwip *adapter, struct ethdev *device,
                        const ip4_addr_t *address, const ip4_addr_t *netmask,
                        const ip4_addr_t *gateway);
#else
int32_t ethdev_lwip_add(struct netif *netif, struct ethdev_lwip *adapter, struct ethdev *device);
#endif

/* Removes the interface. Waiting frames are dropped. */
void ethdev_lwip_remove(struct netif *netif);

/* Does the housekeeping of the device, follows its link, sends waiting frames, and passes up to
 * `budget` received frames to lwIP.
 *
 * Returns 1 if more frames may be pending: call it again; 0 if none are. A negative code of
 * `enum ethdev_error` is the first error of the device; everything else was done nevertheless.
 * After ETHDEV_EFAULT, call ethdev_recover(). */
int32_t ethdev_lwip_poll(struct netif *netif, uint16_t budget);

/* Returns the adapter of an interface. */
static inline struct ethdev_lwip *ethdev_lwip_adapter(const struct netif *netif) {
    return (struct ethdev_lwip *)netif->state;
}

#ifdef __cplusplus
}
#endif

#endif /* ETHDEV_LWIP_H */
