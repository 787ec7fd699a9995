/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * ethdev.h: Ethernet devices for network stacks in C. C99 and later, C++11 and later.
 *
 * A device is a `struct ethdev *`. A driver's library has a constructor that returns one; the
 * functions of this file work on every one. They are inline calls through a table of functions, so
 * that a stack links to no library except the driver's.
 *
 *     struct ethdev *nic = board_ethernet();
 *     uint8_t buf[1514];
 *     struct ethdev_rx rx;
 *     int32_t err = ethdev_start(nic);
 *     while (err == ETHDEV_OK || err == ETHDEV_ENODATA) {
 *         err = ethdev_recv(nic, buf, sizeof buf, &rx);
 *         if (err == ETHDEV_OK)
 *             handle(buf, rx.len);
 *     }
 *
 * Frames
 *   A frame is destination MAC address to end of payload. It has no preamble and no FCS.
 *
 * Results
 *   Each function returns ETHDEV_OK (0) or a negative code of `enum ethdev_error`. After an error,
 *   the content of what an output argument points to is unspecified unless the function says
 *   otherwise.
 *   Every function can return:
 *     ETHDEV_EINVAL  `dev` or another pointer is NULL where it may not be
 *     ETHDEV_EABI    the device was built for another version of this file
 *     ETHDEV_ENOTSUP the device does not have this function
 *     ETHDEV_EBUSY   the device is in use by another call: see below
 *     ETHDEV_EIO, ETHDEV_ETIMEDOUT, ETHDEV_EFAULT, ETHDEV_ENODEV, ETHDEV_EOTHER
 *                    the device failed. After ETHDEV_EFAULT, call ethdev_recover()
 *
 * Threads
 *   At most one call is inside a device at a time. A second call, from another thread or from
 *   inside a lock function of the caller, returns ETHDEV_EBUSY at once and has no effect. A stack
 *   that sends and receives in two threads registers lock functions with ethdev_set_lock(): then a
 *   second call waits for the first one.
 *   No function may be called from an interrupt handler, except ethdev_interrupt().
 *   No function waits for a frame, for transmit capacity or for the link. A call takes at most the
 *   time of the accesses to the chip, each with a time limit.
 *
 * Memory
 *   The device keeps no pointer of the caller after a function returns, except the contexts that
 *   are passed to ethdev_set_lock() and ethdev_set_signal().
 */
#ifndef ETHDEV_H
#define ETHDEV_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the layout of `struct ethdev_ops` and of the structures that it takes. It changes if a
 * member changes; new members of `struct ethdev_ops` are appended, and change only its size. */
#define ETHDEV_ABI UINT32_C(1)

/* Largest number of parts in one call of ethdev_send(). */
#define ETHDEV_MAX_PARTS 16

/* Largest number of group addresses in a receive filter. */
#define ETHDEV_MAX_GROUPS 1024

/* Size of `ethdev_info.name` in bytes, with the final zero. */
#define ETHDEV_NAME_SIZE 16

/* Result of a function. */
enum ethdev_error {
    ETHDEV_OK = 0,
    ETHDEV_EINVAL = -1,     /* invalid argument */
    ETHDEV_EABI = -2,       /* the device was built for another version of this file */
    ETHDEV_ENOTSUP = -3,    /* the device does not have this function */
    ETHDEV_EBUSY = -4,      /* the device is in use by another call; nothing was done */
    ETHDEV_EAGAIN = -5,     /* the transmit queue is full; nothing was sent, call again later */
    ETHDEV_ENODATA = -6,    /* no frame is pending */
    ETHDEV_ENOBUFS = -7,    /* the buffer is shorter than the next frame, which stays next */
    ETHDEV_EMSGSIZE = -8,   /* the frame is longer than the device sends; nothing was sent */
    ETHDEV_ERUNT = -9,      /* the frame is shorter than an Ethernet header; nothing was sent */
    ETHDEV_ENETDOWN = -10,  /* the device is stopped or asleep */
    ETHDEV_ENOLINK = -11,   /* the link is down; nothing was queued */
    ETHDEV_EIO = -12,       /* the bus between host and chip failed */
    ETHDEV_ETIMEDOUT = -13, /* the chip did not finish in the time that its data sheet gives */
    ETHDEV_EFAULT = -14,    /* the chip is in a state that only ethdev_recover() ends */
    ETHDEV_ENODEV = -15,    /* there is no such device: absent or wrong chip, removed interface */
    ETHDEV_EACCES = -16,    /* the user of the host may not use this device */
    ETHDEV_EBADMSG = -17,   /* the chip delivered an invalid frame, which was counted and dropped */
    ETHDEV_EOTHER = -18     /* any other error */
};

