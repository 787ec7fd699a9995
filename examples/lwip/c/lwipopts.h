/* The configuration of lwIP: no operating system, the raw API, little memory. */
#ifndef LWIP_NODE_LWIPOPTS_H
#define LWIP_NODE_LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0

/* The build script also compiles the shim without one of them. */
#ifndef LWIP_IPV4
#define LWIP_IPV4 1
#endif
#ifndef LWIP_IPV6
#define LWIP_IPV6 1
#endif
#define LWIP_IGMP LWIP_IPV4
#define LWIP_DHCP LWIP_IPV4
#define LWIP_ICMP 1
#define LWIP_UDP 1
#define LWIP_TCP 1
#define LWIP_TCP_KEEPALIVE 1
#define LWIP_NETIF_LINK_CALLBACK 1

/* Pointers of 64 bits do not fit where lwIP keeps its state of a fragment. */
#define IPV6_FRAG_COPYHEADER 1

#define MEM_ALIGNMENT 8
#define MEM_SIZE (24 * 1024)
/* A received frame of up to 1514 bytes is in one buffer, without a copy. */
#ifndef PBUF_POOL_BUFSIZE
#define PBUF_POOL_BUFSIZE 1536
#define PBUF_POOL_SIZE 16
#endif
#define MEMP_NUM_PBUF 32
#define MEMP_NUM_TCP_PCB 8
#define MEMP_NUM_TCP_PCB_LISTEN 2
#define MEMP_NUM_TCP_SEG 32
#define MEMP_NUM_UDP_PCB 4
#define MEMP_NUM_IGMP_GROUP 16

/* As the node on smoltcp: 16 KiB in each direction. */
#define TCP_MSS 1460
#define TCP_WND (11 * TCP_MSS)
#define TCP_SND_BUF (11 * TCP_MSS)
#define TCP_SND_QUEUELEN 24
#define TCP_LISTEN_BACKLOG 1

#define LWIP_STATS 1
#define LWIP_STATS_LARGE 1
#define MEM_STATS 1
#define MEMP_STATS 1
/* Pools are checked for writes beyond an element. */
#define MEMP_OVERFLOW_CHECK 1
#define MEM_OVERFLOW_CHECK 1

#endif
