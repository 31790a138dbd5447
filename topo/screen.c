/*
 * The guest's output goes to standard output as it is; the prompt, and what is said there, to
 * standard error, so that a redirected console is the console alone. While a line is being typed,
 * the guest's lines are shown above it once they are whole; afterwards its present line is shown
 * again.
 */
#include "topo/screen.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define OUT_DELAY_MS 10 /* a line that has not ended is shown after so long */

/* Whoever sits there sees the guest's present line again when the prompt is left. */
static void tail_take(struct screen *sc, char c)
{
    if (c == '\n')
        sc->n_tail = 0;
    else if (sc->n_tail < SCREEN_TAIL)
        sc->tail[sc->n_tail++] = c;
}

static void out_write(struct screen *sc, size_t n)
{
    size_t done = 0;
    while (done < n && !sc->broken) {
        ssize_t got = write(STDOUT_FILENO, sc->out + done, n - done);
        if (got > 0)
            done += (size_t)got;
        else if (errno == EAGAIN) /* a terminal's input, which does not block, is its output too */
            poll(&(struct pollfd){STDOUT_FILENO, POLLOUT, 0}, 1, -1);
        else if (errno != EINTR)
            sc->broken = true;
    }
    for (size_t i = 0; i < n; i++)
        tail_take(sc, (char)sc->out[i]);
    sc->n_out -= n;
    memmove(sc->out, sc->out + n, sc->n_out);
    if (sc->broken && !err_any(&sc->run->err)) {
        err_add(&sc->run->err, "the console's output cannot be written: %s", strerror(errno));
        sim_stop(&sc->run->network.sim);
    }
}

/* What is shown at once: whole lines, while one is being typed. */
static size_t out_ready(const struct screen *sc)
{
    size_t n = sc->n_out;
    if (!sc->line || n == SCREEN_BUFFER)
        return n;
    while (n && sc->out[n - 1] != '\n')
        n--;
    return n;
}

void screen_flush(struct screen *sc)
{
    size_t n = out_ready(sc);
    if (!n)
        return;
    if (sc->line)
        fputs("\r\033[K", stderr);
    out_write(sc, n);
    if (sc->line)
        line_show(sc->line, stderr);
}

static void on_timer(uv_timer_t *timer)
{
    screen_flush(timer->data);
}

static void on_bytes(struct console_sink *sink, vtime_t at, const uint8_t *p, size_t n)
{
    struct screen *sc = container_of(sink, struct screen, sink);
    (void)at;
    for (size_t i = 0; i < n && !sc->run->o->mute; i++) {
        sc->out[sc->n_out++] = p[i];
        if (p[i] == '\n' || sc->n_out == SCREEN_BUFFER)
            screen_flush(sc);
    }
    if (sc->n_out && !uv_is_active((uv_handle_t *)&sc->timer))
        uv_timer_start(&sc->timer, on_timer, OUT_DELAY_MS, 0);
}

void screen_prompt(struct screen *sc, const struct prompt_line *line)
{
    if (line == sc->line)
        return;
    if (line)
        screen_flush(sc);
    sc->line = line;
    fputc('\n', stderr);
    if (line) {
        line_show(line, stderr);
        return;
    }
    fwrite(sc->tail, sc->n_tail, 1, stderr);
    screen_flush(sc);
}

void screen_say(struct screen *sc, const char *text)
{
    if (sc->line)
        fputs("\r\033[K", stderr);
    else if (sc->n_tail)
        fputc('\n', stderr);
    fputs(text, stderr);
    if (sc->line)
        line_show(sc->line, stderr);
    else
        fwrite(sc->tail, sc->n_tail, 1, stderr);
}

void screen_open(struct screen *sc, struct run *r, struct console *c)
{
    *sc = (struct screen){.run = r, .sink = {.bytes = on_bytes}};
    uv_timer_init(&r->network.sim.loop, &sc->timer);
    sc->timer.data = sc;
    console_add_sink(c, &sc->sink);
}

static void on_closed(uv_handle_t *h)
{
    (void)h;
}

void screen_close(struct screen *sc, struct console *c)
{
    screen_flush(sc);
    console_remove_sink(c, &sc->sink);
    uv_close((uv_handle_t *)&sc->timer, on_closed);
}
