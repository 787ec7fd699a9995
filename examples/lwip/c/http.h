/* A small HTTP/1.1 server (RFC 9110, RFC 9112) on lwIP's raw API: one page. */
#ifndef LWIP_NODE_HTTP_H
#define LWIP_NODE_HTTP_H

#include <stddef.h>

#include "lwip/err.h"

#define HTTP_PORT 80

/* Writes the page to `out`, of `size` bytes. Returns its length, at most `size`. */
typedef size_t (*http_page)(char *out, size_t size);

/* Opens the service. On an error, call http_close. */
err_t http_open(http_page page);

/* Closes the service and aborts its connections. */
void http_close(void);

#endif
