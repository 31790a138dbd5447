/* The user-mode stack's SMB server: Samba's smbd, one per connection. */
#ifndef UPLINKS_USER_SMB_H
#define UPLINKS_USER_SMB_H

#include "sim/err.h"

/** What is wrong with sharing this folder, as sentences. */
void user_smb_check(const char *folder, const char *file, int line, struct err *err);

/**
 * Write a configuration into the private folder `where`, which shares `folder` as "qemu" for
 * whoever asks, with the rights of whoever runs this. The command that serves one connection on its
 * input; heap, the caller's. NULL, with errno.
 */
char *user_smb_configure(const char *where, const char *folder);

#endif
