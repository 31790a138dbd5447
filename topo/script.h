/* A topology script: a Lua state that can do nothing but describe and test a network. */
#ifndef TOPO_SCRIPT_H
#define TOPO_SCRIPT_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "sim/rng.h"
#include "topo/topo.h"

struct tests;

#define SCRIPT_MEMORY (256u << 20)      /* bytes a script may hold */
#define SCRIPT_INSTRUCTIONS 500000000LL /* that it may execute without a pause in virtual time */
#define SCRIPT_HOOK_COUNT 100000        /* how often that is looked at */
#define SCRIPT_MAX_INCLUDES 16          /* files deep */

struct script {
    struct topo *topo;
    lua_State *L;
    size_t used;    /* bytes allocated */
    int64_t budget; /* instructions left before the next pause */
    struct rng rng; /* math.random's */
    bool rng_ready;
    FILE *say;           /* where print goes */
    int depth;           /* of include */
    struct tests *tests; /* NULL while the network is being declared */
};

/**
 * Make a state for describing `t`. `defines` are "NAME=VALUE" strings, n of them, which the
 * script sees as arg.NAME.
 */
void script_init(struct script *s, struct topo *t, FILE *say, const char *const *defines, size_t n);
void script_finish(struct script *s);

/** Run a file, which describes the network. False with sentences in t->err. */
bool script_load(struct script *s, const char *path);

/** Allow another SCRIPT_INSTRUCTIONS: virtual time has passed. */
void script_refill(struct script *s);

/** The script a state belongs to. */
struct script *script_of(lua_State *L);

/** Where level `level` of the running script is. line 0 if that is not known. */
struct place script_place(lua_State *L, int level);

/**
 * Raise an error at the line of the script that is running, whatever functions of ours lie
 * between. The format is lua_pushfstring's.
 */
int script_error(lua_State *L, const char *fmt, ...);

/** The error object at the top of the stack as a sentence, "FILE:LINE: what"; heap; pops it. */
char *script_error_text(struct script *s, lua_State *L);

/** What `tostring` gives, without addresses; pushes it, and returns it. */
const char *script_tostring(lua_State *L, int index, size_t *len);

/* What goes into a state: sandbox.c, lib_*.c, declare.c, methods.c. */
void sandbox_open(lua_State *L);
void order_open(lua_State *L);
void declare_open(lua_State *L);
void methods_open(lua_State *L);
void control_open(lua_State *L);

#endif
