#include "CAttack.h"

#include <errno.h>
#include <stdio.h>

int needles_read(const char *text, struct needles *into) {
    into->count = 0;
    while (*text != '\0') {
        if (into->count == sizeof into->item / sizeof *into->item) return EINVAL;
        size_t length = 0;
        unsigned byte;
        while (sscanf(text, "%2x", &byte) == 1 && length < sizeof into->item[0].inverted) {
            into->item[into->count].inverted[length++] = (uint8_t)byte;
            text += 2;
        }
        if (length == 0) return EINVAL;
        into->item[into->count++].count = length;
        if (*text == ',') text++;
    }
    return 0;
}

bool needles_occur(const struct needles *needles, const uint8_t *bytes, size_t count) {
    for (size_t n = 0; n < needles->count; n++) {
        const size_t length = needles->item[n].count;
        for (size_t at = 0; at + length <= count; at++) {
            size_t same = 0;
            while (same < length && (bytes[at + same] ^ needles->item[n].inverted[same]) == 0xff)
                same++;
            if (same == length) return true;
        }
    }
    return false;
}
