// One unlock as a device makes it: a new connection, mutual TLS, POST /v1/unlock, the answer, the end.

#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

// Who asks: a certificate and its key.
struct device {
    X509 *certificate;
    EVP_PKEY *key;
};

enum outcome { PENDING, UNLOCKED, FAILED };

struct attempt {
    const struct device *device;
    SSL *ssl;
    int socket;
    enum { CONNECTING, SHAKING_HANDS, SENDING, RECEIVING } phase;
    double began;  // seconds, of CLOCK_MONOTONIC
    size_t received;
    char answer[8192];
};

// Seconds, of CLOCK_MONOTONIC.
double now(void);

// Starts one on a non-blocking socket, which is in `attempt->socket` then; false where that is not to be had.
bool attempt_begin(struct attempt *attempt, SSL_CTX *context, const struct device *device, int port);

// Goes on as far as possible without waiting. An answer counts when it is whole, and 200.
enum outcome attempt_advance(struct attempt *attempt);

// Whether a device would give up by now: 10 s to connect and shake hands each, 20 s for the answer.
bool attempt_is_overdue(const struct attempt *attempt, double time);

// Closes the connection.
void attempt_end(struct attempt *attempt);
