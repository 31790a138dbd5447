/*
 * One guest by QEMU's classic options: they become the same description that a script makes,
 * and run the same way. Options that only a PC has, or that say what is so anyway, are accepted.
 */
#include "topo/classic.h"

#include <ctype.h>
#include <stdarg.h>
#include <time.h>

#include "topo/made_from.h"
#include "topo/schema.h"

void classic_error(struct classic *c, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    err_add(&c->t->err, "%s: %s", c->place.file, text);
}

bool classic_split(struct classic *c, struct classic_list *l, const char *text)
{
    *l = (struct classic_list){.text = xstrdup(text)};
    char *from = l->text, *to = l->text;
    bool first = true, more = true;
    l->word = l->text;
    while (more) {
        char *start = to, *equals = NULL;
        for (; *from && (*from != ',' || from[1] == ','); from++) {
            from += *from == ',';
            equals = *from == '=' && !equals ? to : equals;
            *to++ = *from;
        }
        more = *from == ',';
        from += more;
        *to++ = '\0';
        if (first && !equals) {
            l->word = start;
        } else if (l->n == ARRAY_LEN(l->items)) {
            classic_error(c, "it has more than %zu parts", ARRAY_LEN(l->items));
            free(l->text);
            return false;
        } else {
            if (first)
                l->word = "";
            if (equals)
                *equals = '\0';
            l->items[l->n].name = start;
            l->items[l->n++].value = equals ? equals + 1 : "";
        }
        first = false;
    }
    return true;
}

const char *classic_get(const struct classic_list *l, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->items[i].name, name) == 0)
            value = l->items[i].value;
    return value;
}

static void guest_set(struct classic *c, const char *name, const char *value)
{
    schema_set(c->t, &c->guest->object, name, value, c->place);
}

static void take_kernel(struct classic *c)
{
    c->bootable = true;
    guest_set(c, "kernel", c->value);
}

static void take_bios(struct classic *c)
{
    if (strcmp(c->value, "default") == 0)
        return;
    c->bootable |= strcmp(c->value, "none") != 0;
    guest_set(c, "bios", c->value);
}

static void take_initrd(struct classic *c)
{
    guest_set(c, "initrd", c->value);
}

static void take_append(struct classic *c)
{
    guest_set(c, "append", c->value);
}

static void take_dtb(struct classic *c)
{
    guest_set(c, "dtb", c->value);
}

/* Sizes without a unit are MiB there. */
static void take_memory(struct classic *c)
{
    const char *value = strncmp(c->value, "size=", 5) == 0 ? c->value + 5 : c->value;
    size_t digits = strspn(value, "0123456789");
    char *text = xasprintf("%s%s", value, digits && !value[digits] ? "M" : "");
    guest_set(c, "memory", text);
    free(text);
}

static void take_smp(struct classic *c)
{
    guest_set(c, "harts", strncmp(c->value, "cpus=", 5) == 0 ? c->value + 5 : c->value);
}

static void take_no_reboot(struct classic *c)
{
    guest_set(c, "reboot", "false");
}

static void take_machine(struct classic *c)
{
    size_t n = strcspn(c->value, ",");
    if (strncmp(c->value, "help", n) == 0 || n != 4 || strncmp(c->value, "virt", 4) != 0)
        classic_error(c, "there is one machine: virt");
}

static void take_name(struct classic *c)
{
    /* The guest has been made already; its consoles and captures take the name from here. */
    for (const char *p = c->value; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '-' && *p != '_') {
            classic_error(c, "a name is made of letters, digits, '-' and '_'");
            return;
        }
    if (*c->value && strlen(c->value) <= TOPO_MAX_NAME)
        c->guest->object.name = topo_intern(c->t, c->value);
    else
        classic_error(c, "a name has 1 to %d characters", TOPO_MAX_NAME);
}

