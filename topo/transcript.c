/* A console's transcript: output that no test has taken, and the search for a pattern in it. */
#include "topo/tests.h"

static struct sim *sim_of(const struct transcript *tr)
{
    return &tr->tests->network->sim;
}

static bool waited_for(const struct transcript *tr)
{
    const struct tests *t = tr->tests;
    return t->kind == WAIT_CONSOLE && t->transcript == tr && !t->found;
}

static void mark_add(struct transcript *tr, size_t end, vtime_t visible)
{
    list_push(&tr->marks, ((struct mark){end, visible}));
}

/* A line that has not ended is seen once nothing has followed it for TESTS_SETTLE. */
static void settle(struct transcript *tr, vtime_t now)
{
    size_t seen = tr->marks.n ? tr->marks.items[tr->marks.n - 1].end : 0;
    if (tr->n > seen && tr->last + TESTS_SETTLE <= now)
        mark_add(tr, tr->n, tr->last + TESTS_SETTLE);
}

/* Takes `n` bytes off the front. */
static void drop(struct transcript *tr, size_t n)
{
    size_t kept = 0;
    memmove(tr->text, tr->text + n, tr->n - n);
    tr->n -= n;
    for (size_t i = 0; i < tr->marks.n; i++)
        if (tr->marks.items[i].end > n)
            tr->marks.items[kept++] =
                (struct mark){tr->marks.items[i].end - n, tr->marks.items[i].visible};
    tr->marks.n = kept;
    if (waited_for(tr))
        tr->tests->searched -= MIN(tr->tests->searched, n);
}

/* Keeps the transcript bounded: the older half goes. */
static void bound(struct transcript *tr)
{
    if (tr->n > TRANSCRIPT_MAX)
        drop(tr, tr->n - TRANSCRIPT_MAX / 2);
}

/*
 * Whether a byte belongs to a terminal's escape sequence: ESC [ parameters letter (ECMA-48, 5.4),
 * or ESC and one other character.
 */
bool escape_takes(int *state, uint8_t c)
{
    enum { TEXT, ESC, CSI };
    switch (*state) {
    case TEXT: *state = c == 0x1b ? ESC : TEXT; return c == 0x1b;
    case ESC: *state = c == '[' ? CSI : TEXT; return c != '\n';
    default:
        if (c >= 0x40 || c == '\n')
            *state = TEXT;
        return c != '\n';
    }
}

/* A line that is too long for the tail is no prompt: its end does not matter. */
static void tail_keep(struct transcript *tr, char c)
{
    if (c == '\n' || c == '\r')
        tr->tail_n = 0;
    else if (tr->tail_n < sizeof(tr->tail))
        tr->tail[tr->tail_n++] = c;
}

/* Adds a byte; whether it ends a line. */
static bool append(struct transcript *tr, uint8_t c)
{
    if (escape_takes(&tr->escape, c))
        return false;
    if (tr->n == tr->cap) {
        tr->cap = tr->cap ? tr->cap * 2 : 256;
        tr->text = xrealloc(tr->text, tr->cap);
    }
    tr->text[tr->n++] = (char)c;
    tail_keep(tr, (char)c);
    return c == '\n';
}

static void on_bytes(struct console_sink *sink, vtime_t at, const uint8_t *p, size_t n)
{
    struct transcript *tr = container_of(sink, struct transcript, sink);
    bool line = false;
    settle(tr, at);
    for (size_t i = 0; i < n; i++) {
        if (append(tr, p[i])) {
            mark_add(tr, tr->n, at + CONSOLE_DELAY);
            line = true;
        }
    }
    tr->last = at;
    bound(tr);
    if (!waited_for(tr))
        return;
    sim_at(sim_of(tr), &tr->silence, at + TESTS_SETTLE);
    if (line)
        transcript_look(tr, at);
}

static void on_silence(struct event *ev, vtime_t now)
{
    struct transcript *tr = container_of(ev, struct transcript, silence);
    settle(tr, now);
    if (waited_for(tr))
        transcript_look(tr, now);
}

/*
 * Searches bytes [from, end) for the pattern. If it is there, leaves what string.match would
 * give in a table at the top of the stack, takes the bytes, and returns true.
 */
