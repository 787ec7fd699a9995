/* The functions of ethdev.h on devices in C: what each returns before it calls the device, and that
 * it calls the right member with its arguments. Compiled as C and as C++. */
#include "ethdev.h"

#include <stdio.h>
#include <string.h>

static int failures;

static void expect(const char *what, int32_t result, int32_t expected) {
    if (result != expected) {
        printf("%s: %s, not %s\n", what, ethdev_strerror(result), ethdev_strerror(expected));
        failures++;
    }
}

/* What the members return, and were called with. */
static const char *called;
static const void *arguments[3];
static size_t lengths[2];

static int32_t note(const char *name, const void *a, const void *b, size_t len) {
    called = name;
    arguments[0] = a;
    arguments[1] = b;
    lengths[0] = len;
    return 77;
}

static int32_t on_recv(struct ethdev *d, void *buf, size_t capacity, struct ethdev_rx *rx) {
    (void)d;
    return note("recv", buf, rx, capacity);
}
static int32_t on_discard(struct ethdev *d) { return note("discard", d, NULL, 0); }
static int32_t on_send(struct ethdev *d, const struct ethdev_iovec *parts, size_t count) {
    return note("send", parts, d, count);
}
static int32_t on_tx_ready(struct ethdev *d, uint8_t *ready) { return note("tx_ready", ready, d, 0); }
static int32_t on_service(struct ethdev *d, struct ethdev_events *e) {
    return note("service", e, d, 0);
}
static int32_t on_link(struct ethdev *d, struct ethdev_link *l) { return note("link", l, d, 0); }
static int32_t on_counters(struct ethdev *d, struct ethdev_counters *c) {
    return note("counters", c, d, 0);
}
static int32_t on_info(struct ethdev *d, struct ethdev_info *i) { return note("info", i, d, 0); }
static int32_t on_mac(struct ethdev *d, uint8_t mac[6]) { return note("mac", mac, d, 0); }
static int32_t on_set_mac(struct ethdev *d, const uint8_t mac[6]) {
    return note("set_mac", mac, d, 0);
}
static int32_t on_set_rx_filter(struct ethdev *d, const struct ethdev_rx_filter *filter,
                                uint8_t *outcome) {
    (void)d;
    return note("set_rx_filter", filter, outcome, 0);
}
static int32_t on_start(struct ethdev *d) { return note("start", d, NULL, 0); }
static int32_t on_stop(struct ethdev *d) { return note("stop", d, NULL, 0); }
static int32_t on_sleep(struct ethdev *d) { return note("sleep", d, NULL, 0); }
static int32_t on_wake(struct ethdev *d) { return note("wake", d, NULL, 0); }
static int32_t on_recover(struct ethdev *d) { return note("recover", d, NULL, 0); }
static int32_t on_set_lock(struct ethdev *d, const struct ethdev_lock *l) {
    return note("set_lock", l, d, 0);
}
static int32_t on_set_signal(struct ethdev *d, const struct ethdev_signal *s) {
    return note("set_signal", s, d, 0);
}
static int32_t on_interrupt(struct ethdev *d) { return note("interrupt", d, NULL, 0); }
static int32_t on_disarm(struct ethdev *d) { return note("disarm", d, NULL, 0); }
static int32_t on_rearm(struct ethdev *d, uint32_t conditions, uint8_t *pending) {
    (void)d;
    return note("rearm", pending, NULL, conditions);
}

static const struct ethdev_ops OPS = {
    ETHDEV_ABI,     sizeof(struct ethdev_ops),
    on_recv,        on_discard,       on_send,       on_tx_ready, on_service,   on_link,
    on_counters,    on_info,          on_mac,        on_set_mac,  on_set_rx_filter,
    on_start,       on_stop,          on_sleep,      on_wake,     on_recover,   on_set_lock,
    on_set_signal,  on_interrupt,     on_disarm,     on_rearm,
};

/* Arguments; only their addresses are used. */
static uint8_t buf[60], byte;
static struct ethdev_rx rx;
static struct ethdev_iovec parts[2];
static struct ethdev_events events;
static struct ethdev_link link_state;
static struct ethdev_counters counters;
static struct ethdev_info info;
static struct ethdev_rx_filter filter;
static struct ethdev_lock lock_functions;
static struct ethdev_signal signal_function;

/* Each function: its member, its call, the first and second argument and the number that the member
 * gets. */