static void take_serial(struct classic *c)
{
    if (c->serial_said) {
        classic_error(c, "the machine has one serial port");
    } else if (strcmp(c->value, "stdio") == 0 || strcmp(c->value, "mon:stdio") == 0) {
        c->o.console_use = CONSOLE_TERMINAL;
    } else if (strcmp(c->value, "null") == 0 || strcmp(c->value, "none") == 0) {
        c->o.console_use = CONSOLE_NONE;
    } else if (strncmp(c->value, "file:", 5) == 0 && c->value[5]) {
        c->o.console_use = CONSOLE_FILE;
        c->o.console_file = c->value + 5;
    } else {
        classic_error(c, "it can be stdio, null or file:PATH");
    }
    c->serial_said = true;
}

static void disk_add(struct classic *c, const char *path, bool writable)
{
    struct topo_disk *d = (struct topo_disk *)topo_add(c->t, TOPO_DISK, NULL, c->place);
    const char *problem;
    d->path = topo_intern(c->t, path);
    d->writable = writable;
    c->bootable = true;
    if (!topo_readable(path, false, &problem))
        classic_error(c, "\"%s\": %s", path, problem);
    topo_guest_take(c->t, c->guest, &d->object);
}

static void take_hda(struct classic *c)
{
    disk_add(c, c->value, false);
}

static void take_drive(struct classic *c)
{
    struct classic_list l;
    if (!classic_split(c, &l, c->value))
        return;
    const char *file = classic_get(&l, "file"), *format = classic_get(&l, "format");
    const char *snapshot = classic_get(&l, "snapshot");
    if (!file)
        classic_error(c, "it has no file=");
    else if (format && strcmp(format, "raw") != 0)
        classic_error(c, "format=%s: only raw images can be used", format);
    else
        disk_add(c, file, snapshot && strcmp(snapshot, "off") == 0);
    free(l.text);
}

/* base=utc (the host's date; runs then differ), base=localtime, base=DATE */
static void take_rtc(struct classic *c)
{
    struct classic_list l;
    if (!classic_split(c, &l, c->value))
        return;
    const char *base = classic_get(&l, "base");
    time_t now = time(NULL);
    struct tm tm;
    if (!base || strcmp(base, "utc") == 0)
        c->t->epoch_ns = now * NS_PER_SEC;
    else if (strcmp(base, "localtime") == 0)
        c->t->epoch_ns = timegm(localtime_r(&now, &tm)) * NS_PER_SEC;
    else if (!topo_date(base, &c->t->epoch_ns))
        classic_error(c, "base=%s is not utc, localtime or a date such as 2025-01-01T00:00:00",
                      base);
    free(l.text);
}

static void take_tftp(struct classic *c)
{
    c->tftp = c->value;
}

static void take_bootp(struct classic *c)
{
    c->bootp = c->value;
}

static void take_smb(struct classic *c)
{
    c->smb = c->value;
}

static void take_nothing(struct classic *c)
{
    (void)c;
}

