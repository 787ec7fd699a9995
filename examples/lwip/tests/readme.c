#include "ethdev_lwip.h"
#include "lwip/init.h"
#include "lwip/timeouts.h"

/* From the board: the driver, the time in milliseconds, and a wait that an interrupt ends. */
struct ethdev *board_ethernet(void);
uint32_t board_milliseconds(void);
void board_sleep(uint32_t milliseconds);

static struct netif netif;
static struct ethdev_lwip adapter;

u32_t sys_now(void) { return board_milliseconds(); }

int main(void) {
    struct ethdev *nic = board_ethernet();
    ip4_addr_t address, netmask, gateway;
    int32_t result;

    lwip_init();
    IP4_ADDR(&address, 192, 168, 69, 1);
    IP4_ADDR(&netmask, 255, 255, 255, 0);
    IP4_ADDR(&gateway, 192, 168, 69, 254);
    result = ethdev_start(nic);
    /* A device without this function runs from the beginning. */
    if (result == ETHDEV_OK || result == ETHDEV_ENOTSUP)
        result = ethdev_lwip_add(&netif, &adapter, nic, &address, &netmask, &gateway);
    if (result != ETHDEV_OK)
        return 1;
    netif_set_default(&netif);
    netif_set_up(&netif);
    for (;;) {
        uint32_t sleep;

        result = ethdev_lwip_poll(&netif, 8);
        if (result == ETHDEV_EFAULT)
            result = ethdev_recover(nic);
        if (result < 0)
            return 1;
        sys_check_timeouts();
        sleep = sys_timeouts_sleeptime();
        /* Frames may be pending, or wait for the transmit queue. */
        if (result == 0)
            board_sleep(adapter.tx_count > 0 && sleep > 1 ? 1 : sleep);
    }
}