#define EACH(X)                                                                                    \
    X(recv, ethdev_recv(d, buf, 60, &rx), buf, &rx, 60)                                            \
    X(discard, ethdev_discard(d), d, NULL, 0)                                                      \
    X(send, ethdev_send(d, parts, 2), parts, d, 2)                                                 \
    X(tx_ready, ethdev_tx_ready(d, &byte), &byte, d, 0)                                            \
    X(service, ethdev_service(d, &events), &events, d, 0)                                          \
    X(link, ethdev_link(d, &link_state), &link_state, d, 0)                                        \
    X(counters, ethdev_counters(d, &counters), &counters, d, 0)                                    \
    X(info, ethdev_info(d, &info), &info, d, 0)                                                    \
    X(mac, ethdev_mac(d, buf), buf, d, 0)                                                          \
    X(set_mac, ethdev_set_mac(d, buf), buf, d, 0)                                                  \
    X(set_rx_filter, ethdev_set_rx_filter(d, &filter, &byte), &filter, &byte, 0)                   \
    X(start, ethdev_start(d), d, NULL, 0)                                                          \
    X(stop, ethdev_stop(d), d, NULL, 0)                                                            \
    X(sleep, ethdev_sleep(d), d, NULL, 0)                                                          \
    X(wake, ethdev_wake(d), d, NULL, 0)                                                            \
    X(recover, ethdev_recover(d), d, NULL, 0)                                                      \
    X(set_lock, ethdev_set_lock(d, &lock_functions), &lock_functions, d, 0)                        \
    X(set_signal, ethdev_set_signal(d, &signal_function), &signal_function, d, 0)                  \
    X(interrupt, ethdev_interrupt(d), d, NULL, 0)                                                  \
    X(disarm, ethdev_disarm(d), d, NULL, 0)                                                        \
    X(rearm, ethdev_rearm(d, ETHDEV_WAIT_TX, &byte), &byte, NULL, ETHDEV_WAIT_TX)

#define EXPECT_ALL(member, call, first, second, number) expect(#member, call, expected);

#define EXPECT_CALL(member, call, first, second, number)                                           \
    called = "nothing";                                                                            \
    expect(#member, call, 77);                                                                     \
    if (strcmp(called, #member) != 0 || arguments[0] != (first) || arguments[1] != (second) ||     \
        lengths[0] != (number)) {                                                                  \
        printf("%s: calls %s or with other arguments\n", #member, called);                         \
        failures++;                                                                                \
    }

/* The table ends before the member, or its member is NULL. */
#define EXPECT_NOTSUP(member, call, first, second, number)                                         \
    ops = OPS;                                                                                     \
    ops.size = (uint32_t)offsetof(struct ethdev_ops, member);                                      \
    expect(#member " beyond the size", call, ETHDEV_ENOTSUP);                                      \
    ops.size += (uint32_t)sizeof ops.member - 1;                                                   \
    expect(#member " half in the size", call, ETHDEV_ENOTSUP);                                     \
    ops.size += 1;                                                                                 \
    expect(#member " last in the size", call, 77);                                                 \
    ops.member = NULL;                                                                             \
    expect(#member " NULL", call, ETHDEV_ENOTSUP);

int main(void) {
    struct ethdev_ops ops = OPS;
    struct ethdev device;
    struct ethdev *d = NULL;
    int32_t expected = ETHDEV_EINVAL;
    int32_t code;
    uint32_t abi;

    EACH(EXPECT_ALL)
    device.ops = NULL;
    d = &device;
    EACH(EXPECT_ALL)

    device.ops = &ops;
    EACH(EXPECT_CALL)
    ops.size = UINT32_MAX; /* of a later version with more members */
    EACH(EXPECT_CALL)
    EACH(EXPECT_NOTSUP)

    ops = OPS;
    expected = ETHDEV_EABI;
    for (abi = 0; abi < 4; abi++) {
        if (abi == ETHDEV_ABI)
            continue;
        ops.abi = abi;
        EACH(EXPECT_ALL)
    }

    /* Each code has a text of its own. */
    for (code = 0; code >= ETHDEV_EOTHER; code--) {
        int32_t other;
        for (other = 1; other > code; other--) {
            if (strcmp(ethdev_strerror(code), ethdev_strerror(other)) == 0) {
                printf("the codes %d and %d have one text\n", (int)code, (int)other);
                failures++;
            }
        }
    }
    if (ethdev_strerror(INT32_MIN) == NULL || ethdev_strerror(INT32_MAX) == NULL)
        failures++;
    printf("%d failures\n", failures);
    return failures != 0;
}
