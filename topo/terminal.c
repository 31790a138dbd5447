/*
 * A guest's console on standard input and output. A terminal is put into raw mode, so that
 * every key, ctrl-C too, is the guest's; ctrl-] leaves. Until a terminal or a pipe ends, virtual
 * time keeps to the host's; a file is read at once and time runs free.
 */
#include <errno.h>
#include <termios.h>
#include <unistd.h>

#include "guests/machine.h"
#include "topo/run.h"

#define LEAVE 0x1d /* ctrl-] */
#define OUT_BUFFER 4096
#define OUT_DELAY_MS 10 /* a line that has not ended is shown after so long */

struct terminal {
    struct run *run;
    struct console *console;
    struct console_sink sink;
    uv_poll_t in;
    uv_timer_t out_timer;
    bool polled;          /* `in` is open */
    bool ended;           /* nothing more comes in */
    bool was_paced;       /* before the terminal asked for it */
    uint8_t pending[512]; /* read and not yet taken by the console */
    size_t n_pending;
    uint8_t out[OUT_BUFFER];
    size_t n_out;
    bool broken; /* standard output */
};

static struct termios saved;
static volatile bool raw;

void terminal_restore(void)
{
    if (raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    raw = false;
}

static void terminal_raw(void)
{
    struct termios t;
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved) != 0)
        return;
    t = saved;
    t.c_iflag &= (tcflag_t) ~(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
    t.c_lflag &= (tcflag_t) ~(ECHO | ICANON | IEXTEN | ISIG);
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    raw = tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
}

/* --- output --- */

static void out_flush(struct terminal *t)
{
    size_t done = 0;
    while (done < t->n_out && !t->broken) {
        ssize_t n = write(STDOUT_FILENO, t->out + done, t->n_out - done);
        if (n > 0)
            done += (size_t)n;
        else if (errno != EINTR && errno != EAGAIN)
            t->broken = true;
    }
    t->n_out = 0;
    if (t->broken && !err_any(&t->run->err)) {
        err_add(&t->run->err, "the console's output cannot be written: %s", strerror(errno));
        sim_stop(&t->run->network.sim);
    }
}

static void on_out_timer(uv_timer_t *timer)
{
    out_flush(timer->data);
}

static void on_bytes(struct console_sink *sink, vtime_t at, const uint8_t *p, size_t n)
{
    struct terminal *t = container_of(sink, struct terminal, sink);
    (void)at;
    for (size_t i = 0; i < n; i++) {
        t->out[t->n_out++] = p[i];
        if (p[i] == '\n' || t->n_out == OUT_BUFFER)
            out_flush(t);
    }
    if (t->n_out && !uv_is_active((uv_handle_t *)&t->out_timer))
        uv_timer_start(&t->out_timer, on_out_timer, OUT_DELAY_MS, 0);
}

/* --- input --- */

/* Gives the console what was read; false if it has no room, and it waits. */
static bool feed(struct terminal *t)
{
    struct sim *s = &t->run->network.sim;
    if (t->n_pending && !console_feed(t->console, t->pending, t->n_pending, s->now + CONSOLE_DELAY))
        return false;
    t->n_pending = 0;
    return true;
}

/* Reads once. False: nothing more to read now, or ever. */
static bool take_input(struct terminal *t)
{
    struct sim *s = &t->run->network.sim;
    if (t->ended || !feed(t))
        return false;
    ssize_t n = read(STDIN_FILENO, t->pending, sizeof(t->pending));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        t->ended = true;
        if (t->polled) {
            uv_poll_stop(&t->in);
            s->options.paced = t->was_paced;
        }
        return false;
    }
    const uint8_t *leave = raw ? memchr(t->pending, LEAVE, (size_t)n) : NULL;
    t->n_pending = leave ? (size_t)(leave - t->pending) : (size_t)n;
    feed(t);
    if (leave)
        sim_stop(s);
    return true;
}

static void on_readable(uv_poll_t *p, int status, int events)
{
    (void)status;
    (void)events;
    take_input(p->data);
}

bool terminal_is_used(const struct terminal *t)
{
    return t && raw && !t->ended;
}

bool terminal_wait(struct terminal *t)
{
    out_flush(t);
    if (t->ended || t->broken || signals_came() || !t->polled)
        return false;
    uv_run(&t->run->network.sim.loop, UV_RUN_ONCE);
    return !t->run->network.sim.stopping && !signals_came();
}

struct terminal *terminal_open(struct run *r, struct topo_guest *g)
{
    struct terminal *t = xcalloc(1, sizeof(*t));
    uv_loop_t *loop = &r->network.sim.loop;
    t->run = r;
    t->console = machine_console(g->machine, 0);
    t->sink.bytes = on_bytes;
    t->in.data = t->out_timer.data = t;
    console_add_sink(t->console, &t->sink);
    uv_timer_init(loop, &t->out_timer);
    terminal_raw();
    if (raw)
        fprintf(stderr, "lanarium: the console of %s; ctrl-] leaves\n", g->object.name);
    /* Files and /dev/null cannot be polled: they are read now, as far as the console takes them. */
    t->polled = uv_poll_init(loop, &t->in, STDIN_FILENO) == 0;
    if (t->polled) {
        uv_poll_start(&t->in, UV_READABLE, on_readable);
        t->was_paced = r->network.sim.options.paced;
        r->network.sim.options.paced = true; /* as long as someone may type, time is theirs */
    } else {
        while (take_input(t))
            ;
    }
    return t;
}

static void on_closed(uv_handle_t *h)
{
    (void)h;
}

void terminal_close(struct terminal *t)
{
    if (!t)
        return;
    uv_loop_t *loop = &t->run->network.sim.loop;
    out_flush(t);
    terminal_restore();
    console_remove_sink(t->console, &t->sink);
    if (t->polled)
        uv_close((uv_handle_t *)&t->in, on_closed);
    uv_close((uv_handle_t *)&t->out_timer, on_closed);
    run_settle(loop);
    free(t);
}
