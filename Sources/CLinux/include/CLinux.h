// The part of Linux that Swift cannot reach: macros, variadic functions, and what must run between
// fork and exec, where no Swift code may.

#ifndef CLINUX_H
#define CLINUX_H

#include <errno.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include "CLinuxFile.h"
#include "CLinuxProcess.h"
#include "CLinuxSandbox.h"
#include "CLinuxSocket.h"
#include "CLinuxSpawn.h"

// errno is a macro over a function the importer does not see through.
int linux_errno(void);
void linux_set_errno(int code);

// strerror_r comes in two shapes; this is the one that fills the buffer. Returns 0.
int linux_describe_errno(int code, char *buffer, size_t count);

// open(2) is variadic.
int linux_openat(int directory, const char *path, int flags, mode_t mode);

// fcntl(2) is variadic. Duplicates with F_DUPFD_CLOEXEC.
int linux_duplicate(int descriptor);

// dup3 with O_CLOEXEC, which Swift's Glibc does not show.
int linux_replace(int descriptor, int replacement);

// fcntl(2) again: F_GETFL, F_SETFL, and F_SETFD with FD_CLOEXEC.
int linux_get_status_flags(int descriptor);
int linux_set_status_flags(int descriptor, int flags);
int linux_close_on_exec(int descriptor);

// fcntl(2) with F_GETFD: whether FD_CLOEXEC is set, or -1 with errno.
int linux_closes_on_exec(int descriptor);

#endif