/* A part of a frame to send. `base` may be NULL if `len` is 0. */
struct ethdev_iovec {
    const void *base;
    size_t len; /* bytes */
};

/* `ethdev_rx.flags` */
#define ETHDEV_RX_TIMESTAMP UINT32_C(1) /* `timestamp_ns` is valid */

/* A received frame. */
struct ethdev_rx {
    size_t len;            /* bytes, with the padding as received */
    uint32_t flags;        /* ETHDEV_RX_* */
    uint64_t timestamp_ns; /* arrival by the device's clock, ns since an epoch that it defines */
};

/* `ethdev_events.flags` */
#define ETHDEV_EVENT_LINK_CHANGED UINT32_C(1) /* the link differs from the last ethdev_service() */
#define ETHDEV_EVENT_RX_PENDING UINT32_C(2)   /* at least one frame is pending */
#define ETHDEV_EVENT_RX_DROPPED UINT32_C(4)   /* received frames were lost: see the counters */
#define ETHDEV_EVENT_TX_READY UINT32_C(8)     /* the next legal frame is accepted */
#define ETHDEV_EVENT_RECOVERED UINT32_C(16)   /* the device recovered from a fault by itself */

/* What ethdev_service() found. */
struct ethdev_events {
    uint32_t flags;        /* ETHDEV_EVENT_* */
    uint16_t tx_completed; /* sent frames that were confirmed since the last call */
    uint16_t tx_failed;    /* accepted frames that failed since the last call */
};

/* `ethdev_link.duplex` */
#define ETHDEV_DUPLEX_UNKNOWN 0
#define ETHDEV_DUPLEX_HALF 1
#define ETHDEV_DUPLEX_FULL 2

/* State of the link. */
struct ethdev_link {
    uint32_t speed_kbps; /* kbit/s on the medium; 0 if unknown or down */
    uint8_t up;          /* 1: frames can cross; 0: they cannot */
    uint8_t duplex;      /* ETHDEV_DUPLEX_*; unknown if down */
    uint8_t pause_rx;    /* 1: received PAUSE frames are honoured (IEEE 802.3 annex 31B) */
    uint8_t pause_tx;    /* 1: PAUSE frames are sent */
};

/* Frames since the device was constructed. Counters wrap at 2^32.
 *
 * Each received frame is in `rx_frames` (the caller has it), in one of the other `rx_` counters, or
 * pending. Each accepted frame is in `tx_frames` (it is on the wire), in `tx_aborted`, in
 * `tx_reset`, or queued. `ethdev_info` says which reasons the hardware reports inexactly. */
struct ethdev_counters {
    uint32_t rx_frames;     /* frames delivered to the caller */
    uint32_t rx_bytes;      /* bytes of `rx_frames`, without FCS */
    uint32_t rx_overrun;    /* lost because the receive queue was full */
    uint32_t rx_bad_fcs;    /* wrong FCS */
    uint32_t rx_bad_length; /* runts, giants, and invalid reported lengths */
    uint32_t rx_error;      /* other errors of the medium */
    uint32_t rx_filtered;   /* good frames that the receive filter rejected */
    uint32_t rx_discarded;  /* good frames dropped by ethdev_discard() */
    uint32_t rx_reset;      /* good frames lost by a reset, a stop or a recovery */
    uint32_t tx_frames;     /* frames sent */
    uint32_t tx_bytes;      /* bytes of `tx_frames` as passed by the caller: without padding */
    uint32_t tx_aborted;    /* accepted frames that the device gave up */
    uint32_t tx_reset;      /* accepted frames lost by a reset, a stop or a recovery */
    uint32_t faults;        /* faults */
    uint32_t recoveries;    /* completed recoveries, automatic and requested */
    uint32_t link_changes;  /* changes of the link state, in both directions */
};

