/* Reads the flattened device tree in place (Devicetree Specification 0.4, chapter 5).
   A node is named by its offset in the structure block. */
#ifndef PROGRAMS_BASE_DTB_H
#define PROGRAMS_BASE_DTB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Use the tree at `tree`. Returns false when there is none. */
bool dtb_init(const void *tree);
const void *dtb_address(void);
size_t dtb_size(void);

/* Every node in the order of the tree: for (n = dtb_first(); n >= 0; n = dtb_next(n)) */
int dtb_first(void);
int dtb_next(int node);

/* The node with this path component below the root ("chosen"), or -1. */
int dtb_find(const char *name);

/* The next node after `node` (or -1: the first) that is compatible, or -1. A node
   whose status is neither absent nor okay is passed over. */
int dtb_compatible(int node, const char *compatible);

/* The node with this phandle, or -1. */
int dtb_phandle(uint32_t phandle);

/* A property's value in place, and its length; NULL when the node has none. */
const void *dtb_property(int node, const char *name, size_t *len);

/* The property's cell `index`, or `otherwise` when there is none. */
uint32_t dtb_cell(int node, const char *name, unsigned index, uint32_t otherwise);

bool dtb_string_is(int node, const char *name, const char *value);

/* Entry `index` of the node's reg, in the cells its parent asks for. */
bool dtb_reg(int node, unsigned index, uint64_t *address, uint64_t *size);

/* Where the processor sees the first I/O port of a node of an ISA bus. */
bool dtb_isa_ports(int node, uint64_t *address);

/* The node's first interrupt at its controller, 0 when it has none. */
uint32_t dtb_interrupt(int node);

#endif
