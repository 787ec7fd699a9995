#include "echo.h"

#include <string.h>

#include "lwip/pbuf.h"
#include "lwip/tcp.h"
#include "lwip/udp.h"

/* As the node on smoltcp. */
#define CONNECTIONS 2
/* Keep-alive interval of an idle connection, in milliseconds. */
#define KEEP_IDLE 10000
/* A connection whose peer does not respond to this number of keep-alives is aborted. */
#define KEEP_COUNT 3
/* Interval of retries after an error, in units of TCP_SLOW_INTERVAL (500 ms). */
#define RETRY_INTERVAL 1

struct connection {
    struct tcp_pcb *pcb;
    /* Received and not yet echoed. */
    struct pbuf *pending;
    /* The peer has closed its half. */
    int ended;
};

static struct udp_pcb *udp;
static struct tcp_pcb *listener;
static struct connection connections[CONNECTIONS];

static void udp_received(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *address, u16_t port)
{
    (void)arg;
    /* Two echo services would loop indefinitely. */
    if (port != ECHO_PORT) {
        /* The headers of the reply overwrite those of the request. A reply that cannot be sent is
           lost, as any datagram; lwIP or the shim counts it. */
        (void)udp_sendto(pcb, p, address, port);
    }
    pbuf_free(p);
}

/* Frees what waits. */
static void drop_pending(struct connection *connection)
{
    if (connection->pending != NULL) {
        pbuf_free(connection->pending);
        connection->pending = NULL;
    }
}

/* Separates the connection from its PCB, which is returned. */
static struct tcp_pcb *detach(struct connection *connection)
{
    struct tcp_pcb *pcb = connection->pcb;

    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_err(pcb, NULL);
    tcp_poll(pcb, NULL, 0);
    connection->pcb = NULL;
    drop_pending(connection);
    return pcb;
}

/* Writes received bytes while the send buffer has capacity. Others wait here, and the window of the
   peer closes. Closes after the last byte. Returns ERR_ABRT if the PCB was aborted. */
static err_t advance(struct connection *connection)
{
    struct tcp_pcb *pcb = connection->pcb;

    while (connection->pending != NULL) {
        u16_t len = LWIP_MIN(connection->pending->len, tcp_sndbuf(pcb));

        /* Without memory: tried again when the peer acknowledges, or by tcp_poll. */
        if (len == 0 || tcp_write(pcb, connection->pending->payload, len, TCP_WRITE_FLAG_COPY) != ERR_OK) {
            break;
        }
        connection->pending = pbuf_free_header(connection->pending, len);
        tcp_recved(pcb, len);
    }
    if (connection->ended && connection->pending == NULL) {
        /* Detached first: tcp_close may free the PCB. */
        pcb = detach(connection);
        if (tcp_close(pcb) != ERR_OK) {
            tcp_abort(pcb);
            return ERR_ABRT;
        }
        return ERR_OK;
    }
    /* Cannot be sent: tried again by lwIP. */
    (void)tcp_output(pcb);
    return ERR_OK;
}

static err_t received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct connection *connection = arg;

    (void)pcb;
    (void)err;
    if (p == NULL) {
        connection->ended = 1;
    } else if (connection->pending == NULL) {
        connection->pending = p;
    } else {
        pbuf_cat(connection->pending, p);
    }
    return advance(connection);
}

static err_t sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    (void)pcb;
    (void)len;
    return advance(arg);
}

static err_t polled(void *arg, struct tcp_pcb *pcb)
{
    (void)pcb;
    return advance(arg);
}

/* lwIP has freed the PCB. */
static void failed(void *arg, err_t err)
{
    struct connection *connection = arg;

    (void)err;
    connection->pcb = NULL;
    drop_pending(connection);
}

static err_t accepted(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    if (pcb == NULL || err != ERR_OK) {
        return ERR_VAL;
    }
    for (size_t i = 0; i < CONNECTIONS; i++) {
        struct connection *connection = &connections[i];

        if (connection->pcb == NULL) {
            *connection = (struct connection){.pcb = pcb};
            ip_set_option(pcb, SOF_KEEPALIVE);
            pcb->keep_idle = KEEP_IDLE;
            pcb->keep_intvl = KEEP_IDLE;
            pcb->keep_cnt = KEEP_COUNT;
            tcp_nagle_disable(pcb);
            tcp_arg(pcb, connection);
            tcp_recv(pcb, received);
            tcp_sent(pcb, sent);
            tcp_err(pcb, failed);
            tcp_poll(pcb, polled, RETRY_INTERVAL);
            return ERR_OK;
        }
    }
    tcp_abort(pcb);
    return ERR_ABRT;
}

err_t echo_open(void)
{
    struct tcp_pcb *pcb;
    err_t err;

    memset(connections, 0, sizeof connections);
    udp = udp_new_ip_type(IPADDR_TYPE_ANY);
    if (udp == NULL) {
        return ERR_MEM;
    }
    err = udp_bind(udp, IP_ANY_TYPE, ECHO_PORT);
    if (err != ERR_OK) {
        return err;
    }
    udp_recv(udp, udp_received, NULL);
    pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
    if (pcb == NULL) {
        return ERR_MEM;
    }
    err = tcp_bind(pcb, IP_ANY_TYPE, ECHO_PORT);
    if (err == ERR_OK) {
        listener = tcp_listen_with_backlog_and_err(pcb, CONNECTIONS, &err);
    }
    if (err != ERR_OK) {
        tcp_abort(pcb);
        return err;
    }
    tcp_accept(listener, accepted);
    return ERR_OK;
}

void echo_close(void)
{
    if (udp != NULL) {
        udp_remove(udp);
        udp = NULL;
    }
    if (listener != NULL) {
        /* Cannot fail: a listening PCB has nothing to send. */
        (void)tcp_close(listener);
        listener = NULL;
    }
    for (size_t i = 0; i < CONNECTIONS; i++) {
        if (connections[i].pcb != NULL) {
            tcp_abort(detach(&connections[i]));
        }
    }
}
