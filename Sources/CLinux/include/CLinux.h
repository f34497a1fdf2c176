// The part of Linux that Swift cannot reach: macros, variadic functions, and what must run between
// fork and exec, where no Swift code may.

#ifndef CLINUX_H
#define CLINUX_H

#include <errno.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

// errno is a macro over a function the importer does not see through.
int linux_errno(void);
void linux_set_errno(int code);

// strerror_r comes in two shapes; this is the one that fills the buffer. Returns 0.
int linux_describe_errno(int code, char *buffer, size_t count);

// open(2) is variadic.
int linux_openat(int directory, const char *path, int flags, mode_t mode);

// fcntl(2) is variadic. Duplicates with F_DUPFD_CLOEXEC.
int linux_duplicate(int descriptor);

#endif