/* `ethdev_info.flags`, with the values of Go's net.Flags. */
#define ETHDEV_FLAG_UP UINT32_C(1)         /* started */
#define ETHDEV_FLAG_BROADCAST UINT32_C(2)  /* always set: every Ethernet has broadcast */
#define ETHDEV_FLAG_MULTICAST UINT32_C(16) /* always set: every Ethernet has group addresses */
#define ETHDEV_FLAG_RUNNING UINT32_C(32)   /* the link is up */

/* `ethdev_info.checksum_rx` and `checksum_tx` */
#define ETHDEV_CHECKSUM_IPV4 UINT32_C(1)
#define ETHDEV_CHECKSUM_UDP UINT32_C(2)
#define ETHDEV_CHECKSUM_TCP UINT32_C(4)
#define ETHDEV_CHECKSUM_ICMPV4 UINT32_C(8)
#define ETHDEV_CHECKSUM_ICMPV6 UINT32_C(16)

/* `ethdev_info.at_least_one` and `not_reported`: a counter of `struct ethdev_counters` each. */
#define ETHDEV_LOSS_RX_OVERRUN UINT32_C(1)
#define ETHDEV_LOSS_RX_BAD_FCS UINT32_C(2)
#define ETHDEV_LOSS_RX_BAD_LENGTH UINT32_C(4)
#define ETHDEV_LOSS_RX_ERROR UINT32_C(8)
#define ETHDEV_LOSS_RX_FILTERED UINT32_C(16)
#define ETHDEV_LOSS_RX_RESET UINT32_C(32)
#define ETHDEV_LOSS_TX_ABORTED UINT32_C(64)
#define ETHDEV_LOSS_TX_RESET UINT32_C(128)

/* Queue length that is not known. */
#define ETHDEV_QUEUE_UNKNOWN UINT32_MAX
/* `ethdev_info.service_interval_us` of a device that needs no periodic call. */
#define ETHDEV_NO_SERVICE_INTERVAL UINT32_MAX

/* What a device is and can do. `name`, `index`, `mtu` and `flags` are those of Go's net.Interface;
 * its hardware address is ethdev_mac(). */
struct ethdev_info {
    char name[ETHDEV_NAME_SIZE];  /* for example "eth0"; ends with a zero */
    uint32_t index;               /* 1 or more; chosen by the firmware */
    uint32_t flags;               /* ETHDEV_FLAG_* */
    uint32_t mtu;                 /* IP MTU: longest IP packet in bytes, 1500 on Ethernet */
    uint32_t rx_max_frame_len;    /* bytes; a buffer of this length takes every frame */
    uint32_t tx_max_frame_len;    /* bytes */
    uint32_t tx_min_frame_len;    /* bytes; shorter frames are padded with zeros by the device */
    uint32_t rx_queue_frames;     /* frames of the longest length; ETHDEV_QUEUE_UNKNOWN */
    uint32_t tx_queue_frames;     /* frames of the longest length; ETHDEV_QUEUE_UNKNOWN */
    uint32_t service_interval_us; /* call ethdev_service() at least this often, in microseconds */
    uint32_t checksum_rx;         /* ETHDEV_CHECKSUM_*: verified by the device */
    uint32_t checksum_tx;         /* ETHDEV_CHECKSUM_*: computed by the device */
    uint32_t at_least_one;        /* ETHDEV_LOSS_*: the counter is a lower bound */
    uint32_t not_reported;        /* ETHDEV_LOSS_*: the hardware does not report this loss */
};