static const struct classic_option {
    const char *name, *value; /* value NULL: it takes none */
    const char *help;
    void (*take)(struct classic *c);
} options[] = {
    {"-kernel", "FILE", "ELF, Linux Image or flat binary", take_kernel},
    {"-initrd", "FILE", "initial RAM disk", take_initrd},
    {"-append", "TEXT", "kernel command line", take_append},
    {"-bios", "FILE", "firmware; none, opensbi, u-boot, default (the machine's own SBI)",
     take_bios},
    {"-dtb", "FILE", "device tree", take_dtb},
    {"-m", "MEGABYTES", "memory (128)", take_memory},
    {"-smp", "N", "harts (1)", take_smp},
    {"-name", "NAME", "the guest's name", take_name},
    {"-net", "nic[,vlan=N][,macaddr=M][,model=T][,name=S]", "a network card; model=help names them",
     classic_net},
    {"-net", "user[,vlan=N][,hostfwd=R][,guestfwd=R][,tftp=DIR][,smb=DIR][,net=A]...",
     "the user-mode stack", classic_net},
    {"-net", "tap[,vlan=N][,ifname=I][,script=F|no][,downscript=F|no][,fd=N][,vnet_hdr=on]...",
     "an interface of the host's kernel", classic_net},
    {"-net", "bridge[,vlan=N][,br=B][,helper=F]", "one that a helper has put on a bridge", classic_net},
    {"-net", "socket,listen=[HOST]:PORT|connect=HOST:PORT|fd=N[,vlan=N]",
     "a link over TCP to other instances, and to QEMU", classic_net},
    {"-net", "socket,mcast=GROUP:PORT[,localaddr=A][,vlan=N]", "a group that all members hear",
     classic_net},
    {"-net", "socket,udp=HOST:PORT,localaddr=HOST:PORT[,vlan=N]", "a link over UDP", classic_net},
    {"-net", "vde[,sock=DIR][,port=N][,group=G][,mode=M][,vlan=N]", "a port of a VDE switch",
     classic_net},
    {"-net", "pcap,file=F[,vlan=N][,speed=S][,start=T][,loop=N]...", "a capture, played", classic_net},
    {"-net", "pcap,ifname=I[,vlan=N][,promisc=off]...", "a live interface of the host", classic_net},
    {"-net", "dump[,vlan=N][,file=F][,len=N]", "a capture", classic_net},
    {"-net", "none", "no network; without any -net: nic and user", classic_net},
    {"-netdev", "user|tap|bridge|socket|vde|pcap,id=ID[,...]", "the same for a -device",
     classic_netdev},
    {"-netdev",
     "stream,id=ID[,server=on],addr.type=inet,addr.host=H,addr.port=P[,reconnect=SECONDS]",
     "a link over TCP", classic_netdev},
    {"-netdev",
     "stream,id=ID[,server=on],addr.type=unix,addr.path=P[,addr.abstract=on][,reconnect=SECONDS]",
     "over a unix socket", classic_netdev},
    {"-netdev", "stream,id=ID,addr.type=fd,addr.str=FD", "over a socket opened by the parent process",
     classic_netdev},
    {"-netdev",
     "dgram,id=ID,remote.type=inet,remote.host=H,remote.port=P[,local.type=inet,local.host=H,"
     "local.port=P]",
     "a link over UDP, or a group", classic_netdev},
    {"-netdev", "dgram,id=ID,remote.type=unix,remote.path=P,local.type=unix,local.path=P",
     "over unix datagrams", classic_netdev},
    {"-netdev",
     "l2tpv3,id=ID,src=H,dst=H[,udp=on,srcport=P,dstport=P],txsession=N[,rxsession=N]...",
     "an L2TPv3 pseudowire", classic_netdev},
    {"-netdev", "hubport,id=ID,hubid=N[,netdev=ID]",
     "a port of hub N (VLAN N), for a -device or a netdev", classic_netdev},
    {"-object", "filter-dump,id=ID,netdev=ID,file=F[,maxlen=N]", "a capture of a -netdev",
     classic_object},
    {"-device", "MODEL,netdev=ID[,mac=M][,addr=SLOT][,vectors=N]",
     "a network card; -device help names them",
     classic_device},
    {"-redir", "tcp:PORT:[ADDRESS]:PORT", "a redirection from the host", classic_redir},
    {"-tftp", "DIR", "serve a folder by TFTP", take_tftp},
    {"-bootp", "FILE", "the file that BOOTP names", take_bootp},
    {"-smb", "DIR", "share a folder by SMB", take_smb},
    {"-hda", "FILE", "a raw disk; never changed", take_hda},
    {"-drive", "file=F[,format=raw][,snapshot=off]", "the same; snapshot=off: changes are kept",
     take_drive},
    {"-serial", "stdio|null|file:F", "where the console is (stdio; ctrl-] x ends)", take_serial},
    {"-rtc", "base=utc|DATE", "the date at the start (2025-01-01)", take_rtc},
    {"-no-reboot", NULL, "a guest that resets itself stops", take_no_reboot},
    {"-nographic", NULL, "so it is", take_nothing},
    {"-snapshot", NULL, "so it is", take_nothing},
    {"-machine", "virt", "so it is", take_machine},
    {"-M", "virt", "so it is", take_machine},
    {"-cpu", "NAME", "accepted", take_nothing},
    {"-accel", "NAME", "accepted", take_nothing},
    {"-icount", "...", "accepted: time is virtual anyway", take_nothing},
    {"-monitor", "none", "accepted: there is none", take_nothing},
    {"-display", "none", "accepted: there is none", take_nothing},
    {"-vga", "none", "accepted: there is none", take_nothing},
};

