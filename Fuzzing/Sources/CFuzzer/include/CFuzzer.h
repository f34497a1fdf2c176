#pragma once

#include <stddef.h>
#include <stdint.h>

/// libFuzzer's own entry, of which no header is installed: runs the callback on inputs until an
/// option in the arguments says stop. Needed because SwiftPM brings a `main` of its own.
int LLVMFuzzerRunDriver(
    int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));
