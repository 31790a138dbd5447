/* A topology script: the Lua state, its limits, loading files, and its errors as sentences. */
#include "topo/script.h"

#include <errno.h>
#include <stdarg.h>

#define SOURCE_MAX (16u << 20)

struct script *script_of(lua_State *L)
{
    return *(struct script **)lua_getextraspace(L);
}

static void *limited_alloc(void *opaque, void *p, size_t old, size_t size)
{
    struct script *s = opaque;
    if (!p)
        old = 0; /* it is a kind of object then, not a size */
    if (size == 0) {
        free(p);
        s->used -= old;
        return NULL;
    }
    if (size > old && s->used + (size - old) > SCRIPT_MEMORY)
        return NULL;
    void *to = realloc(p, size);
    if (to)
        s->used += size - old;
    return to;
}

/*
 * Counts instructions. Once the budget is gone every further instruction fails, so that a
 * pcall around the endless loop does not keep it going.
 */
static void count_hook(lua_State *L, lua_Debug *ar)
{
    struct script *s = script_of(L);
    (void)ar;
    s->budget -= SCRIPT_HOOK_COUNT;
    if (s->budget > 0)
        return;
    lua_sethook(L, count_hook, LUA_MASKCOUNT, 1);
    luaL_where(L, 0); /* the function that runs, not the one that called it */
    lua_pushfstring(L,
                    "the script ran for %d million instructions without an end; is this loop "
                    "endless?",
                    (int)(SCRIPT_INSTRUCTIONS / 1000000));
    lua_concat(L, 2);
    lua_error(L);
}

void script_refill(struct script *s)
{
    s->budget = SCRIPT_INSTRUCTIONS;
}

struct place script_place(lua_State *L, int level)
{
    lua_Debug ar;
    for (; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline > 0 && ar.source[0] == '@')
            return (struct place){topo_intern(script_of(L)->topo, ar.source + 1), ar.currentline};
    }
    return (struct place){script_of(L)->topo->title, 0};
}

int script_error(lua_State *L, const char *fmt, ...)
{
    struct place p = script_place(L, 1);
    va_list ap;
    lua_pushfstring(L, "%s:%d: ", p.file, p.line);
    va_start(ap, fmt);
    lua_pushvfstring(L, fmt, ap);
    va_end(ap);
    lua_concat(L, 2);
    return lua_error(L);
}

/*
 * Lua shortens a long chunk name to "...end/of/it.lua" in its messages; put the whole back.
 * `text` is the message; returns a heap string.
 */
static char *whole_name(struct script *s, const char *text)
{
    const char *colon = strchr(text, ':');
    if (strncmp(text, "...", 3) != 0 || !colon)
        return xstrdup(text);
    size_t n = (size_t)(colon - text) - 3;
    for (size_t i = 0; i < s->topo->sources.n; i++) {
        const char *file = s->topo->sources.items[i].file;
        size_t len = strlen(file);
        if (len >= n && memcmp(file + len - n, text + 3, n) == 0)
            return xasprintf("%s%s", file, colon);
    }
    return xstrdup(text);
}

