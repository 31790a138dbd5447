/* Runs a command and prints "cpu-seconds wall-seconds peak-KiB" of it; ends it if it takes too long. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t child;

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void end_child(int number)
{
    (void)number;
    if (child > 0)
        kill(child, SIGKILL);
}

static void child_run(const char *output, char **argv)
{
    int in = open("/dev/null", O_RDONLY);
    int out = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0666);

    if (in < 0 || out < 0) {
        perror(output);
        _exit(127);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in, 0);
    dup2(out, 1);
    dup2(out, 2);
    execvp(argv[0], argv);
    perror(argv[0]);
    _exit(127);
}

int main(int argc, char **argv)
{
    struct timespec a, b;
    struct rusage use;
    const char *output = "/dev/null";
    unsigned limit = 300;
    int status;

    for (int o; (o = getopt(argc, argv, "+o:t:")) != -1;)
        switch (o) {
        case 'o': output = optarg; break;
        case 't': limit = (unsigned)atoi(optarg); break;
        default: return 2;
        }
    if (optind == argc) {
        fputs("usage: stopwatch [-o OUTPUT] [-t SECONDS] COMMAND [ARGUMENT...]\n", stderr);
        return 2;
    }
    signal(SIGALRM, end_child);
    signal(SIGTERM, end_child);
    signal(SIGINT, end_child);
    clock_gettime(CLOCK_MONOTONIC, &a);
    child = fork();
    if (child == 0)
        child_run(output, argv + optind);
    alarm(limit);
    while (child < 0 || wait4(child, &status, 0, &use) != child)
        if (child < 0 || errno != EINTR)
            return 2;
    clock_gettime(CLOCK_MONOTONIC, &b);
    if (WIFSIGNALED(status))
        fprintf(stderr, "stopwatch: %s was ended after %u s or by a signal\n", argv[optind], limit);
    printf("%.3f %.3f %ld\n", seconds(use.ru_utime) + seconds(use.ru_stime),
           (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9, use.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
