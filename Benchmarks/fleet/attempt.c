#include "attempt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// As secure-init asks.
static const char body[] =
    "{\"device\":\"bench\",\"boot_id\":\"6a3c0a3e-0000-4000-8000-7d8f\",\"keys\":[\"default\"],\"version\":\"1.0\"}";

static int send_request(SSL *ssl) {
    char request[512];
    int length = snprintf(
        request, sizeof request,
        "POST /v1/unlock HTTP/1.1\r\nHost: localhost\r\nUser-Agent: secure-init/bench\r\nAccept: application/json\r\n"
        "Connection: close\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
        sizeof body - 1, body);
    return SSL_write(ssl, request, length);
}

double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

bool attempt_begin(struct attempt *attempt, SSL_CTX *context, const struct device *device, int port) {
    *attempt = (struct attempt){.device = device, .phase = CONNECTING, .began = now()};
    attempt->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (attempt->socket < 0) return false;
    attempt->ssl = SSL_new(context);
    SSL_use_certificate(attempt->ssl, device->certificate);
    SSL_use_PrivateKey(attempt->ssl, device->key);
    SSL_set1_host(attempt->ssl, "localhost");
    SSL_set_fd(attempt->ssl, attempt->socket);
    struct sockaddr_in server = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    return connect(attempt->socket, (struct sockaddr *)&server, sizeof server) == 0 || errno == EINPROGRESS;
}

// What a call of the TLS library that did not succeed means.
static enum outcome cause(struct attempt *attempt, int result) {
    int error = SSL_get_error(attempt->ssl, result);
    ERR_clear_error();
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? PENDING : FAILED;
}

// Whether the answer is whole, by its Content-Length.
static enum outcome judge(const struct attempt *attempt) {
    const char *end_of_head = strstr(attempt->answer, "\r\n\r\n");
    if (end_of_head == NULL) return PENDING;
    const char *length = strcasestr(attempt->answer, "\r\ncontent-length:");
    if (length == NULL || length > end_of_head) return FAILED;
    size_t end = (size_t)(end_of_head + 4 - attempt->answer) + (size_t)atol(length + 17);
    if (attempt->received < end) return PENDING;
    return strncmp(attempt->answer, "HTTP/1.1 200 ", 13) == 0 ? UNLOCKED : FAILED;
}

enum outcome attempt_advance(struct attempt *attempt) {
    int result;
    if (attempt->phase == CONNECTING) {
        int error = 0;
        socklen_t length = sizeof error;
        getsockopt(attempt->socket, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error != 0) return FAILED;
        struct sockaddr_in peer;
        length = sizeof peer;
        if (getpeername(attempt->socket, (struct sockaddr *)&peer, &length) != 0) return PENDING;
        attempt->phase = SHAKING_HANDS;
    }
    if (attempt->phase == SHAKING_HANDS) {
        result = SSL_connect(attempt->ssl);
        if (result != 1) return cause(attempt, result);
        attempt->phase = SENDING;
    }
    if (attempt->phase == SENDING) {
        result = send_request(attempt->ssl);
        if (result <= 0) return cause(attempt, result);
        attempt->phase = RECEIVING;
    }
    for (;;) {
        size_t room = sizeof attempt->answer - 1 - attempt->received;
        if (room == 0) return FAILED;
        result = SSL_read(attempt->ssl, attempt->answer + attempt->received, (int)room);
        if (result <= 0) return cause(attempt, result);
        attempt->received += (size_t)result;
        enum outcome outcome = judge(attempt);
        if (outcome != PENDING) return outcome;
    }
}

bool attempt_is_overdue(const struct attempt *attempt, double time) {
    double patience = attempt->phase == CONNECTING ? 10 : attempt->phase == SHAKING_HANDS ? 20 : 40;
    return time - attempt->began > patience;
}

void attempt_end(struct attempt *attempt) {
    if (attempt->ssl != NULL) {
        if (attempt->phase == RECEIVING) SSL_shutdown(attempt->ssl);
        SSL_free(attempt->ssl);
        ERR_clear_error();
    }
    if (attempt->socket >= 0) close(attempt->socket);
    attempt->ssl = NULL;
    attempt->socket = -1;
}