char *script_error_text(struct script *s, lua_State *L)
{
    char *text;
    if (lua_type(L, -1) == LUA_TSTRING) {
        const char *raw = lua_tostring(L, -1);
        if (strcmp(raw, "not enough memory") == 0)
            text = xasprintf("%s: the script needs more than %u MiB of memory", s->topo->title,
                             SCRIPT_MEMORY >> 20);
        else
            text = whole_name(s, raw);
    } else {
        size_t len;
        text = xasprintf("%s: error: %s", s->topo->title, script_tostring(L, -1, &len));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return text;
}

/* Reads a file whole; NULL, with a sentence in err, if it cannot be had. */
static char *file_text(struct topo *t, const char *path, size_t *len, struct place from)
{
    const char *problem;
    FILE *f = NULL;
    char *text = NULL;
    if (topo_readable(path, false, &problem)) {
        f = fopen(path, "rb");
        if (!f)
            problem = strerror(errno);
    }
    if (f) {
        text = xmalloc(SOURCE_MAX + 1);
        *len = fread(text, 1, SOURCE_MAX + 1, f);
        if (ferror(f) || *len > SOURCE_MAX) {
            problem = ferror(f) ? "it cannot be read" : "it is larger than 16 MiB";
            free(text);
            text = NULL;
        } else {
            text = xrealloc(text, *len + 1);
            text[*len] = '\0';
        }
        fclose(f);
    }
    if (!text && from.line)
        err_at(&t->err, from.file, from.line, "include \"%s\": %s", path, problem);
    else if (!text)
        err_at(&t->err, path, 0, "%s", problem);
    return text;
}

/* Reads and compiles a file; pushes the function. */
static bool file_load(struct script *s, lua_State *L, const char *path, struct place from)
{
    size_t len;
    char *text = file_text(s->topo, path, &len, from);
    if (!text)
        return false;
    list_push(&s->topo->sources, ((struct topo_source){topo_intern(s->topo, path), text}));
    char *name = xasprintf("@%s", path);
    int status = luaL_loadbufferx(L, text, len, name, "t");
    free(name);
    if (status == LUA_OK)
        return true;
    char *sentence = script_error_text(s, L);
    if (text[0] == LUA_SIGNATURE[0])
        err_at(&s->topo->err, path, 0, "it is compiled Lua, and only source text is taken");
    else
        err_add(&s->topo->err, "%s", sentence);
    free(sentence);
    return false;
}

/* include "file": runs another file, whose path is relative to the one that says so. */
static int script_include(lua_State *L)
{
    struct script *s = script_of(L);
    struct place from = script_place(L, 1);
    const char *path = topo_path(s->topo, from, luaL_checkstring(L, 1));
    if (s->depth >= SCRIPT_MAX_INCLUDES)
        return luaL_error(L, "include \"%s\": files include each other more than %d deep", path,
                          SCRIPT_MAX_INCLUDES);
    if (!file_load(s, L, path, from)) {
        lua_pushnil(L); /* the sentence is in the list already */
        return lua_error(L);
    }
    s->depth++;
    int base = lua_gettop(L);
    lua_call(L, 0, LUA_MULTRET);
    s->depth--;
    return lua_gettop(L) - base + 1;
}

/* arg.NAME, from --define NAME=VALUE; NAME alone is "true". */
static void defines_push(lua_State *L, const char *const *defines, size_t n)
{
    lua_newtable(L);
    for (size_t i = 0; i < n; i++) {
        const char *equals = strchr(defines[i], '=');
        size_t len = equals ? (size_t)(equals - defines[i]) : strlen(defines[i]);
        lua_pushlstring(L, defines[i], len);
        lua_pushstring(L, equals ? equals + 1 : "true");
        lua_rawset(L, -3);
    }
    lua_setglobal(L, "arg");
}

void script_init(struct script *s, struct topo *t, FILE *say, const char *const *defines, size_t n)
{
    *s = (struct script){.topo = t, .say = say};
    script_refill(s);
    s->L = lua_newstate(limited_alloc, s);
    if (!s->L)
        abort();
    lua_State *L = s->L;
    *(struct script **)lua_getextraspace(L) = s;
    sandbox_open(L);
    order_open(L);
    declare_open(L);
    methods_open(L);
    control_open(L);
    lua_register(L, "include", script_include);
    defines_push(L, defines, n);
    lua_sethook(L, count_hook, LUA_MASKCOUNT, SCRIPT_HOOK_COUNT);
}

void script_finish(struct script *s)
{
    if (s->L)
        lua_close(s->L);
    *s = (struct script){0};
}

bool script_load(struct script *s, const char *path)
{
    lua_State *L = s->L;
    script_refill(s);
    if (!file_load(s, L, path, (struct place){NULL, 0}))
        return false;
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
        if (lua_isnil(L, -1)) { /* an include that has said why already */
            lua_pop(L, 1);
            return false;
        }
        char *sentence = script_error_text(s, L);
        err_add(&s->topo->err, "%s", sentence);
        free(sentence);
        return false;
    }
    return true;
}