/* `ethdev_rx_filter.multicast` */
#define ETHDEV_MULTICAST_NONE 0 /* no group address */
#define ETHDEV_MULTICAST_LIST 1 /* the addresses of `groups` */
#define ETHDEV_MULTICAST_ALL 2  /* all group addresses */

/* Which frames the device delivers. Frames to its own address always pass. */
struct ethdev_rx_filter {
    uint8_t broadcast;          /* 1: frames to ff:ff:ff:ff:ff:ff pass */
    uint8_t multicast;          /* ETHDEV_MULTICAST_* */
    uint8_t promiscuous;        /* 1: every good frame passes */
    uint8_t reserved;           /* 0 */
    uint32_t group_count;       /* number of addresses in `groups`; used with _LIST only */
    const uint8_t (*groups)[6]; /* may be NULL if `group_count` is 0 */
};

/* Result of ethdev_set_rx_filter(). */
#define ETHDEV_FILTER_EXACT 0    /* the device delivers what was requested, and nothing else */
#define ETHDEV_FILTER_SUPERSET 1 /* it delivers more: the stack checks the destination */

/* Conditions to wait for: ethdev_rearm(). */
#define ETHDEV_WAIT_RX UINT32_C(1)   /* a frame is pending */
#define ETHDEV_WAIT_TX UINT32_C(2)   /* the next legal frame is accepted */
#define ETHDEV_WAIT_LINK UINT32_C(4) /* the link changed */

/* Lock functions of a stack that calls a device from several threads: a mutex. Both are called
 * without any lock of the device, in the thread of the call. `lock` waits; it is not recursive. */
struct ethdev_lock {
    void *context;
    void (*lock)(void *context);
    void (*unlock)(void *context);
};

/* Function that an interrupt of the device calls: gives a semaphore, sets an event flag. It runs in
 * the interrupt handler. It must not call a function of this file. */
struct ethdev_signal {
    void *context;
    void (*signal)(void *context);
};

struct ethdev;

/* The functions of a device. Stacks call them through the functions below, which check the version
 * and the member. Members that say "optional" may be NULL. */
struct ethdev_ops {
    uint32_t abi;  /* ETHDEV_ABI of the device */
    uint32_t size; /* sizeof (struct ethdev_ops) of the device */
    int32_t (*recv)(struct ethdev *dev, void *buf, size_t capacity, struct ethdev_rx *rx);
    int32_t (*discard)(struct ethdev *dev);
    int32_t (*send)(struct ethdev *dev, const struct ethdev_iovec *parts, size_t count);
    int32_t (*tx_ready)(struct ethdev *dev, uint8_t *ready);
    int32_t (*service)(struct ethdev *dev, struct ethdev_events *events);
    int32_t (*link)(struct ethdev *dev, struct ethdev_link *link);
    int32_t (*counters)(struct ethdev *dev, struct ethdev_counters *counters);
    int32_t (*info)(struct ethdev *dev, struct ethdev_info *info);
    int32_t (*mac)(struct ethdev *dev, uint8_t mac[6]);
    int32_t (*set_mac)(struct ethdev *dev, const uint8_t mac[6]); /* optional */
    int32_t (*set_rx_filter)(struct ethdev *dev, const struct ethdev_rx_filter *filter,
                             uint8_t *outcome); /* optional */
    int32_t (*start)(struct ethdev *dev);       /* optional */
    int32_t (*stop)(struct ethdev *dev);        /* optional */
    int32_t (*sleep)(struct ethdev *dev);       /* optional */
    int32_t (*wake)(struct ethdev *dev);        /* optional */
    int32_t (*recover)(struct ethdev *dev);     /* optional */
    int32_t (*set_lock)(struct ethdev *dev, const struct ethdev_lock *lock);       /* optional */
    int32_t (*set_signal)(struct ethdev *dev, const struct ethdev_signal *signal); /* optional */
    int32_t (*interrupt)(struct ethdev *dev);                                      /* optional */
    int32_t (*disarm)(struct ethdev *dev);                                         /* optional */
    int32_t (*rearm)(struct ethdev *dev, uint32_t conditions, uint8_t *pending);   /* optional */
};

