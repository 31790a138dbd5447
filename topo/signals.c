/* Signals: the first stops the run cleanly, so that captures are complete; the second at once. */
#include <signal.h>
#include <unistd.h>

#include "topo/run.h"

static volatile sig_atomic_t came;
static uv_async_t wake;
static struct sigaction old_int, old_term;

static void on_signal(int number)
{
    if (came++) {
        terminal_restore();
        _exit(128 + number);
    }
    uv_async_send(&wake);
}

static void on_wake(uv_async_t *a)
{
    sim_stop(a->data);
}

void signals_start(struct sim *s)
{
    struct sigaction sa = {.sa_handler = on_signal};
    came = 0;
    uv_async_init(&s->loop, &wake, on_wake);
    wake.data = s;
    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, &old_int);
    sigaction(SIGTERM, &sa, &old_term);
    signal(SIGPIPE, SIG_IGN); /* a reader that has gone is an error of its file */
}

bool signals_came(void)
{
    return came > 0;
}

/* The first turn may only clear what sim_stop left in the loop (uv_stop). */
void run_settle(uv_loop_t *loop)
{
    uv_run(loop, UV_RUN_NOWAIT);
    uv_run(loop, UV_RUN_NOWAIT);
}

void signals_stop(struct sim *s)
{
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGTERM, &old_term, NULL);
    uv_close((uv_handle_t *)&wake, NULL);
    run_settle(&s->loop);
}
