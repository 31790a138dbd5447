/* A libpcap handle on a live interface, set as an uplink needs it. */
#ifndef UPLINKS_PCAP_HANDLE_H
#define UPLINKS_PCAP_HANDLE_H

#include <pcap/pcap.h>

#include "devices/uplinks/pcap_live.h"

/**
 * Open one: what comes in only, at once, without waiting. 0; or libpcap's error, and in `why` a
 * sentence's end. PCAP_ERROR_IFACE_NOT_UP: the interface is there, and down.
 */
int pcap_handle_open(const struct pcap_live_options *o, pcap_t **to, char why[PCAP_ERRBUF_SIZE]);

#endif