/* A device. The memory behind `ops` is the device's own. */
struct ethdev {
    const struct ethdev_ops *ops;
};

/* Checks that `dev` is a device of this version that has the function at `end` bytes of its table.
 * Used by the functions below. */
static inline int32_t ethdev_check(const struct ethdev *dev, size_t end) {
    if (dev == NULL || dev->ops == NULL)
        return ETHDEV_EINVAL;
    if (dev->ops->abi != ETHDEV_ABI)
        return ETHDEV_EABI;
    return dev->ops->size < end ? ETHDEV_ENOTSUP : ETHDEV_OK;
}

#define ETHDEV_CALL_(dev, member, args)                                                            \
    do {                                                                                           \
        int32_t ethdev_err_ = ethdev_check(                                                        \
            (dev), offsetof(struct ethdev_ops, member) + sizeof((dev)->ops->member));              \
        if (ethdev_err_ != ETHDEV_OK)                                                              \
            return ethdev_err_;                                                                    \
        if ((dev)->ops->member == NULL)                                                            \
            return ETHDEV_ENOTSUP;                                                                 \
        return (dev)->ops->member args;                                                            \
    } while (0)

/* Reads the next received frame into the start of `buf`. Does not wait for a frame.
 *
 * `capacity` is the length of `buf` in bytes, 0 included: `buf` may be NULL then. Bytes of `buf`
 * behind `ethdev_info.rx_max_frame_len` are not used. `rx` may not be NULL.
 *
 *   ETHDEV_ENODATA  no frame is pending
 *   ETHDEV_ENOBUFS  the frame is longer than `capacity`. It stays next. `rx->len` is its length
 *   ETHDEV_EBADMSG  the chip delivered an invalid frame. It was counted and dropped
 */
static inline int32_t ethdev_recv(struct ethdev *dev, void *buf, size_t capacity,
                                  struct ethdev_rx *rx) {
    ETHDEV_CALL_(dev, recv, (dev, buf, capacity, rx));
}

/* Drops the next received frame. It is counted in `rx_discarded`.
 *
 *   ETHDEV_ENODATA  no frame is pending
 */
static inline int32_t ethdev_discard(struct ethdev *dev) {
    ETHDEV_CALL_(dev, discard, (dev));
}

/* Sends one frame that consists of `count` parts, one after another.
 *
 * Parts may be empty. `parts` may be NULL if `count` is 0. When the function returns, the device
 * has a copy of the bytes; the frame may still be queued. On any error it was not accepted.
 *
 *   ETHDEV_EAGAIN    the transmit queue is full: send the frame again after ethdev_tx_ready()
 *   ETHDEV_EMSGSIZE  longer than `ethdev_info.tx_max_frame_len`
 *   ETHDEV_ERUNT     shorter than an Ethernet header (14 bytes), 0 included
 *   ETHDEV_ENOLINK, ETHDEV_ENETDOWN  the device does not send now
 *   ETHDEV_EINVAL    more than ETHDEV_MAX_PARTS parts, or a part with a length and without memory
 */
static inline int32_t ethdev_send(struct ethdev *dev, const struct ethdev_iovec *parts,
                                  size_t count) {
    ETHDEV_CALL_(dev, send, (dev, parts, count));
}

/* Sets `*ready` to 1 if the device accepts a legal frame now, otherwise to 0 (queue full, link
 * down, stopped). */
static inline int32_t ethdev_tx_ready(struct ethdev *dev, uint8_t *ready) {
    ETHDEV_CALL_(dev, tx_ready, (dev, ready));
}

/* Does housekeeping: refreshes the link state, completes transmissions, recovers from known errata
 * of the chip. Call it at least every `ethdev_info.service_interval_us`, and after an interrupt.
 * `events` may be NULL. */
