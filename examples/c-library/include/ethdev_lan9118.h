/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A LAN9118 with its PHY, as a device of ethdev.h. Library: libethdev_lan9118_c.a. */
#ifndef ETHDEV_LAN9118_H
#define ETHDEV_LAN9118_H

#include "ethdev.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Detects the chip and its PHY. The device is `eth0`, index 1. Its interrupt output is active high;
 * the interrupt handler calls ethdev_interrupt().
 *
 * `registers` is the address of the chip, 256 bytes, aligned to 4. Nothing else may access them.
 *
 *   ETHDEV_EINVAL  a pointer is NULL
 *   ETHDEV_EBUSY   the device exists already: there is one
 *   ETHDEV_ENODEV, ETHDEV_ETIMEDOUT, ETHDEV_EIO
 *                  no chip or no PHY answers. The call may be repeated
 */
int32_t ethdev_lan9118(void *registers, struct ethdev **dev);

/* To be defined by the firmware: the time in microseconds since an epoch of its own, without a wrap
 * of the 64 bits. */
uint64_t board_now_us(void);

/* To be defined by the firmware: waits for at least `us` microseconds. */
void board_delay_us(uint32_t us);

#ifdef __cplusplus
}
#endif

#endif
