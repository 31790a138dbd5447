/*
 * lwIP's settings for both programs. PROGRAM_ROUTER is 0 or 1, by the build.
 * Pools are taken from one heap, which is filled from its start: so memory is touched
 * only when it is used, and an idle host has written a few pages.
 */
#ifndef PROGRAMS_NET_LWIPOPTS_H
#define PROGRAMS_NET_LWIPOPTS_H

/* No operating system: one loop calls everything. */
#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
/* timers.c runs the timers, so that an idle host can sleep. */
#define LWIP_TIMERS 0

/* Memory. */
#define MEM_ALIGNMENT 8
#define MEMP_MEM_MALLOC 1
#define MEM_SIZE (PROGRAM_ROUTER ? 128 * 1024 : 56 * 1024)
#define MEMP_NUM_REASSDATA 4
#define IP_REASS_MAX_PBUFS 16
#define PBUF_POOL_SIZE 16
#define LWIP_STATS 1
#define MEMP_STATS 0
#define SYS_STATS 0
#define LWIP_STATS_LARGE 1
#define IGMP_STATS 0

/* Ethernet and IPv4. Two bytes of padding put the IP header on a multiple of four. */
#define ETH_PAD_SIZE 2
#define LWIP_IPV4 1
#define LWIP_IPV6 0
#define LWIP_ARP 1
#define ARP_QUEUEING 1
#define ARP_QUEUE_LEN 4
/* The router's clients; lwIP looks through the table from its start each time. */
#define ARP_TABLE_SIZE (PROGRAM_ROUTER ? 2048 : 64)
#define ETHARP_SUPPORT_STATIC_ENTRIES 0
#define IP_FORWARD PROGRAM_ROUTER
#define IP_FORWARD_ALLOW_TX_ON_RX_NETIF 1
#define IP_REASSEMBLY 1
#define IP_FRAG 1
#define LWIP_ICMP 1
#define LWIP_RAW 1
#define LWIP_IGMP 1
#define LWIP_MULTICAST_PING 1
#define LWIP_AUTOIP 0
#define LWIP_NETIF_LOOPBACK 1
#define LWIP_HAVE_LOOPIF 1
#define LWIP_NETIF_HOSTNAME 1
#define LWIP_NETIF_STATUS_CALLBACK 1
#define LWIP_NETIF_LINK_CALLBACK 1
#define LWIP_HOOK_FILENAME "net/hooks.h"
#define LWIP_HOOK_IP4_ROUTE(dest) route_find(dest)
#define LWIP_HOOK_ETHARP_GET_GW(netif, dest) route_gateway(netif, dest)

/* DHCP. An address is used at once: probing it first would delay every start. */
#define LWIP_DHCP 1
#define LWIP_DHCP_DOES_ACD_CHECK 0
#define DHCP_DOES_ARP_CHECK 0
#define LWIP_ACD 0
#define LWIP_DHCP_MAX_DNS_SERVERS 2

/* DNS. Entries are aged in one go after a sleep, so a bound keeps that short. */
#define LWIP_DNS 1
#define DNS_TABLE_SIZE 4
#define DNS_MAX_NAME_LENGTH 128
#define DNS_MAX_TTL 7200
#define LWIP_DNS_SECURE 7

/* TCP. */
#define LWIP_TCP 1
#define TCP_MSS 1460
#define TCP_WND (8 * TCP_MSS)
#define TCP_SND_BUF (8 * TCP_MSS)
#define TCP_SND_QUEUELEN 32
#define MEMP_NUM_TCP_SEG 64
#define TCP_LISTEN_BACKLOG 1
#define TCP_DEFAULT_LISTEN_BACKLOG 8
#define TCP_MSL 15000
#define TCP_OOSEQ_MAX_PBUFS 8
#define LWIP_HOOK_TCP_ISN(local, local_port, remote, remote_port)                                  \
    random_isn(local, local_port, remote, remote_port)

/* UDP. */
#define LWIP_UDP 1

#endif
