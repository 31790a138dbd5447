/*
 * The other side: QEMU's riscv64 `virt`, driven through its gdb port.
 *
 * Why not libunicorn: Debian 12's (2.0.1) knows no Zba, Zbb and Zbs, and takes a single that is
 * not NaN-boxed for a number, where Unprivileged 22.2 demands a NaN. QEMU 7.2 does both right.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/diff/diff.h"
#include "tests/diff/gdb.h"

#define QEMU "qemu-system-riscv64"
#define GDB_PC 32 /* the number of pc among a RISC-V target's registers */

static struct gdb gdb;
static pid_t child = -1;

/** In the child: become QEMU, halted, with its gdb port on `fd`. */
static void become_qemu(int fd)
{
    char chardev[64];
    int null = open("/dev/null", O_RDWR);

    snprintf(chardev, sizeof(chardev), "socket,id=gdb,fd=%d", fd);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never to outlive the test */
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    /* Extensions that our hart has not are taken off, so that their encodings trap on both. */
    execlp(QEMU, QEMU, "-M", "virt", "-m", "32M", "-bios", "none", "-display", "none", "-monitor",
           "none", "-serial", "none", "-cpu", "rv64,h=false,v=false,zbc=false", "-chardev",
           chardev, "-gdb", "chardev:gdb", "-S", (char *)NULL);
    _exit(127);
}

static bool load_harness(void)
{
    uint32_t words[512];
    uint8_t bytes[sizeof(words)], tables[TABLES_BYTES];
    uint64_t wfi;
    unsigned n = harness_encode(words, ARRAY_LEN(words), &wfi);

    for (unsigned i = 0; i < n; i++)
        store_le32(bytes + 4 * i, words[i]);
    tables_fill(tables);
    return gdb_write(&gdb, HARNESS_ADDR, bytes, 4 * n) &&
           gdb_write(&gdb, TABLES_ADDR, tables, sizeof(tables)) && gdb_break(&gdb, wfi);
}

static void qemu_close(void)
{
    if (child > 0) {
        close(gdb.fd);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    child = -1;
}

static bool qemu_open(char *why, size_t why_len)
{
    int ends[2], status = 0;

    signal(SIGPIPE, SIG_IGN);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) {
        snprintf(why, why_len, "no socket for " QEMU);
        return false;
    }
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    child = fork();
    if (child == 0)
        become_qemu(ends[1]);
    close(ends[1]);
    if (child > 0 && gdb_open(&gdb, ends[0]) && load_harness())
        return true;
    close(ends[0]);
    if (child > 0 && waitpid(child, &status, WNOHANG) == child) {
        child = -1;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
            snprintf(why, why_len, QEMU " is not installed; on Debian: "
                                        "apt-get install qemu-system-misc");
            return false;
        }
    }
    qemu_close();
    snprintf(why, why_len, QEMU " did not answer on its gdb port");
    return false;
}

static bool qemu_transfer(const struct start *start, const uint8_t *scratch, const uint8_t *code,
                          unsigned code_len)
{
    uint8_t words[sizeof(*start)];
    const uint64_t *from = (const uint64_t *)start;

    for (size_t i = 0; i < sizeof(*start) / 8; i++)
        store_le64(words + 8 * i, from[i]);
    return gdb_write(&gdb, START_ADDR, words, sizeof(words)) &&
           gdb_write(&gdb, SCRATCH_ADDR, scratch, SCRATCH_BYTES) &&
           gdb_write(&gdb, CODE_ADDR, code, code_len) &&
           gdb_set_reg(&gdb, GDB_PC, HARNESS_ADDR) && gdb_continue(&gdb);
}

static bool qemu_run(const struct start *start, const uint8_t *scratch, const uint8_t *code,
                     unsigned code_len, struct outcome *out, char *why, size_t why_len)
{
    uint8_t bytes[offsetof(struct outcome, scratch)];
    uint64_t *to = (uint64_t *)out;

    if (!qemu_transfer(start, scratch, code, code_len) ||
        !gdb_read(&gdb, OUTCOME_ADDR, bytes, OUTCOME_FIXED)) {
        snprintf(why, why_len, QEMU " does not come to the end of the program");
        return false;
    }
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < OUTCOME_FIXED / 8; i++)
        to[i] = load_le64(bytes + 8 * i);
    if (out->n_traps > MAX_TRAPS ||
        !gdb_read(&gdb, OUTCOME_ADDR + OUTCOME_FIXED, bytes, out->n_traps * sizeof(struct trap)) ||
        !gdb_read(&gdb, SCRATCH_ADDR, out->scratch, SCRATCH_BYTES)) {
        snprintf(why, why_len, QEMU "'s outcome cannot be read");
        return false;
    }
    for (size_t i = 0; i < out->n_traps * sizeof(struct trap) / 8; i++)
        to[OUTCOME_FIXED / 8 + i] = load_le64(bytes + 8 * i);
    return true;
}

const struct runner runner_qemu = {
    .name = "qemu",
    .open = qemu_open,
    .run = qemu_run,
    .close = qemu_close,
};
