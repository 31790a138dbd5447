/*
 * A guest's console on standard input and output. A terminal is put into raw mode, so that
 * every key, ctrl-C too, is the guest's; only ctrl-] is not: with the key behind it, it opens the
 * command prompt or ends the run. Until a terminal or a pipe ends, virtual time keeps to the
 * host's; a file is read at once and time runs free.
 *
 * What is typed, commands too, passes an inlet: it is recorded, and when a recording is played it
 * comes from there and standard input is left alone.
 *
 *     on_readable -> keys -> keys_process -> pending -> admit -> the console
 *                                         -> prompt -> commands -> admit -> execute
 */
#include <errno.h>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "guests/machine.h"
#include "sim/inlet.h"
#include "topo/prompt.h"
#include "topo/prompt_line.h"
#include "topo/screen.h"

#define PREFIX 0x1d                  /* ctrl-] */
#define RETRY_DELAY (10 * NS_PER_MS) /* virtual: when a console that was full is tried again */
#define PIECE 512                    /* bytes that are read, and given to the console, at once */

struct terminal {
    struct run *run;
    struct console *console;
    struct screen screen;
    struct inlet inlet;
    struct event retry;
    struct event execute;
    uv_poll_t in;
    bool polled;    /* `in` is open */
    bool ended;     /* nothing more comes in */
    bool was_paced; /* before the terminal asked for it */
    uint8_t *keys;  /* read and not looked at: a command is under way */
    uint32_t n_keys, cap_keys;
    uint8_t *pending; /* for the console, and not yet taken by it */
    uint32_t first_pending, n_pending, cap_pending;
    topo_strings commands; /* entered, or played, and not carried out; owned */
    size_t n_admitted;     /* of them, those that have a time */
    struct prompt_line line;
    bool prefixed; /* ctrl-] was typed */
};

static struct termios saved;
static volatile bool raw;
static int saved_flags = -1; /* of standard input, which others have open too; -1: as they were */

