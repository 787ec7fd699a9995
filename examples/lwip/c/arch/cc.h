/* The compiler and the C library, as lwIP needs to know them. */
#ifndef LWIP_NODE_ARCH_CC_H
#define LWIP_NODE_ARCH_CC_H

#include <stdint.h>

uint32_t lwip_node_random(void);
void lwip_node_assert_failed(const char *message, const char *file, int line);

#define LWIP_RAND() lwip_node_random()
#define LWIP_PLATFORM_ASSERT(message) lwip_node_assert_failed(message, __FILE__, __LINE__)
/* Used by debug output only, which is off. */
#define LWIP_PLATFORM_DIAG(message) do { } while (0)

#endif