static inline int32_t ethdev_service(struct ethdev *dev, struct ethdev_events *events) {
    ETHDEV_CALL_(dev, service, (dev, events));
}

/* Reads the state of the link as of the last ethdev_service(), ethdev_recv() or ethdev_send(). Does
 * not access the chip. */
static inline int32_t ethdev_link(struct ethdev *dev, struct ethdev_link *link) {
    ETHDEV_CALL_(dev, link, (dev, link));
}

/* Reads the counters. Does not access the chip. */
static inline int32_t ethdev_counters(struct ethdev *dev, struct ethdev_counters *counters) {
    ETHDEV_CALL_(dev, counters, (dev, counters));
}

/* Reads what the device is and can do. Does not access the chip. */
static inline int32_t ethdev_info(struct ethdev *dev, struct ethdev_info *info) {
    ETHDEV_CALL_(dev, info, (dev, info));
}

/* Reads the address that the device receives on, in the order of transmission. Does not access the
 * chip. */
static inline int32_t ethdev_mac(struct ethdev *dev, uint8_t mac[6]) {
    ETHDEV_CALL_(dev, mac, (dev, mac));
}

/* Changes the address that the device receives on. On a device that is stopped or asleep,
 * ethdev_start() or ethdev_wake() applies it.
 *
 *   ETHDEV_EINVAL  a group address or all zeros. Nothing was changed
 */
static inline int32_t ethdev_set_mac(struct ethdev *dev, const uint8_t mac[6]) {
    ETHDEV_CALL_(dev, set_mac, (dev, mac));
}

/* Changes which frames the device delivers. It starts with its own address and broadcast. `outcome`
 * may be NULL; it receives ETHDEV_FILTER_*.
 *
 *   ETHDEV_EINVAL  `multicast` has another value, `reserved` is not 0, `groups` is NULL, or there
 *                  are more than ETHDEV_MAX_GROUPS. Nothing was changed
 */
static inline int32_t ethdev_set_rx_filter(struct ethdev *dev,
                                           const struct ethdev_rx_filter *filter,
                                           uint8_t *outcome) {
    ETHDEV_CALL_(dev, set_rx_filter, (dev, filter, outcome));
}

/* Starts reception and transmission. No effect on a device that runs. */
static inline int32_t ethdev_start(struct ethdev *dev) {
    ETHDEV_CALL_(dev, start, (dev));
}

/* Stops reception and transmission. Pending frames are dropped and counted in `rx_reset` and
 * `tx_reset`. The link of a stopped device is down. */
static inline int32_t ethdev_stop(struct ethdev *dev) {
    ETHDEV_CALL_(dev, stop, (dev));
}

/* Enters the lowest-power state that ethdev_wake() can leave. Nothing is received. */
static inline int32_t ethdev_sleep(struct ethdev *dev) {
    ETHDEV_CALL_(dev, sleep, (dev));
}

/* Leaves the state that ethdev_sleep() entered, to the state before it. */
static inline int32_t ethdev_wake(struct ethdev *dev) {
    ETHDEV_CALL_(dev, wake, (dev));
}

/* Resets the hardware and restores address, filter and state. Frames lost by it are counted in
 * `rx_reset` and `tx_reset`. */
static inline int32_t ethdev_recover(struct ethdev *dev) {
    ETHDEV_CALL_(dev, recover, (dev));
}

/* Registers lock functions; NULL removes them. The device copies `*lock`. `lock->context` must stay
 * valid until they are replaced and no call is inside the device.
 *
 *   ETHDEV_EINVAL  one of the functions is NULL
 *   ETHDEV_EBUSY   a call is inside the device
 */
static inline int32_t ethdev_set_lock(struct ethdev *dev, const struct ethdev_lock *lock) {
    ETHDEV_CALL_(dev, set_lock, (dev, lock));
}