/* Called by a signal too. */
void terminal_restore(void)
{
    if (raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    raw = false;
    if (saved_flags >= 0)
        fcntl(STDIN_FILENO, F_SETFL, saved_flags);
    saved_flags = -1;
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

/* --- the prompt --- */

static const char keys_text[] = "lanarium: ctrl-] c        command prompt\n"
                                "          ctrl-] x        end the run\n"
                                "          ctrl-] ctrl-]   ctrl-] for the guest\n"
                                "          ctrl-] h        these keys\n";

static bool is_prompting(const struct terminal *t)
{
    return t->screen.line != NULL;
}

static void prompt_leave(struct terminal *t)
{
    screen_prompt(&t->screen, NULL);
    line_next(&t->line);
}

/* A key behind ctrl-]. */
static void prefixed_key(struct terminal *t, uint8_t c)
{
    if (c == 'x')
        sim_stop(&t->run->network.sim);
    else if (c == 'c')
        screen_prompt(&t->screen, &t->line);
    else
        screen_say(&t->screen, keys_text);
}

static void prompt_key(struct terminal *t, uint8_t c)
{
    switch (line_key(&t->line, c, stderr)) {
    case LINE_LEFT: prompt_leave(t); break;
    case LINE_ENTERED:
        if (t->line.n) {
            list_push(&t->commands, xstrdup(t->line.text));
            inlet_poke(&t->inlet);
        }
        line_next(&t->line);
        if (!t->commands.n)
            line_show(&t->line, stderr);
        break;
    default: break;
    }
}

static void console_key(struct terminal *t, uint8_t c)
{
    array_reserve(t->pending, &t->cap_pending, t->first_pending + t->n_pending + 1);
    t->pending[t->first_pending + t->n_pending++] = c;
}

static void one_key(struct terminal *t, uint8_t c)
{
    bool prefixed = t->prefixed;
    t->prefixed = raw && !prefixed && c == PREFIX;
    if (t->prefixed)
        return;
    if (prefixed && (c != PREFIX || is_prompting(t)))
        prefixed_key(t, c);
    else if (is_prompting(t))
        prompt_key(t, c);
    else
        console_key(t, c);
}

/* What is typed behind a command waits until that has been carried out. */
static void keys_process(struct terminal *t)
{
    uint32_t n = 0;
    while (n < t->n_keys && !t->commands.n)
        one_key(t, t->keys[n++]);
    if (n)
        memmove(t->keys, t->keys + n, t->n_keys - n);
    t->n_keys -= n;
    if (t->n_pending)
        inlet_poke(&t->inlet);
}

/* Carries out one command and shows what it says; of a recording, nothing is shown. */
static void command_run(struct terminal *t, const char *command)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    bool leave = prompt_execute(t->run, command, f);
    fclose(f);
    if (is_prompting(t)) {
        screen_say(&t->screen, text);
        if (leave)
            prompt_leave(t);
    }
    free(text);
}

static void on_execute(struct event *ev, vtime_t now)
{
    struct terminal *t = container_of(ev, struct terminal, execute);
    (void)now;
    for (size_t i = 0; i < t->commands.n; i++) {
        command_run(t, t->commands.items[i]);
        free((char *)t->commands.items[i]);
    }
    t->commands.n = t->n_admitted = 0;
    keys_process(t);
}

/* --- input --- */

/* Gives the console what was read, as far as it has room. */
static void admit_typing(struct terminal *t)
{
    struct sim *s = t->inlet.sim;
    while (t->n_pending) {
        const uint8_t *p = t->pending + t->first_pending;
        uint32_t n = MIN(t->n_pending, PIECE);
        if (!console_feed(t->console, p, n, s->now + CONSOLE_DELAY)) {
            sim_at(s, &t->retry, s->now + RETRY_DELAY);
            return;
        }
        inlet_note(&t->inlet, INLET_CONSOLE, s->now, p, n);
        t->first_pending += n;
        t->n_pending -= n;
    }
    t->first_pending = 0;
}

/* Commands are carried out among the control events of this barrier. */
static void admit(struct inlet *in)
{
    struct terminal *t = container_of(in, struct terminal, inlet);
    struct sim *s = in->sim;
    admit_typing(t);
    for (; t->n_admitted < t->commands.n; t->n_admitted++) {
        const char *command = t->commands.items[t->n_admitted];
        inlet_note(in, INLET_COMMAND, s->now, command, strlen(command));
        sim_at(s, &t->execute, s->now);
    }
}

static void play(struct inlet *in, uint8_t kind, vtime_t at, const uint8_t *p, size_t len)
{
    struct terminal *t = container_of(in, struct terminal, inlet);
    if (kind == INLET_CONSOLE) {
        console_feed(t->console, p, len, at + CONSOLE_DELAY);
    } else if (kind == INLET_COMMAND) {
        list_push(&t->commands, xstrndup((const char *)p, len));
        sim_at(in->sim, &t->execute, in->sim->now);
    }
}

static const struct inlet_ops inlet_ops = {.admit = admit, .play = play};

static void on_retry(struct event *ev, vtime_t now)
{
    (void)now;
    inlet_poke(&container_of(ev, struct terminal, retry)->inlet);
}

/* Nothing more comes in. */
static void input_end(struct terminal *t)
{
    t->ended = true;
    prompt_leave(t);
    if (t->polled) {
        uv_poll_stop(&t->in);
        t->run->network.sim.options.paced = t->was_paced;
    }
}

/* Reads once. False: nothing more to read now, or ever. */
static bool take_input(struct terminal *t)
{
    if (t->ended)
        return false;
    array_reserve(t->keys, &t->cap_keys, t->n_keys + PIECE);
    ssize_t n = read(STDIN_FILENO, t->keys + t->n_keys, PIECE);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        input_end(t);
        return false;
    }
    t->n_keys += (uint32_t)n;
    keys_process(t);
    return true;
}

static void on_readable(uv_poll_t *p, int status, int events)
{
    struct terminal *t = p->data;
    (void)status;
    (void)events;
    if (t->n_keys + t->n_pending < CONSOLE_MAX_INPUT) /* or the guest has to read first */
        take_input(t);
}

bool terminal_is_used(const struct terminal *t)
{
    return t && raw && !t->ended;
}

bool terminal_wait(struct terminal *t)
{
    screen_flush(&t->screen);
    if (t->ended || t->screen.broken || signals_came() || !t->polled)
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
    t->in.data = t;
    screen_open(&t->screen, r, t->console);
    inlet_init(&t->inlet, &inlet_ops, &r->network.sim);
    event_init(&r->network.sim.control, &t->retry, on_retry);
    event_init(&r->network.sim.control, &t->execute, on_execute);
    if (inlet_played(&t->inlet)) {
        t->ended = true;
        return t;
    }
    terminal_raw();
    if (raw)
        fprintf(stderr,
                "lanarium: the console of %s; ctrl-] x ends the run, ctrl-] h names the keys\n",
                g->object.name);
    /* Files and /dev/null cannot be polled: they are read now, as far as the console takes them. */
    saved_flags = fcntl(STDIN_FILENO, F_GETFL); /* the loop has it not block */
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
    prompt_leave(t);
    screen_close(&t->screen, t->console);
    terminal_restore();
    inlet_finish(&t->inlet);
    evq_cancel(&t->run->network.sim.control, &t->retry);
    evq_cancel(&t->run->network.sim.control, &t->execute);
    if (t->polled)
        uv_close((uv_handle_t *)&t->in, on_closed);
    run_settle(loop);
    for (size_t i = 0; i < t->commands.n; i++)
        free((char *)t->commands.items[i]);
    free(t->commands.items);
    line_finish(&t->line);
    free(t->keys);
    free(t->pending);
    free(t);
}
