/*
 * Runs programs and talks with their consoles by a list of steps, and tells the host's time, CPU
 * and memory that they took: what a lab of QEMUs needs, and, measured alike, Lanarium.
 *
 *     lab <STEPS        a step a line:
 *
 *     start NAME COMMAND   a shell command; exec is put before it
 *     wait NAME TEXT       until its output since the last wait contains the text
 *     send NAME TEXT       a line to its standard input
 *     nudge NAME TEXT      wait, with an empty line sent every 10 ms
 *     end NAME             until it ends by itself
 *     stop NAME            end it, and leave its use out of later marks
 *     limit SECONDS        how long a wait or end may take (120)
 *     sleep SECONDS
 *     mark LABEL           print "LABEL wall-seconds cpu-seconds PSS-KiB" since the start, of all
 *
 * Whatever is still there at the end of the steps, or when a step fails, is ended by its id. A step
 * that fails is told on standard error with what the program printed last; the exit status is 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST 256
#define KEPT 65536 /* bytes of output that no wait has taken */

struct program {
    char name[32];
    pid_t pid; /* 0: ended */
    int in, out;
    double cpu; /* once it has ended */
    bool stopped;
    size_t len;
    char text[KEPT + 1];
};

static struct program *programs[MOST];
static unsigned n_programs;
static double limit = 120, began;
static unsigned line_number;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Each program leads a process group, so that what it has started goes with it. */
static void program_kill(struct program *p)
{
    struct rusage use;
    int status;

    if (!p->pid)
        return;
    kill(-p->pid, SIGKILL);
    while (wait4(p->pid, &status, 0, &use) < 0 && errno == EINTR)
        ;
    p->pid = 0;
}

static void leave(int code)
{
    for (unsigned i = 0; i < n_programs; i++)
        program_kill(programs[i]);
    fflush(stdout);
    _exit(code);
}

static void on_signal(int number)
{
    (void)number;
    for (unsigned i = 0; i < n_programs; i++)
        if (programs[i]->pid)
            kill(-programs[i]->pid, SIGKILL);
    _exit(1);
}

__attribute__((format(printf, 2, 3), noreturn)) static void fail(const struct program *p,
                                                                 const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "lab: line %u: ", line_number);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    if (p && p->len)
        fprintf(stderr, "lab: %s printed last: %s\n", p->name,
                p->text + (p->len > 600 ? p->len - 600 : 0));
    leave(1);
    _exit(1);
}

static struct program *program_find(const char *name)
{
    for (unsigned i = 0; i < n_programs; i++)
        if (strcmp(programs[i]->name, name) == 0)
            return programs[i];
    fail(NULL, "no program is called %s", name);
}

/* Takes what has come; the start of what is too much is forgotten. */
static void program_read(struct program *p)
{
    if (p->len > KEPT / 2) {
        memmove(p->text, p->text + p->len - KEPT / 4, KEPT / 4);
        p->len = KEPT / 4;
    }
    ssize_t n = read(p->out, p->text + p->len, KEPT - p->len);
    if (n <= 0) {
        close(p->out);
        p->out = -1;
        return;
    }
    for (ssize_t i = 0; i < n; i++)
        if (!p->text[p->len + (size_t)i])
            p->text[p->len + (size_t)i] = ' ';
    p->len += (size_t)n;
    p->text[p->len] = '\0';
}

/* Reads from all for at most so long, or until something came. */
static void pump(double seconds)
{
    struct pollfd fds[MOST];
    struct program *of[MOST];
    unsigned n = 0;

    for (unsigned i = 0; i < n_programs; i++)
        if (programs[i]->out >= 0) {
            of[n] = programs[i];
            fds[n++] = (struct pollfd){.fd = programs[i]->out, .events = POLLIN};
        }
    if (poll(fds, n, (int)(seconds * 1000) + 1) > 0)
        for (unsigned i = 0; i < n; i++)
            if (fds[i].revents)
                program_read(of[i]);
}

