/*
 * smbd serves one connection on its standard input if that is a socket, and needs no privilege for
 * it. All that it writes goes to the private folder:
 *
 *     smb.conf    log.smbd    and its state, locks, caches and passwords in smbd/
 *
 * "guest account" is left alone: an account that is a guest's is nobody's owner to Samba, which
 * then lets it write only where everyone may.
 */
#include "devices/uplinks/user_smb.h"

#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const places[] = {"/usr/sbin/smbd", "/usr/local/sbin/smbd",
                                     "/usr/local/samba/sbin/smbd", "/usr/bin/smbd"};

static const char *smbd_find(void)
{
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

/* Samba replaces %X in values, strips what looks like a quote, and reads line by line. */
static bool can_be_written(const char *path)
{
    return !strpbrk(path, "%\"\\\n\r;#");
}

void user_smb_check(const char *folder, const char *file, int line, struct err *err)
{
    struct stat st;

    if (!smbd_find())
        err_at(err, file, line, "smb: there is no smbd; install the package samba");
    if (stat(folder, &st) != 0)
        err_at(err, file, line, "smb folder %s: %s", folder, strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        err_at(err, file, line, "smb \"%s\" is not a folder", folder);
    else if (!can_be_written(folder))
        err_at(err, file, line,
               "smb \"%s\": smbd cannot share a folder with one of %%, \", \\, ; and # in its path",
               folder);
}

static const char global[] = "[global]\n"
                             "private dir = %1$s/smbd\n"
                             "interfaces = 127.0.0.1\n"
                             "bind interfaces only = yes\n"
                             "pid directory = %1$s/smbd\n"
                             "lock directory = %1$s/smbd\n"
                             "state directory = %1$s/smbd\n"
                             "cache directory = %1$s/smbd\n"
                             "binddns dir = %1$s/smbd\n"
                             "ncalrpc dir = %1$s/smbd/ncalrpc\n"
                             "log file = %1$s/log.smbd\n"
                             "smb passwd file = %1$s/smbd/smbpasswd\n"
                             "server role = standalone server\n"
                             "disable netbios = no\n"
                             "map to guest = Bad User\n"
                             "load printers = no\n"
                             "printing = bsd\n"
                             "printcap name = /dev/null\n"
                             "disable spoolss = yes\n"
                             "usershare max shares = 0\n"
                             "[qemu]\n"
                             "path = %3$s\n"
                             "read only = no\n"
                             "guest ok = yes\n"
                             "force user = %2$s\n";

char *user_smb_configure(const char *where, const char *folder)
{
    const char *smbd = smbd_find();
    const struct passwd *pw = getpwuid(geteuid());
    char *path = realpath(folder, NULL), *conf = xasprintf("%s/smb.conf", where), *command = NULL;
    char *state = xasprintf("%s/smbd", where);
    FILE *to;

    if (smbd && path && pw && mkdir(state, 0700) == 0 && (to = fopen(conf, "we"))) {
        fprintf(to, global, where, pw->pw_name, path);
        if (fclose(to) == 0)
            command = xasprintf("exec %s -l '%s' -s '%s'", smbd, where, conf);
    }
    if (!pw)
        errno = ENOENT;
    free(path);
    free(conf);
    free(state);
    return command;
}
