/* lwIP (2.1 or later) on a device of ethdev.h.
 *
 *     static struct ethdev_lwip adapter;
 *     static struct netif netif;
 *
 *     ethdev_lwip_add(&netif, &adapter, device, &address, &netmask, &gateway);
 *     netif_set_up(&netif);
 *     for (;;) {
 *         ethdev_lwip_poll(&netif, 8);
 *         sys_check_timeouts();
 *         (sleep until the interrupt of the device, at most for sys_timeouts_sleeptime())
 *     }
 *
 * All functions, and all functions of lwIP, are called from one context: the main loop of NO_SYS, or
 * a thread that holds the core lock.
 *
 * Sending: the parts of a frame are passed to the device where they are. If the device's queue is
 * full, the frame waits here, by reference: most of lwIP drops a packet that its driver refuses.
 * Frames leave in order. A full queue refuses a frame with ERR_MEM, and counts it.
 *
 * Receiving: the device writes a frame to a PBUF_POOL buffer. If PBUF_POOL_BUFSIZE is smaller than
 * ETHDEV_LWIP_FRAME_LEN + ETH_PAD_SIZE, the frame is copied once more, to a chain of buffers.
 * Without a free buffer the frame stays in the device, which counts what it loses if its queue
 * overflows.
 */
#ifndef ETHDEV_LWIP_H
#define ETHDEV_LWIP_H

#include "ethdev.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Number of frames that wait for the transmit queue of the device. TCP sends up to TCP_SND_BUF /
   TCP_MSS frames at once. */
#ifndef ETHDEV_LWIP_TX_QUEUE
#define ETHDEV_LWIP_TX_QUEUE 16
#endif

/* Longest received frame in bytes, without FCS. 1518 with a VLAN tag. */
#ifndef ETHDEV_LWIP_FRAME_LEN
#define ETHDEV_LWIP_FRAME_LEN 1514
#endif

/* Number of parts of a sent frame. A frame of more parts is copied to one buffer. */
#ifndef ETHDEV_LWIP_TX_PARTS
#define ETHDEV_LWIP_TX_PARTS 6
#endif

/* Number of multicast MAC addresses in the receive filter. With more groups, all multicast frames
   pass. 0: all pass always. */
#ifndef ETHDEV_LWIP_GROUPS
#define ETHDEV_LWIP_GROUPS 8
#endif

/* Frames are written to the pbufs directly. */
#define ETHDEV_LWIP_DIRECT (PBUF_POOL_BUFSIZE >= ETHDEV_LWIP_FRAME_LEN + ETH_PAD_SIZE)

/* Counters since ethdev_lwip_add. They wrap. */
struct ethdev_lwip_stats {
    /* Sent frames that waited in the queue. */
    uint32_t tx_queued;
    /* Sent frames whose data was copied: a queued frame whose data may change (PBUF_REF, PBUF_ROM),
       or one of more than ETHDEV_LWIP_TX_PARTS parts. */
    uint32_t tx_copied;
    /* Frames lost: the queue was full. */
    uint32_t tx_queue_full;
    /* Frames lost: no memory for a copy. */
    uint32_t tx_no_memory;
    /* Frames lost: the link was down, or went down while they waited. */
    uint32_t tx_link_down;
    /* Frames lost: the device refused them with another error. */
    uint32_t tx_failed;
    /* Frames passed to lwIP. */
    uint32_t rx_frames;
    /* Received frames that were copied once more, to a chain of buffers. */
    uint32_t rx_copied;
    /* Frames lost: longer than ETHDEV_LWIP_FRAME_LEN. */
    uint32_t rx_too_long;
    /* Frames lost: netif->input refused them. */
    uint32_t rx_refused;
    /* Polls that ended because no PBUF_POOL buffer was free. The frames stay in the device. */
    uint32_t rx_no_pbuf;
    /* Changes of the receive filter that the device refused. */
    uint32_t filter_failed;
};