static bool search(struct transcript *tr, lua_State *L, size_t from, size_t end)
{
    struct tests *t = tr->tests;
    int top = lua_gettop(L);
    lua_getfield(L, LUA_REGISTRYINDEX, "string.find");
    lua_pushlstring(L, tr->text + from, end - from);
    lua_pushlstring(L, t->pattern, t->pattern_len);
    lua_pushinteger(L, 1);
    lua_pushboolean(L, t->plain);
    if (lua_pcall(L, 4, LUA_MULTRET, 0) != LUA_OK || lua_isnil(L, top + 1)) {
        lua_settop(L, top);
        return false;
    }
    size_t first = (size_t)lua_tointeger(L, top + 1), last = (size_t)lua_tointeger(L, top + 2);
    int n = lua_gettop(L) - top - 2;
    lua_createtable(L, n, 0);
    for (int i = 1; i <= n; i++) {
        lua_pushvalue(L, top + 2 + i);
        lua_rawseti(L, -2, i);
    }
    if (n == 0) {
        lua_pushlstring(L, tr->text + from + first - 1, last - first + 1);
        lua_rawseti(L, -2, 1);
    }
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
    drop(tr, from + last);
    return true;
}

/*
 * What can be seen now is searched as one; what will be seen later, mark by mark, because the
 * test goes on when the first of them matches. A later search begins TRANSCRIPT_SPAN before
 * what is new: a match from further back would have to be longer.
 */
bool transcript_look(struct transcript *tr, vtime_t now)
{
    struct tests *t = tr->tests;
    lua_State *L = t->script->L;
    size_t i = 0, end = 0;
    while (i < tr->marks.n && tr->marks.items[i].visible <= now)
        end = tr->marks.items[i++].end;
    bool anchored = !t->plain && t->pattern[0] == '^';
    for (;; i++) {
        size_t from = anchored ? 0 : t->searched - MIN(t->searched, TRANSCRIPT_SPAN);
        if (end > t->searched) {
            vtime_t at =
                i && tr->marks.items[i - 1].visible > now ? tr->marks.items[i - 1].visible : now;
            if (search(tr, L, from, end)) {
                tests_answer(t, L, at);
                return true;
            }
            t->searched = end;
        }
        if (i >= tr->marks.n)
            break;
        end = tr->marks.items[i].end;
    }
    if (tr->n > end) /* the beginning of a line: look again when it has settled */
        sim_at(sim_of(tr), &tr->silence, MAX(now, tr->last + TESTS_SETTLE));
    return false;
}

void transcript_push_tail(struct transcript *tr, lua_State *L)
{
    enum { LINES = 8 };
    luaL_Buffer b;
    size_t start = tr->n;
    for (int lines = 0; start > 0; start--)
        if (tr->text[start - 1] == '\n' && start < tr->n && ++lines == LINES)
            break;
    luaL_buffinit(L, &b);
    if (tr->n == 0)
        luaL_addstring(&b, "\n  (it has printed nothing since the last match)");
    for (size_t i = start; i < tr->n; i++) {
        unsigned char c = (unsigned char)tr->text[i];
        if (i == start || tr->text[i - 1] == '\n')
            luaL_addstring(&b, "\n  | ");
        if (c == '\t' || (c >= ' ' && c != 0x7f))
            luaL_addchar(&b, (char)c);
    }
    luaL_pushresult(&b);
}

void transcript_inherit(struct transcript *tr, const struct transcript *original, vtime_t now)
{
    on_bytes(&tr->sink, now, (const uint8_t *)original->tail, original->tail_n);
}

void transcript_clear(struct transcript *tr)
{
    drop(tr, tr->n);
}

bool transcript_at(const struct transcript *tr, const char *text)
{
    return tr->tail_n == strlen(text) && memcmp(tr->tail, text, tr->tail_n) == 0;
}

void transcript_init(struct transcript *tr, struct tests *t, struct console *c)
{
    *tr = (struct transcript){.tests = t, .console = c, .sink = {.bytes = on_bytes}};
    event_init(&t->network->sim.control, &tr->silence, on_silence);
    console_add_sink(c, &tr->sink);
}

void transcript_finish(struct transcript *tr)
{
    if (!tr->tests)
        return;
    evq_cancel(&tr->tests->network->sim.control, &tr->silence);
    console_remove_sink(tr->console, &tr->sink);
    free(tr->text);
    free(tr->marks.items);
    *tr = (struct transcript){0};
}