void classic_help(FILE *to)
{
    fputs("lanarium -kernel FILE [OPTION...]: one guest, by QEMU's options\n\n", to);
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        fprintf(to, "  %s%s%s\n      %s\n", options[i].name, options[i].value ? " " : "",
                options[i].value ? options[i].value : "", options[i].help);
    fputs(
        "\nThe options of 'lanarium run' (--for, --log, --stats...) can be used as well. The exit "
        "status is\nthe code with which the guest stopped.\n",
        to);
}

static const struct classic_option *option_find(const char *word)
{
    word += word[0] == '-' && word[1] == '-'; /* either number of dashes, as there */
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (strcmp(options[i].name, word) == 0)
            return &options[i];
    return NULL;
}

/* The option at argv[*i]. Its place in sentences is "-net nic,model=x". */
static void option_take(struct classic *c, int argc, char **argv, int *i)
{
    const struct classic_option *o = option_find(argv[*i]);
    c->word = argv[*i];
    c->value = o && o->value && *i + 1 < argc ? argv[++*i] : NULL;
    char *place = c->value ? xasprintf("%s %s", c->word, c->value) : xstrdup(c->word);
    c->place = (struct place){topo_intern(c->t, place), 0};
    free(place);
    const char *near =
        o ? NULL : nearest_name(c->word, &options[0].name, ARRAY_LEN(options), sizeof(options[0]));
    if (o && o->value && !c->value)
        classic_error(c, "it needs a value: %s %s", o->name, o->value);
    else if (o)
        o->take(c);
    else if (c->word[0] != '-')
        classic_error(c, "this is no option; a disk image is given with -drive file=%s", c->word);
    else if (near)
        classic_error(c, "there is no such option; did you mean %s?", near);
    else
        classic_error(c, "there is no such option; 'lanarium help classic' names them");
}

static int classic_run(struct classic *c)
{
    struct script s;
    int status = EXIT_BAD_INPUT;
    c->place = (struct place){topo_intern(c->t, "command line"), 0};
    classic_net_finish(c);
    if (!c->bootable && !err_any(&c->t->err))
        err_add(&c->t->err, "there is nothing to start: say -kernel FILE or -bios FILE");
    c->o.quiet = !c->o.stats;
    c->o.guest_status = true;
    script_init(&s, c->t, stderr, NULL, 0);
    if (!err_any(&c->t->err) && topo_check(c->t))
        status = run_network(c->t, &s, &c->o);
    else
        topo_print_errors(c->t);
    script_finish(&s);
    return status;
}

int classic_main(int argc, char **argv, const struct replay *again)
{
    struct topo t;
    struct classic c = {.t = &t};
    struct err err = {0};
    struct invocation words = {0};
    int status = EXIT_BAD_INPUT;
    topo_init(&t, "command line");
    run_options_init(&c.o);
    c.o.console_use = CONSOLE_TERMINAL;
    invocation_keep(&words, true, argc, argv);
    c.o.invocation = &words;
    c.o.replay = again;
    c.place = (struct place){t.title, 0};
    c.guest = (struct topo_guest *)topo_add(&t, TOPO_GUEST, "vm", c.place);
    for (int i = 1; i < argc; i++)
        if (!run_option_take(argc, argv, &i, &c.o, &t, &err))
            option_take(&c, argc, argv, &i);
    err_print(&err, stderr);
    if (!err_any(&err))
        status = classic_run(&c);
    free(c.redirections.items);
    invocation_finish(&words);
    free(c.netdevs.items);
    free(c.dumps.items);
    free(c.multiqueue.items);
    topo_finish(&t);
    err_finish(&err);
    return status;
}
