#include "http.h"

#include <stdio.h>
#include <string.h>

#include "lwip/pbuf.h"
#include "lwip/tcp.h"

/* As the node on smoltcp. */
#define CONNECTIONS 3
/* Longest request head. */
#define HEAD_SIZE 2048
/* Longest head of a response. */
#define RESPONSE_HEAD_SIZE 192
/* Longest page. */
#define PAGE_SIZE 2048
/* Interval of polls, in units of TCP_SLOW_INTERVAL (500 ms). */
#define POLL_INTERVAL 2
/* A connection without progress for this number of polls (15 s) is aborted. */
#define IDLE_POLLS 15

/* A request is read, answered, and the answer acknowledged before the next request is read. */
struct connection {
    struct tcp_pcb *pcb;
    /* Received and not yet in `head`. */
    struct pbuf *pending;
    /* The peer has closed its half. */
    int ended;
    /* The connection ends after the response. */
    int last;
    int idle_polls;
    char head[HEAD_SIZE];
    size_t filled;
    /* The response: `unwritten` bytes from `next` are not passed to lwIP, `unacknowledged` are. lwIP
       does not copy them: they stay until the peer has acknowledged all. */
    char response[RESPONSE_HEAD_SIZE + PAGE_SIZE];
    const char *next;
    u16_t unwritten;
    u16_t unacknowledged;
};

static struct tcp_pcb *listener;
static http_page write_page;
static struct connection connections[CONNECTIONS];

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

static err_t close_connection(struct connection *connection)
{
    /* Detached first: tcp_close may free the PCB. */
    struct tcp_pcb *pcb = detach(connection);

    if (tcp_close(pcb) != ERR_OK) {
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    return ERR_OK;
}

/* Moves received bytes to the head, as far as they fit. */
static void fill_head(struct connection *connection)
{
    while (connection->pending != NULL && connection->filled < HEAD_SIZE) {
        size_t space = HEAD_SIZE - connection->filled;
        u16_t len = (u16_t)LWIP_MIN(space, connection->pending->len);

        memcpy(connection->head + connection->filled, connection->pending->payload, len);
        connection->filled += len;
        connection->pending = pbuf_free_header(connection->pending, len);
        tcp_recved(connection->pcb, len);
        connection->idle_polls = 0;
    }
}

/* Returns the length of the request head with the empty line that ends it; 0: incomplete. */
static size_t head_len(const struct connection *connection)
{
    for (size_t len = 4; len <= connection->filled; len++) {
        if (memcmp(connection->head + len - 4, "\r\n\r\n", 4) == 0) {
            return len;
        }
    }
    return 0;
}

/* Whether the head contains `text`, upper or lower case. */
static int head_contains(const struct connection *connection, size_t len, const char *text)
{
    size_t text_len = strlen(text);

    for (size_t at = 0; at + text_len <= len; at++) {
        size_t same = 0;

        while (same < text_len && (connection->head[at + same] | 0x20) == (text[same] | 0x20)) {
            same++;
        }
        if (same == text_len) {
            return 1;
        }
    }
    return 0;
}

/* Writes the response with this status; the page is the body of a success. */
static void respond(struct connection *connection, const char *status, int with_page)
{
    char head[RESPONSE_HEAD_SIZE];
    char *body = connection->response + RESPONSE_HEAD_SIZE;
    size_t body_len;
    size_t len;

    if (with_page) {
        body_len = write_page(body, PAGE_SIZE);
    } else {
        body_len = (size_t)snprintf(body, PAGE_SIZE, "%s\n", status);
    }
    len = (size_t)snprintf(head, sizeof head,
                           "HTTP/1.1 %s\r\nContent-Type: text/%s; charset=utf-8\r\nContent-Length: %u\r\n"
                           "Cache-Control: no-store\r\nConnection: %s\r\n\r\n",
                           status, with_page ? "html" : "plain", (unsigned)body_len,
                           connection->last ? "close" : "keep-alive");
    LWIP_ASSERT("response head fits", len < sizeof head);
    memcpy(body - len, head, len);
    connection->next = body - len;
    connection->unwritten = (u16_t)(len + body_len);
}

/* Answers the request whose head has this length. */
static void answer(struct connection *connection, size_t len)
{
    connection->last = head_contains(connection, len, "\r\nconnection: close");
    if (memcmp(connection->head, "GET / HTTP/1.1\r\n", 16) == 0) {
        respond(connection, "200 OK", 1);
    } else if (memcmp(connection->head, "GET ", 4) == 0) {
        respond(connection, "404 Not Found", 0);
    } else {
        /* A body may follow, which is not parsed: the start of the next request is unknown. */
        connection->last = 1;
        respond(connection, "501 Not Implemented", 0);
    }
    connection->filled -= len;
    memmove(connection->head, connection->head + len, connection->filled);
}

/* Does the next steps of the connection. Returns ERR_ABRT if the PCB was aborted. */
static err_t advance(struct connection *connection)
{
    while (connection->unacknowledged == 0) {
        size_t len;

        if (connection->unwritten > 0) {
            if (tcp_write(connection->pcb, connection->next, connection->unwritten, 0) != ERR_OK) {
                /* Without memory: tried again by tcp_poll. */
                return ERR_OK;
            }
            connection->unacknowledged = connection->unwritten;
            connection->unwritten = 0;
            /* Cannot be sent: tried again by lwIP. */
            (void)tcp_output(connection->pcb);
            return ERR_OK;
        }
        if (connection->last) {
            return close_connection(connection);
        }
        fill_head(connection);
        len = head_len(connection);
        if (len > 0) {
            answer(connection, len);
        } else if (connection->filled == HEAD_SIZE) {
            connection->last = 1;
            respond(connection, "431 Request Header Fields Too Large", 0);
        } else if (connection->ended) {
            return close_connection(connection);
        } else {
            return ERR_OK;
        }
    }
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
    struct connection *connection = arg;

    (void)pcb;
    connection->unacknowledged = (u16_t)(connection->unacknowledged - len);
    connection->idle_polls = 0;
    return advance(connection);
}

static err_t polled(void *arg, struct tcp_pcb *pcb)
{
    struct connection *connection = arg;

    (void)pcb;
    connection->idle_polls++;
    if (connection->idle_polls >= IDLE_POLLS) {
        tcp_abort(detach(connection));
        return ERR_ABRT;
    }
    return advance(connection);
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
            memset(connection, 0, sizeof *connection);
            connection->pcb = pcb;
            tcp_nagle_disable(pcb);
            tcp_arg(pcb, connection);
            tcp_recv(pcb, received);
            tcp_sent(pcb, sent);
            tcp_err(pcb, failed);
            tcp_poll(pcb, polled, POLL_INTERVAL);
            return ERR_OK;
        }
    }
    tcp_abort(pcb);
    return ERR_ABRT;
}

err_t http_open(http_page page)
{
    struct tcp_pcb *pcb;
    err_t err;

    memset(connections, 0, sizeof connections);
    write_page = page;
    pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
    if (pcb == NULL) {
        return ERR_MEM;
    }
    err = tcp_bind(pcb, IP_ANY_TYPE, HTTP_PORT);
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

void http_close(void)
{
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
