#include "ethdev.h"

/* The constructor of the driver's library. */
struct ethdev *board_ethernet(void);

/* Returns each frame to its sender. */
int main(void) {
    static uint8_t frame[1514];
    struct ethdev *nic = board_ethernet();
    struct ethdev_rx rx;
    uint8_t mac[6];
    int32_t err = ethdev_start(nic);

    while (err == ETHDEV_OK && (err = ethdev_service(nic, NULL)) == ETHDEV_OK) {
        while ((err = ethdev_recv(nic, frame, sizeof frame, &rx)) == ETHDEV_OK) {
            struct ethdev_iovec reply[3];
            if (rx.len < 14)
                continue; /* no header */
            ethdev_mac(nic, mac);
            reply[0].base = &frame[6]; /* to the sender */
            reply[0].len = 6;
            reply[1].base = mac;
            reply[1].len = 6;
            reply[2].base = &frame[12];
            reply[2].len = rx.len - 12;
            while ((err = ethdev_send(nic, reply, 3)) == ETHDEV_EAGAIN)
                ethdev_service(nic, NULL); /* the queue is full */
        }
        if (err == ETHDEV_ENODATA || err == ETHDEV_ENOLINK)
            err = ETHDEV_OK; /* nothing pending, or the reply was dropped */
    }
    return (int)-err; /* ethdev_strerror(err) says why */
}
