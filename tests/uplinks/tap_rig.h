/* What tests of TAP interfaces share: a network namespace of their own, and its side of an
 * interface. */
#ifndef TESTS_TAP_RIG_H
#define TESTS_TAP_RIG_H

#include "tests/sim/rig.h"

#include "devices/uplinks/tap.h"
#include "devices/uplinks/uplink.h"

#define TAP_RIG_NAME "lantest0" /* the interface, unless a test says another */

extern struct rig tap_rig;
extern struct talker *tap_talker;
extern struct uplink *tap_uplink;

/**
 * Go into a network namespace of our own, in which nothing speaks by itself. Exits, with the
 * reason, as a program that is skipped if there is no privilege or no /dev/net/tun.
 */
void tap_rig_enter(void);

/** Options with which an interface is made, with no script. */
struct tap_options tap_rig_options(void);

/** A VLAN with a talker, and the interface. NULL for the last if it cannot be; what was said is
 * in tap_rig_said. */
struct uplink *tap_rig_start(const struct tap_options *o);
void tap_rig_finish(void);

/** Standard error goes into a buffer, until tap_rig_said gives it back, with what is in `err`. */
void tap_rig_listen(void);
const char *tap_rig_said(void);

/** It cannot be made, and this is the one sentence, without its place. */
void tap_rig_refused(const struct tap_options *o, const char *sentence);

bool tap_rig_has_carrier(void);

/** Run until the condition holds; fails if it does not in five seconds of the host's. */
void tap_rig_until(bool (*holds)(void));

/** The host's side: a packet socket, with virtio-net headers if asked. */
int tap_rig_host(bool header);

/** Set the interface up, as a script does. */
void tap_rig_up(void);

/** Run a command of the host's; it must succeed. */
void tap_rig_host_do(const char *command);

#endif
