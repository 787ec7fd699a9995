/* The echo service (RFC 862) over UDP and TCP, on lwIP's raw API. */
#ifndef LWIP_NODE_ECHO_H
#define LWIP_NODE_ECHO_H

#include "lwip/err.h"

#define ECHO_PORT 7

/* Opens both services. On an error, call echo_close. */
err_t echo_open(void);

/* Closes both, and aborts their connections. */
void echo_close(void);

#endif
