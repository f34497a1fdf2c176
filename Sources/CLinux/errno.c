#include "CLinux.h"

#include <stdio.h>
#include <string.h>

int linux_errno(void) { return errno; }

void linux_set_errno(int code) { errno = code; }

int linux_describe_errno(int code, char *buffer, size_t count) {
    const char *text = strerror_r(code, buffer, count);
    if (text != buffer) snprintf(buffer, count, "%s", text);
    return 0;
}
