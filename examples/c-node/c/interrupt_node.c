#define _POSIX_C_SOURCE 200809L

#include "interrupt_node.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* Longest sleep of the thread, for a device that needs no periodic call. */
#define LONGEST_WAIT_US 100000u

struct node {
    struct ethdev *nic;
    pthread_t thread;
    pthread_mutex_t device_lock; /* one call inside the device at a time */
    pthread_mutex_t lock;        /* of what follows: a binary semaphore */
    pthread_cond_t signaled;
    int is_signaled;
    int is_stopped;
    uint32_t wait_us;
    struct node_report report;
    uint8_t frame[1514];
};

/* With FreeRTOS: xSemaphoreTake(mutex, portMAX_DELAY). */
static void lock_device(void *context) {
    pthread_mutex_lock(&((struct node *)context)->device_lock);
}

/* With FreeRTOS: xSemaphoreGive(mutex). */
static void unlock_device(void *context) {
    pthread_mutex_unlock(&((struct node *)context)->device_lock);
}

/* With FreeRTOS: vTaskNotifyGiveFromISR(task, &woken). */
static void signal_thread(void *context) {
    struct node *node = context;
    pthread_mutex_lock(&node->lock);
    node->is_signaled = 1;
    pthread_cond_signal(&node->signaled);
    pthread_mutex_unlock(&node->lock);
}

/* With FreeRTOS: ulTaskNotifyTake(pdTRUE, ticks). Returns 0 after node_stop(). */
static int wait_for_signal(struct node *node) {
    struct timespec until;
    int is_stopped;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)node->wait_us * 1000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    node->report.waits++;
    pthread_mutex_lock(&node->lock);
    while (!node->is_signaled && !node->is_stopped)
        if (pthread_cond_timedwait(&node->signaled, &node->lock, &until) != 0)
            break;
    node->is_signaled = 0;
    is_stopped = node->is_stopped;
    pthread_mutex_unlock(&node->lock);
    return !is_stopped;
}

/* Everything that the interrupt handler does. */
void node_interrupt_handler(struct node *node) { ethdev_interrupt(node->nic); }

/* Returns the frame of `node->frame` to its sender. */
static int32_t echo(struct node *node, size_t len) {
    struct ethdev_iovec reply[3];
    uint8_t mac[6];
    int32_t err = ethdev_mac(node->nic, mac);
    reply[0].base = &node->frame[6];
    reply[0].len = 6;
    reply[1].base = mac;
    reply[1].len = 6;
    reply[2].base = &node->frame[12];
    reply[2].len = len - 12;
    return err == ETHDEV_OK ? ethdev_send(node->nic, reply, 3) : err;
}

/* Echoes every pending frame. A frame that the full queue rejects stays in `*held`, its length. */
static int32_t drain(struct node *node, size_t *held) {
    for (;;) {
        int32_t err;
        if (*held == 0) {
            struct ethdev_rx rx;
            err = ethdev_recv(node->nic, node->frame, sizeof node->frame, &rx);
            if (err != ETHDEV_OK)
                return err == ETHDEV_ENODATA ? ETHDEV_OK : err;
            if (rx.len < 14) {
                node->report.dropped++; /* no header */
                continue;
            }
            *held = rx.len;
        }
        err = echo(node, *held);
        if (err == ETHDEV_EAGAIN) {
            node->report.retries++;
            return ETHDEV_OK;
        }
        if (err != ETHDEV_OK && err != ETHDEV_ENOLINK)
            return err;
        *held = 0;
        if (err == ETHDEV_OK)
            node->report.echoed++;
        else
            node->report.dropped++;
    }
}

/* With a frame held, more frames are of no use. */
static uint32_t waits_for(size_t held) {
    return (held ? ETHDEV_WAIT_TX : ETHDEV_WAIT_RX) | ETHDEV_WAIT_LINK;
}

static void *run(void *context) {
    struct node *node = context;
    int32_t err = ETHDEV_OK;
    size_t held = 0;
    do {
        uint8_t pending = 1;
        while (err == ETHDEV_OK && pending) {
            err = ethdev_disarm(node->nic);
            if (err == ETHDEV_OK)
                err = ethdev_service(node->nic, NULL);
            if (err == ETHDEV_OK)
                err = drain(node, &held);
            if (err == ETHDEV_OK)
                err = ethdev_rearm(node->nic, waits_for(held), &pending);
        }
    } while (err == ETHDEV_OK && wait_for_signal(node));
    node->report.error = err;
    return NULL;
}

struct node *node_start(struct ethdev *nic) {
    struct node *node = calloc(1, sizeof *node);
    struct ethdev_lock lock;
    struct ethdev_signal signal;
    struct ethdev_info info;
    if (node == NULL)
        return NULL;
    node->nic = nic;
    pthread_mutex_init(&node->device_lock, NULL);
    pthread_mutex_init(&node->lock, NULL);
    pthread_cond_init(&node->signaled, NULL);
    lock.context = signal.context = node;
    lock.lock = lock_device;
    lock.unlock = unlock_device;
    signal.signal = signal_thread;
    if (ethdev_info(nic, &info) == ETHDEV_OK && ethdev_set_lock(nic, &lock) == ETHDEV_OK &&
        ethdev_set_signal(nic, &signal) == ETHDEV_OK && ethdev_start(nic) == ETHDEV_OK) {
        node->wait_us = info.service_interval_us;
        if (node->wait_us > LONGEST_WAIT_US)
            node->wait_us = LONGEST_WAIT_US;
        if (pthread_create(&node->thread, NULL, run, node) == 0)
            return node;
    }
    ethdev_set_lock(nic, NULL);
    ethdev_set_signal(nic, NULL);
    free(node);
    return NULL;
}

int32_t node_counters(struct node *node, struct ethdev_counters *counters) {
    return ethdev_counters(node->nic, counters);
}

struct node_report node_stop(struct node *node) {
    struct node_report report;
    pthread_mutex_lock(&node->lock);
    node->is_stopped = 1;
    pthread_cond_signal(&node->signaled);
    pthread_mutex_unlock(&node->lock);
    pthread_join(node->thread, NULL);
    /* The handler must not be called any more. */
    ethdev_set_signal(node->nic, NULL);
    ethdev_set_lock(node->nic, NULL);
    report = node->report;
    free(node);
    return report;
}
