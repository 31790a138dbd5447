/*
 * TLS 1.3 (RFC 8446) with an external pre-shared key, by GnuTLS: no certificates, nothing but this
 * version, key exchange by (EC)DHE beside the key, so that a secret which leaks later opens no
 * recorded traffic. The key is the secret's bytes; its identity is a constant, since a link has
 * one.
 */
#include "devices/uplinks/stream_tls.h"

#include <gnutls/gnutls.h>

#include "sim/base.h"

#define IDENTITY "lanarium"
#define PRIORITY                                                                                   \
    "NONE:+VERS-TLS1.3:+AES-128-GCM:+CHACHA20-POLY1305:+AEAD:+ECDHE-PSK:+DHE-PSK:"                 \
    "+GROUP-X25519:+GROUP-SECP256R1:+GROUP-FFDHE2048:+SIGN-ALL"

struct stream_secret {
    gnutls_psk_server_credentials_t server;
    gnutls_psk_client_credentials_t client;
    gnutls_priority_t priority;
    gnutls_datum_t key;
};

struct stream_tls {
    gnutls_session_t session;
    bool open;    /* the handshake is done */
    bool sending; /* a record waits inside for the socket to take it */
};

/* --- the secret --- */

/* The key of an identity that a client offers. */
static int find_key(gnutls_session_t session, const char *identity, gnutls_datum_t *key)
{
    const struct stream_secret *s = gnutls_session_get_ptr(session);

    if (strcmp(identity, IDENTITY) != 0)
        return -1;
    key->data = gnutls_malloc(s->key.size);
    if (!key->data)
        return -1;
    memcpy(key->data, s->key.data, s->key.size);
    key->size = s->key.size;
    return 0;
}

static void must(int rc)
{
    if (rc < 0)
        abort(); /* out of memory, or a library that knows no TLS 1.3 */
}

struct stream_secret *stream_secret_create(const void *secret, size_t len)
{
    struct stream_secret *s = xcalloc(1, sizeof(*s));

    s->key = (gnutls_datum_t){xmalloc(len), (unsigned)len};
    memcpy(s->key.data, secret, len);
    must(gnutls_psk_allocate_server_credentials(&s->server));
    gnutls_psk_set_server_credentials_function(s->server, find_key);
    must(gnutls_psk_allocate_client_credentials(&s->client));
    must(gnutls_psk_set_client_credentials(s->client, IDENTITY, &s->key, GNUTLS_PSK_KEY_RAW));
    must(gnutls_priority_init(&s->priority, PRIORITY, NULL));
    return s;
}

void stream_secret_destroy(struct stream_secret *s)
{
    if (!s)
        return;
    gnutls_psk_free_server_credentials(s->server);
    gnutls_psk_free_client_credentials(s->client);
    gnutls_priority_deinit(s->priority);
    gnutls_memset(s->key.data, 0, s->key.size);
    free(s->key.data);
    free(s);
}

/* --- a connection --- */

struct stream_tls *stream_tls_create(const struct stream_secret *s, int fd, bool server)
{
    struct stream_tls *t = xcalloc(1, sizeof(*t));

    must(gnutls_init(&t->session, (server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK |
                                      GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS));
    must(gnutls_priority_set(t->session, s->priority));
    must(gnutls_credentials_set(t->session, GNUTLS_CRD_PSK,
                                server ? (void *)s->server : (void *)s->client));
    gnutls_session_set_ptr(t->session, (void *)s);
    gnutls_handshake_set_timeout(t->session, 0); /* the caller bounds it */
    gnutls_transport_set_int(t->session, fd);
    return t;
}

void stream_tls_destroy(struct stream_tls *t)
{
    if (!t)
        return;
    if (t->open && !t->sending)
        gnutls_bye(t->session, GNUTLS_SHUT_WR);
    gnutls_deinit(t->session);
    free(t);
}

static bool is_passing(int rc)
{
    return rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED || !gnutls_error_is_fatal(rc);
}

/* Why a handshake failed, as far as the other end lets us know. */
static const char *refusal(int rc)
{
    switch (rc) {
    case GNUTLS_E_PREMATURE_TERMINATION:
    case GNUTLS_E_PULL_ERROR:
    case GNUTLS_E_PUSH_ERROR: return "it closed the connection instead of showing the secret";
    case GNUTLS_E_FATAL_ALERT_RECEIVED: return "it does not accept our secret";
    case GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER:
    case GNUTLS_E_DECRYPTION_FAILED:
    case GNUTLS_E_INSUFFICIENT_CREDENTIALS:
    case GNUTLS_E_NO_CIPHER_SUITES: return "it has no secret, or another one";
    default: return "it does not speak TLS 1.3 with a secret";
    }
}

enum stream_tls_step stream_tls_handshake(struct stream_tls *t, const char **why)
{
    int rc = gnutls_handshake(t->session);

    if (rc == GNUTLS_E_SUCCESS) {
        t->open = gnutls_auth_get_type(t->session) == GNUTLS_CRD_PSK;
        *why = "it has no secret, or another one";
        return t->open ? TLS_DONE : TLS_REFUSED;
    }
    if (is_passing(rc))
        return gnutls_record_get_direction(t->session) ? TLS_WANTS_WRITE : TLS_WANTS_READ;
    gnutls_alert_send_appropriate(t->session, rc);
    *why = refusal(rc);
    return TLS_REFUSED;
}

ssize_t stream_tls_read(struct stream_tls *t, void *p, size_t len, const char **why)
{
    ssize_t n = gnutls_record_recv(t->session, p, len);

    if (n > 0)
        return n;
    if (n < 0 && is_passing((int)n))
        return 0;
    *why = n == 0 || n == GNUTLS_E_PREMATURE_TERMINATION ? "it closed the connection"
                                                         : gnutls_strerror((int)n);
    return -1;
}

ssize_t stream_tls_write(struct stream_tls *t, const void *p, size_t len, const char **why)
{
    ssize_t n = t->sending ? gnutls_record_send(t->session, NULL, 0)
                           : gnutls_record_send(t->session, p, len);

    t->sending = n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED;
    if (n >= 0)
        return n;
    if (t->sending)
        return 0;
    *why = gnutls_strerror((int)n);
    return -1;
}