/* Notes the end of those that have ended. */
static void reap(void)
{
    struct rusage u;
    int status;

    for (unsigned i = 0; i < n_programs; i++) {
        struct program *p = programs[i];
        if (!p->pid || wait4(p->pid, &status, WNOHANG, &u) != p->pid)
            continue;
        p->cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                 (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
        p->pid = 0;
    }
}

/* --- the steps --- */

static void step_start(const char *name, const char *command)
{
    struct program *p = calloc(1, sizeof(*p));
    int in[2], out[2];
    char line[8192];

    if (!p || n_programs == MOST || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
        fail(NULL, "too many programs");
    snprintf(p->name, sizeof(p->name), "%s", name);
    snprintf(line, sizeof(line), "exec %s", command);
    pid_t parent = getpid();
    p->pid = fork();
    if (p->pid == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(out[1], 2);
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    if (p->pid < 0)
        fail(NULL, "cannot fork");
    setpgid(p->pid, p->pid);
    close(in[0]);
    close(out[1]);
    p->in = in[1];
    p->out = out[0];
    programs[n_programs++] = p;
}

/* Waits for a text; `nudge` is what is sent every 10 ms until it comes, or NULL. */
static void await(const char *name, const char *text, const char *nudge)
{
    struct program *p = program_find(name);
    double until = now() + limit;

    for (char *at; !(at = strstr(p->text, text));) {
        if (p->out < 0)
            fail(p, "%s ended, and did not print '%s'", name, text);
        if (now() > until)
            fail(p, "%s did not print '%s' within %.0f s", name, text, limit);
        if (nudge && p->in >= 0)
            (void)!write(p->in, nudge, strlen(nudge));
        pump(nudge ? 0.01 : 0.5);
    }
    char *rest = strstr(p->text, text) + strlen(text);
    p->len -= (size_t)(rest - p->text);
    memmove(p->text, rest, p->len + 1);
}

static void step_wait(const char *name, const char *text)
{
    await(name, text, NULL);
}

static void step_nudge(const char *name, const char *text)
{
    await(name, text, "\n");
}

static void step_send(const char *name, const char *text)
{
    struct program *p = program_find(name);
    char line[4096];
    int n = snprintf(line, sizeof(line), "%s\n", text);

    if (write(p->in, line, (size_t)n) != n)
        fail(p, "%s takes no input", name);
}

static void step_end(const char *name, const char *text)
{
    struct program *p = program_find(name);
    double until = now() + limit;

    (void)text;
    for (reap(); p->pid; reap()) {
        if (now() > until)
            fail(p, "%s did not end within %.0f s", name, limit);
        if (p->out >= 0)
            pump(0.05);
        else
            usleep(5000);
    }
}

static void step_stop(const char *name, const char *text)
{
    struct program *p = program_find(name);

    (void)text;
    program_kill(p);
    p->stopped = true;
}

static void step_limit(const char *seconds, const char *text)
{
    (void)text;
    limit = atof(seconds);
}

static void step_sleep(const char *seconds, const char *text)
{
    double until = now() + atof(seconds);

    (void)text;
    for (double left; (left = until - now()) > 0;)
        pump(left < 0.2 ? left : 0.2);
}

/* User and system time of a living process, all its threads (proc(5), /proc/pid/stat 14, 15). */
static double cpu_of(pid_t pid)
{
    char path[64], text[1024] = "";
    unsigned long user = 0, system = 0;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return 0;
    char *rest = fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
    fclose(f);
    if (rest)
        sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* Proportional set size: what several processes share is counted once among them. */
static long pss_of(pid_t pid)
{
    char path[64], line[256];
    long kib = 0;

    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "Pss: %ld", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib;
}

static void step_mark(const char *label, const char *text)
{
    double wall = now() - began, cpu = 0;
    long kib = 0;

    (void)text;
    reap();
    for (unsigned i = 0; i < n_programs; i++)
        if (!programs[i]->stopped)
            cpu += programs[i]->pid ? cpu_of(programs[i]->pid) : programs[i]->cpu;
    for (unsigned i = 0; i < n_programs; i++)
        kib += programs[i]->pid ? pss_of(programs[i]->pid) : 0;
    printf("%s %.4f %.3f %ld\n", label, wall, cpu, kib);
    fflush(stdout);
}

static const struct step {
    const char *name;
    void (*run)(const char *object, const char *text);
} steps[] = {{"start", step_start}, {"wait", step_wait},   {"nudge", step_nudge}, {"send", step_send},
             {"end", step_end},     {"stop", step_stop},   {"limit", step_limit}, {"sleep", step_sleep},
             {"mark", step_mark}};

static void step_run(char *line)
{
    char *word = strtok(line, " \n"), *object = strtok(NULL, " \n"), *text = strtok(NULL, "\n");

    if (!word || word[0] == '#')
        return;
    for (unsigned i = 0; i < sizeof(steps) / sizeof(*steps); i++)
        if (strcmp(word, steps[i].name) == 0 && object) {
            steps[i].run(object, text ? text : "");
            return;
        }
    fail(NULL, "this is no step: %s %s", word, object ? object : "");
}

int main(void)
{
    static char line[8192];

    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    signal(SIGHUP, on_signal);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    began = now();
    while (fgets(line, sizeof(line), stdin)) {
        line_number++;
        step_run(line);
    }
    leave(0);
}
