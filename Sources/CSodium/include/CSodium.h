// What Swift reaches of libsodium: https://doc.libsodium.org/

#ifndef CSODIUM_H
#define CSODIUM_H

#include <sodium.h>

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

// Whether the processor has instructions for AES. The library of Debian 12 knows of x86 only.
static inline int csodium_has_aes(void) {
#if defined(__aarch64__)
    const unsigned long aes = 1UL << 3; // HWCAP_AES
    return (getauxval(AT_HWCAP) & aes) != 0;
#else
    return crypto_aead_aes256gcm_is_available();
#endif
}

#endif
