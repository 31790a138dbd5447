/* Checking the user-mode stack's options, each and together. */
#include "devices/uplinks/user_options.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <sys/stat.h>

#include "devices/uplinks/user_checking.h"
#include "devices/uplinks/user_smb.h"

#define DHCP_ROOM 312 /* its DHCP_OPT_LEN; what does not fit it would leave out */
#define MAX_HOSTNAME 32
#define MAX_BOOTFILE 127 /* RFC 951: 128 bytes with the zero */

static const char *text(struct in_addr a, char buf[INET_ADDRSTRLEN])
{
    return inet_ntop(AF_INET, &a, buf, INET_ADDRSTRLEN);
}

/* --- which of both there are --- */

struct named {
    const char *name;
    bool said;
};

static void check_families(struct user_checking *c)
{
    const struct user_options *o = c->o;
    const struct named of4[] = {
        {"net", o->net},
        {"host", o->host},
        {"dns", o->dns},
        {"dhcpstart", o->dhcpstart},
        {"smb", o->smb},
        {"smbserver", o->smbserver},
        {"guestfwd", o->n_guestfwd},
        {"hostname", o->hostname},
        {"domainname", o->domainname},
        {"dnssearch", o->n_dnssearch},
        {"tftp_server_name", o->tftp_server_name},
    };
    const struct named of6[] = {
        {"ipv6_net", o->ipv6_net},
        {"ipv6_prefixlen", o->ipv6_prefixlen},
        {"ipv6_host", o->ipv6_host},
        {"ipv6_dns", o->ipv6_dns},
    };

    if (o->ipv4_off && !o->ipv6)
        COMPLAIN(c, "ipv4 and ipv6 are both off: a stack needs one");
    for (size_t i = 0; i < ARRAY_LEN(of4) && o->ipv4_off; i++)
        if (of4[i].said)
            COMPLAIN(c, "%s needs IPv4, which is off", of4[i].name);
    for (size_t i = 0; i < ARRAY_LEN(of6) && !o->ipv6; i++)
        if (of6[i].said)
            COMPLAIN(c, "%s needs IPv6, which is off", of6[i].name);
}

/* --- what DHCP tells --- */

/* Letters, digits, "-", "_" and dots between labels of 1 to 63 (RFC 1035, 2.3.4; RFC 2181, 11). */
static bool is_domain(const char *s)
{
    size_t label = 0, len = strlen(s);

    for (const char *p = s; *p; p++) {
        if (*p == '.' && (label == 0 || label > 63))
            return false;
        if (*p != '.' && !isalnum((unsigned char)*p) && *p != '-' && *p != '_')
            return false;
        label = *p == '.' ? 0 : label + 1;
    }
    return len && len <= 253 && label > 0 && label <= 63;
}

static void check_domain(struct user_checking *c, const char *what, const char *name)
{
    if (name && !is_domain(name))
        COMPLAIN(c, "%s \"%s\" is not a domain's name", what, name);
}

static size_t option_size(const char *s)
{
    return s ? 2 + strlen(s) : 0;
}

static void check_dhcp(struct user_checking *c)
{
    const struct user_options *o = c->o;
    size_t search = 0, fixed = 4 + 3 + 5 * 6 + 1;

    check_domain(c, "domainname", o->domainname);
    for (size_t i = 0; i < o->n_dnssearch; i++) {
        check_domain(c, "dnssearch", o->dnssearch[i]);
        search += option_size(o->dnssearch[i]);
    }
    search += (search + 254) / 255 * 2;
    if (o->hostname && (!o->hostname[0] || strlen(o->hostname) > MAX_HOSTNAME))
        COMPLAIN(c, "hostname \"%s\" is not 1 to %d characters long", o->hostname, MAX_HOSTNAME);
    if (o->bootfile && strlen(o->bootfile) > MAX_BOOTFILE)
        COMPLAIN(c, "bootfile \"%s\" is longer than %d characters", o->bootfile, MAX_BOOTFILE);
    if (o->tftp_server_name && (!o->tftp_server_name[0] || strlen(o->tftp_server_name) > 255))
        COMPLAIN(c, "tftp_server_name is not 1 to 255 characters long");
    size_t all = fixed + search + option_size(o->hostname) + option_size(o->domainname) +
                 option_size(o->tftp_server_name);
    if (o->bootfile && strncmp(o->bootfile, "http://", 7) == 0)
        all += 12; /* then it says that it is one for HTTP */
    if (all >= DHCP_ROOM)
        COMPLAIN(c,
                 "hostname, domainname, dnssearch and tftp_server_name need %zu bytes of a DHCP "
                 "answer, which has %d",
                 all, DHCP_ROOM);
}

