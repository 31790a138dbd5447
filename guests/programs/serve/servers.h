/* The servers that every program runs. */
#ifndef PROGRAMS_SERVE_SERVERS_H
#define PROGRAMS_SERVE_SERVERS_H

/* Start all of them; says which could not be started. */
void servers_start(void);

/* Each returns whether it could be started. */
int echo_start(void);    /* TCP and UDP 7 (RFC 862) */
int discard_start(void); /* TCP 9 (RFC 863) */
int http_start(void);    /* TCP 80 */
int sink_start(void);    /* TCP and UDP 5001: counts and reports what `send` sends */

#endif
