#include "node.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echo.h"
#include "http.h"
#include "lwip/init.h"
#include "lwip/priv/memp_priv.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/stats.h"
#include "lwip/timeouts.h"

/* Received frames per poll, as the node on smoltcp. */
#define RX_BUDGET 16
/* In milliseconds; longer than the interval of every cyclic timer of lwIP. */
#define PAUSE 600000

static struct netif netif;
static struct ethdev_lwip adapter;
static const char *name;
/* lwIP's clock continues from one node to the next: it has timers that never end. */
static uint32_t epoch;
static uint32_t clock_ms;
static uint32_t random_state;
static struct pbuf *held;

u32_t sys_now(void)
{
    return clock_ms;
}

/* xorshift32 (Marsaglia, 2003): every run has the same packets. */
uint32_t lwip_node_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

void lwip_node_assert_failed(const char *message, const char *file, int line)
{
    fprintf(stderr, "lwIP assertion failed: %s, %s:%d\n", message, file, line);
    abort();
}

struct text {
    char *out;
    size_t size;
    size_t len;
};

/* Appends to the text, as far as there is space. */
static void append(struct text *text, const char *format, ...)
{
    va_list arguments;
    int len;

    va_start(arguments, format);
    len = vsnprintf(text->out + text->len, text->size - text->len, format, arguments);
    va_end(arguments);
    if (len > 0) {
        text->len = LWIP_MIN(text->len + (size_t)len, text->size - 1);
    }
}

static void append_link(struct text *text)
{
    static const char *const duplex[] = {"", " half duplex", " full duplex"};
    struct ethdev_link link;

    if (ethdev_link(adapter.device, &link) != ETHDEV_OK || !link.up) {
        append(text, "down");
        return;
    }
    append(text, "up");
    if (link.speed_kbps > 0) {
        append(text, " %" PRIu32 " Mbit/s", link.speed_kbps / 1000);
    }
    append(text, "%s", duplex[link.duplex]);
}

/* Writes the page. */
static size_t write_page(char *out, size_t size)
{
    struct text text = {out, size, 0};
    struct ethdev_counters counters;
    const uint8_t *mac = netif.hwaddr;

    memset(&counters, 0, sizeof counters);
    /* Fails only for a device of another version. */
    (void)ethdev_counters(adapter.device, &counters);
    append(&text, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n");
    append(&text, "<title>%s</title>\n<h1>%s</h1>\n", name, name);
    append(&text, "<table>\n<tr><th>Link</th><td>");
    append_link(&text);
    append(&text, "</td></tr>\n<tr><th>Address</th><td>%02x:%02x:%02x:%02x:%02x:%02x</td></tr>\n", mac[0], mac[1],
           mac[2], mac[3], mac[4], mac[5]);
    append(&text, "<tr><th>Uptime</th><td>%" PRIu32 " s</td></tr>\n", (clock_ms - epoch) / 1000);
#define COUNTER(member) append(&text, "<tr><th>" #member "</th><td>%" PRIu32 "</td></tr>\n", counters.member)
    COUNTER(rx_frames);
    COUNTER(rx_bytes);
    COUNTER(rx_overrun);
    COUNTER(rx_bad_fcs);
    COUNTER(rx_bad_length);
    COUNTER(rx_error);
    COUNTER(rx_filtered);
    COUNTER(rx_discarded);
    COUNTER(rx_reset);
    COUNTER(tx_frames);
    COUNTER(tx_bytes);
    COUNTER(tx_aborted);
    COUNTER(tx_reset);
    COUNTER(faults);
    COUNTER(recoveries);
    COUNTER(link_changes);
#undef COUNTER
    append(&text, "</table>\n</html>\n");
    return text.len;
}

static ip4_addr_t ipv4(const uint8_t octets[4])
{
    ip4_addr_t address;

    IP4_ADDR(&address, octets[0], octets[1], octets[2], octets[3]);
    return address;
}

int32_t node_open(const struct node_config *config)
{
    static int initialized;
    ip4_addr_t address = ipv4(config->address);
    ip4_addr_t netmask = ipv4(config->netmask);
    ip4_addr_t gateway = ipv4(config->gateway);
    int32_t result;

    if (!initialized) {
        initialized = 1;
        lwip_init();
    }
    /* Zero is the only state that the generator does not leave. */
    random_state = config->seed | 1;
    name = config->name;
    /* Every cyclic timer expires, and restarts: all nodes have the same times. */
    clock_ms += PAUSE;
    epoch = clock_ms;
    sys_check_timeouts();
    result = ethdev_lwip_add(&netif, &adapter, config->device, &address, &netmask, &gateway);
    if (result != ETHDEV_OK) {
        return result;
    }
    netif_set_default(&netif);
    netif_create_ip6_linklocal_address(&netif, 1);
    netif_set_up(&netif);
    if (echo_open() != ERR_OK || http_open(write_page) != ERR_OK) {
        node_close();
        return ETHDEV_EOTHER;
    }
    return ETHDEV_OK;
}

void node_close(void)
{
    http_close();
    echo_close();
    /* Closed by the services, and not yet by TCP. */
    while (tcp_active_pcbs != NULL) {
        tcp_abort(tcp_active_pcbs);
    }
    while (tcp_tw_pcbs != NULL) {
        tcp_abort(tcp_tw_pcbs);
    }
    node_release();
    ethdev_lwip_remove(&netif);
}

int32_t node_poll(uint32_t now)
{
    int32_t result;

    clock_ms = epoch + now;
    result = ethdev_lwip_poll(&netif, RX_BUDGET);
    sys_check_timeouts();
    return result;
}

uint32_t node_sleep_time(void)
{
    return sys_timeouts_sleeptime();
}

uint32_t node_waiting(void)
{
    return adapter.tx_count;
}

void node_stats(struct ethdev_lwip_stats *stats)
{
    *stats = adapter.stats;
}

void node_memory(struct node_memory *memory)
{
    memory->heap = (uint32_t)lwip_stats.mem.used;
    memory->pool_pbufs = (uint32_t)memp_pools[MEMP_PBUF_POOL]->stats->used;
    memory->reference_pbufs = (uint32_t)memp_pools[MEMP_PBUF]->stats->used;
    memory->tcp_segments = (uint32_t)memp_pools[MEMP_TCP_SEG]->stats->used;
    memory->tcp_pcbs = (uint32_t)memp_pools[MEMP_TCP_PCB]->stats->used;
}

uint32_t node_hold(uint32_t count)
{
    uint32_t taken = 0;

    for (; taken < count; taken++) {
        struct pbuf *p = pbuf_alloc(PBUF_RAW, 1, PBUF_POOL);

        if (p == NULL) {
            break;
        }
        p->next = held;
        held = p;
    }
    return taken;
}

void node_release(void)
{
    while (held != NULL) {
        struct pbuf *p = held;

        held = p->next;
        p->next = NULL;
        pbuf_free(p);
    }
}

const char *node_strerror(int32_t error)
{
    return ethdev_strerror(error);
}
