#include "addressee.h"

#include <stdbool.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

// The longest name, '=', ten digits, NUL.
enum { TEXT_SIZE = 32 };

// `NAME=` and the number: what snprintf would write, which is not safe here.
static void describe(char *text, const char *name, pid_t pid) {
    char digits[10];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + pid % 10);
        pid /= 10;
    } while (pid != 0);
    size_t length = strlen(name);
    memcpy(text, name, length);
    while (count > 0) text[length++] = digits[--count];
    text[length] = '\0';
}

static bool replace(char **envp, const char *old, char *new) {
    bool found = false;
    for (char **entry = envp; *entry != NULL; entry++) {
        if (strcmp(*entry, old) != 0) continue;
        *entry = new;
        found = true;
    }
    return found;
}

static void leave_out(char **envp, const char *prefix) {
    char **kept = envp;
    for (char **entry = envp; *entry != NULL; entry++)
        if (strncmp(*entry, prefix, strlen(prefix)) != 0) *kept++ = *entry;
    *kept = NULL;
}

void linux_become_addressee(char **envp) {
    // Not on the stack: exec reads them after this has returned. The parent has its own.
    static char listener[TEXT_SIZE], watched[TEXT_SIZE];
    char old[TEXT_SIZE];

    describe(old, "LISTEN_PID=", getppid());
    describe(listener, "LISTEN_PID=", getpid());
    // The same process once more, by its pidfd's inode; without it the pid alone counts.
    if (replace(envp, old, listener)) leave_out(envp, "LISTEN_PIDFDID=");

    describe(old, "WATCHDOG_PID=", getppid());
    describe(watched, "WATCHDOG_PID=", getpid());
    replace(envp, old, watched);
}
