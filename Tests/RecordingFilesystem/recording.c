// The log, and what is to fail.

#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int log_file = -1;
static int fault_file = -1;

int recording_start(const char *log, const char *faults) {
    log_file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    fault_file = open(faults, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
    return log_file < 0 || fault_file < 0 ? -errno : 0;
}

// The file holds a line: an errno, the letters of what is to fail with it. It is written in place by the test.
static int fault(char letters[64]) {
    char line[96];
    ssize_t count = pread(fault_file, line, sizeof line - 1, 0);
    if (count <= 0) return 0;
    line[count] = 0;
    int number = 0;
    letters[0] = 0;
    return sscanf(line, "%d %63s", &number, letters) == 2 ? number : 0;
}

int recording_fault(enum operation operation) {
    char letters[64];
    int number = fault(letters);
    return number && strchr(letters, operation) ? -number : 0;
}

size_t recording_torn(size_t count) {
    char letters[64];
    // Besides failing, half of it arrives.
    return fault(letters) && strchr(letters, '/') ? count / 2 : 0;
}

void recording_append(enum operation operation, uint64_t number, uint64_t first, uint64_t second,
                      const char *name, const char *other, const void *data, size_t length) {
    char line[9000];
    int count = snprintf(line, sizeof line, "%c %" PRIu64 " %" PRIu64 " %" PRIu64 " %zu %s%s%s\n",
                         operation, number, first, second, length, name, other ? "/" : "",
                         other ? other : "");
    struct iovec parts[] = {{line, (size_t)count}, {(void *)data, length}};
    if (count < 0 || (size_t)count >= sizeof line
        || writev(log_file, parts, data ? 2 : 1) != (ssize_t)(count + (data ? length : 0)))
        abort();
}