/* Registers the function that an interrupt of the device calls; NULL removes it. The device copies
 * `*signal`. `signal->context` must stay valid while the device can interrupt.
 *
 * After each ethdev_rearm(), it is called once, by the next interrupt: when one of the conditions is
 * met. It may also be called without a cause.
 *
 *   ETHDEV_EINVAL   the function is NULL
 *   ETHDEV_ENOTSUP  the device has no interrupt: call ethdev_recv() and ethdev_service()
 *                   periodically
 */
static inline int32_t ethdev_set_signal(struct ethdev *dev, const struct ethdev_signal *signal) {
    ETHDEV_CALL_(dev, set_signal, (dev, signal));
}

/* To be called by an interrupt handler that is written in C, and by nothing else: notes the
 * interrupt and calls the function of ethdev_set_signal(). Does not access the chip. May be called
 * while another call is inside the device; it takes no lock.
 *
 * The interrupt controller's own flag is the handler's. With a level-triggered line the handler
 * masks the line in the interrupt controller, and the thread unmasks it before ethdev_rearm(). */
static inline int32_t ethdev_interrupt(struct ethdev *dev) {
    ETHDEV_CALL_(dev, interrupt, (dev));
}

/* Masks the interrupt at the device. No effect if it is masked. */
static inline int32_t ethdev_disarm(struct ethdev *dev) {
    ETHDEV_CALL_(dev, disarm, (dev));
}

/* Unmasks the interrupt at the device for `conditions` (ETHDEV_WAIT_*), then checks for pending
 * work: no interrupt is lost between the two.
 *
 * `*pending` is 0 if the thread may sleep until its signal, 1 if one of the conditions is met
 * already: the thread receives again and does not sleep.
 *
 *     for (;;) {
 *         ethdev_disarm(nic);
 *         ethdev_service(nic, &events);
 *         while (ethdev_recv(nic, buf, sizeof buf, &rx) == ETHDEV_OK)
 *             handle(buf, rx.len);
 *         err = ethdev_rearm(nic, ETHDEV_WAIT_RX | ETHDEV_WAIT_LINK, &pending);
 *         if (err != ETHDEV_OK || !pending)
 *             semaphore_take(signal, service_interval);
 *     }
 *
 *   ETHDEV_EINVAL  another bit in `conditions`
 */
static inline int32_t ethdev_rearm(struct ethdev *dev, uint32_t conditions, uint8_t *pending) {
    ETHDEV_CALL_(dev, rearm, (dev, conditions, pending));
}

#undef ETHDEV_CALL_

/* Returns a text for an error code, in English and lower case. Never NULL. */
static inline const char *ethdev_strerror(int32_t error) {
    switch (error) {
    case ETHDEV_OK: return "no error";
    case ETHDEV_EINVAL: return "invalid argument";
    case ETHDEV_EABI: return "device has another ABI version";
    case ETHDEV_ENOTSUP: return "not supported by this device";
    case ETHDEV_EBUSY: return "device in use by another call";
    case ETHDEV_EAGAIN: return "transmit queue full";
    case ETHDEV_ENODATA: return "no frame pending";
    case ETHDEV_ENOBUFS: return "buffer too small for the next frame";
    case ETHDEV_EMSGSIZE: return "frame too long";
    case ETHDEV_ERUNT: return "frame shorter than an Ethernet header";
    case ETHDEV_ENETDOWN: return "device is stopped";
    case ETHDEV_ENOLINK: return "link is down";
    case ETHDEV_EIO: return "bus error";
    case ETHDEV_ETIMEDOUT: return "timed out waiting for the device";
    case ETHDEV_EFAULT: return "device fault, ethdev_recover() required";
    case ETHDEV_ENODEV: return "no such device";
    case ETHDEV_EACCES: return "permission denied";
    case ETHDEV_EBADMSG: return "device delivered an invalid frame";
    case ETHDEV_EOTHER: return "other error";
    default: return "unknown error";
    }
}

#ifdef __cplusplus
}
#endif

#endif /* ETHDEV_H */
