/* Handles: the objects of a topology as values of the script. */
#ifndef TOPO_HANDLE_H
#define TOPO_HANDLE_H

#include "topo/script.h"

/** Push an object's handle: always the same one for the same object. */
void handle_push(lua_State *L, struct topo_object *o);

/** The object at `index` of any of the kinds in the bit mask `1 << kind`; NULL if it is none. */
struct topo_object *handle_to(lua_State *L, int index, unsigned kinds);

/** Likewise, for argument 1 of a method; a Lua error if it is something else. */
void *handle_self(lua_State *L, enum topo_kind kind);

/** A number that orders handles by declaration. */
lua_Integer handle_order(lua_State *L, int index);

/** Make the metatable of a kind, with its methods. */
void handle_class(lua_State *L, enum topo_kind kind, const luaL_Reg *methods);

/** Push the table of a kind's methods. */
void handle_push_methods(lua_State *L, enum topo_kind kind);

/** What calling a handle does: read the table of attributes that follows its name (declare.c). */
int handle_describe(lua_State *L);

#define KIND_BIT(kind) (1u << (kind))
#define KIND_ANY (KIND_BIT(TOPO_KINDS) - 1)

#endif
