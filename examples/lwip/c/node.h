/* A small host on lwIP: replies to pings, echoes UDP and TCP on port 7, and serves a page about its
   device on port 80. lwIP's state is global: there is one node at a time. */
#ifndef LWIP_NODE_NODE_H
#define LWIP_NODE_NODE_H

#include "ethdev_lwip.h"

struct node_config {
    struct ethdev *device;
    /* Title of the page. Stays valid until node_close. */
    const char *name;
    uint8_t address[4];
    uint8_t netmask[4];
    /* All zeros: none. */
    uint8_t gateway[4];
    uint32_t seed;
};

/* What is in use of lwIP's memory. */
struct node_memory {
    /* Bytes of the heap. */
    uint32_t heap;
    /* Elements of the pools that packets and connections use. */
    uint32_t pool_pbufs;
    uint32_t reference_pbufs;
    uint32_t tcp_segments;
    uint32_t tcp_pcbs;
};

/* Opens the node. `device` is in use until node_close. Returns ETHDEV_OK, an error of the device, or
   ETHDEV_EOTHER if lwIP has no memory. */
int32_t node_open(const struct node_config *config);

/* Closes the node. Its connections are aborted. */
void node_close(void);

/* Receives, serves and sends what is due `now` milliseconds after node_open. Returns 1 if it must be
   called again at once, 0 if not, or an error of the device. */
int32_t node_poll(uint32_t now);

/* Returns the time until the next timer, in milliseconds after the last node_poll. UINT32_MAX: none. */
uint32_t node_sleep_time(void);

/* Returns the number of frames that wait for the transmit queue of the device. */
uint32_t node_waiting(void);

/* Reads the counters of the shim. */
void node_stats(struct ethdev_lwip_stats *stats);

/* Reads what is in use of lwIP's memory. */
void node_memory(struct node_memory *memory);

/* Takes up to `count` free receive buffers from lwIP until node_release. Returns their number. */
uint32_t node_hold(uint32_t count);
void node_release(void);

/* Returns a text for an error code. */
const char *node_strerror(int32_t error);

#endif
