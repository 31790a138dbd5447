/*
 * pty COMMAND...: runs a command on a terminal of its own, and types there.
 *
 * Standard input says what to do, a line each:
 *
 *     expect TEXT    wait until the terminal shows it, behind what was expected before
 *     type TEXT      ^X is ctrl-X, \r, \n, \e as usual
 *
 * What the terminal shows goes to standard output. Then the command is waited for, and its status
 * is ours; 124 if anything takes longer than 60 s, 125 for a mistake in the lines.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_S 60

static int master;
static pid_t child;
static char shown[1 << 20];
static size_t n_shown, expected;
static time_t start;

static void give_up(int status, const char *why, const char *what)
{
    fflush(stdout);
    fprintf(stderr, "\npty: %s: %s\n", why, what);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    exit(status);
}

/* Takes what the terminal shows. False: it is over. */
static int look(const char *what)
{
    struct pollfd p = {.fd = master, .events = POLLIN};
    if (time(NULL) - start > LIMIT_S)
        give_up(124, "it took too long", what);
    if (poll(&p, 1, 100) <= 0)
        return 1;
    ssize_t n = read(master, shown + n_shown, sizeof(shown) - 1 - n_shown);
    if (n < 0 && errno == EINTR)
        return 1;
    if (n <= 0)
        return 0;
    fwrite(shown + n_shown, (size_t)n, 1, stdout);
    n_shown += (size_t)n;
    shown[n_shown] = '\0';
    return 1;
}

static void expect(const char *text)
{
    char *found;
    while (!(found = memmem(shown + expected, n_shown - expected, text, strlen(text))))
        if (!look(text))
            give_up(125, "the terminal ended before it showed this", text);
    expected = (size_t)(found - shown) + strlen(text);
}

/* Writes it all; what the terminal shows meanwhile is taken, or either side would wait for ever. */
static void type(const char *text)
{
    char bytes[4096];
    size_t n = 0;
    for (; *text && n < sizeof(bytes); text++) {
        char c = *text;
        if (c == '^' && text[1])
            c = (char)(*++text & 0x1f);
        else if (c == '\\' && text[1])
            c = *++text == 'r' ? '\r' : *text == 'n' ? '\n' : *text == 'e' ? '\033' : *text;
        bytes[n++] = c;
    }
    for (size_t done = 0; done < n;) {
        ssize_t got = write(master, bytes + done, n - done);
        if (got > 0)
            done += (size_t)got;
        else if (errno != EINTR && errno != EAGAIN)
            give_up(125, "it cannot be typed", strerror(errno));
    }
}

int main(int argc, char **argv)
{
    struct winsize size = {.ws_row = 50, .ws_col = 200};
    char line[4096];
    int status;
    if (argc < 2)
        return 125;
    start = time(NULL);
    child = forkpty(&master, NULL, NULL, &size);
    if (child < 0)
        return 125;
    if (child == 0) {
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "expect ", 7) == 0)
            expect(line + 7);
        else if (strncmp(line, "type ", 5) == 0)
            type(line + 5);
        else
            give_up(125, "this is no line of mine", line);
    }
    while (look("its end"))
        ;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
