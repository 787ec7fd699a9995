/* A node with an interrupt handler that only signals, and a thread that does everything else. */
#ifndef INTERRUPT_NODE_H
#define INTERRUPT_NODE_H

#include "ethdev.h"

struct node;

/* What the thread did. */
struct node_report {
    uint32_t echoed;  /* frames returned to their senders */
    uint32_t dropped; /* frames without a header, and replies while the link was down */
    uint32_t waits;   /* times that it slept until a signal */
    uint32_t retries; /* times that the transmit queue was full */
    int32_t error;    /* why it ended: ETHDEV_OK if by node_stop() */
};

/* Starts the device and the thread. Returns NULL if one of them fails. */
struct node *node_start(struct ethdev *nic);

/* The interrupt handler of the device. A vector table points to it. */
void node_interrupt_handler(struct node *node);

/* Reads the counters of the device, in any thread. */
int32_t node_counters(struct node *node, struct ethdev_counters *counters);

/* Ends the thread and releases the node. */
struct node_report node_stop(struct node *node);

#endif
