// What Swift reaches of libsodium: https://doc.libsodium.org/

#ifndef CSODIUM_H
#define CSODIUM_H

#include <sodium.h>

#endif