static void check_tftp(struct user_checking *c)
{
    struct stat st;

    if (!c->o->tftp)
        return;
    if (stat(c->o->tftp, &st) != 0)
        COMPLAIN(c, "tftp folder %s: %s", c->o->tftp, strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        COMPLAIN(c, "tftp \"%s\" is not a folder", c->o->tftp);
}

static void check_smb(struct user_checking *c)
{
    if (c->o->smbserver && !c->o->smb)
        COMPLAIN(c, "smbserver says where, but smb does not say which folder");
    if (c->o->smb)
        user_smb_check(c->o->smb, c->o->file, c->o->line, c->err);
}

/* --- redirections --- */

static void check_hostfwd(struct user_checking *c)
{
    const struct user_options *o = c->o;
    struct user_plan *p = c->p;

    p->hostfwd = xcalloc(o->n_hostfwd, sizeof(*p->hostfwd));
    for (size_t i = 0; i < o->n_hostfwd; i++)
        if (user_hostfwd_parse(o->hostfwd[i], !o->ipv4_off, o->ipv6, &p->hostfwd[p->n_hostfwd],
                               o->file, o->line, c->err))
            p->n_hostfwd++;
}

/* An address that is the stack's already, or taken by another. */
static void check_server(struct user_checking *c, const char *rule, struct user_guestfwd *f)
{
    struct user_plan *p = c->p;
    char a[INET_ADDRSTRLEN];

    if (!f->server.s_addr)
        f->server.s_addr = htonl(ntohl(p->net.s_addr) + 4);
    text(f->server, a);
    if ((f->server.s_addr & p->mask.s_addr) != p->net.s_addr)
        COMPLAIN(c, "guestfwd \"%s\": %s is outside the stack's network", rule, a);
    else if (f->server.s_addr == p->host.s_addr || f->server.s_addr == p->dns.s_addr)
        COMPLAIN(c, "guestfwd \"%s\": %s is the address of %s", rule, a,
                 f->server.s_addr == p->host.s_addr ? "host" : "dns");
    else if (c->o->smb && f->server.s_addr == p->smbserver.s_addr &&
             (f->port == 139 || f->port == 445))
        COMPLAIN(c, "guestfwd \"%s\": that is the SMB server's port", rule);
    for (size_t i = 0; i < p->n_guestfwd; i++)
        if (p->guestfwd[i].server.s_addr == f->server.s_addr && p->guestfwd[i].port == f->port)
            COMPLAIN(c, "guestfwd \"%s\": another one has %s port %u", rule, a, f->port);
}

static void check_guestfwd(struct user_checking *c)
{
    const struct user_options *o = c->o;
    struct user_plan *p = c->p;

    p->guestfwd = xcalloc(o->n_guestfwd, sizeof(*p->guestfwd));
    for (size_t i = 0; i < o->n_guestfwd; i++) {
        struct user_guestfwd *f = &p->guestfwd[p->n_guestfwd];
        if (!user_guestfwd_parse(o->guestfwd[i], f, o->file, o->line, c->err))
            continue;
        check_server(c, o->guestfwd[i], f);
        p->n_guestfwd++;
    }
}

/* --- all of it --- */

bool user_plan_make(struct user_plan *p, const struct user_options *o, struct err *err)
{
    struct user_checking c = {p, o, err};
    size_t before = err->n;

    *p = (struct user_plan){.n_hostfwd = 0};
    check_families(&c);
    if (!o->ipv4_off)
        user_check_ipv4(&c);
    if (o->ipv6)
        user_check_ipv6(&c);
    check_dhcp(&c);
    check_tftp(&c);
    check_smb(&c);
    check_hostfwd(&c);
    if (err->n == before) /* addresses are known */
        check_guestfwd(&c);
    return err->n == before;
}

void user_plan_finish(struct user_plan *p)
{
    free(p->hostfwd);
    free(p->guestfwd);
    *p = (struct user_plan){.n_hostfwd = 0};
}

bool user_options_check(const struct user_options *o, struct err *err)
{
    struct user_plan p;
    bool ok = user_plan_make(&p, o, err);

    user_plan_finish(&p);
    return ok;
}
