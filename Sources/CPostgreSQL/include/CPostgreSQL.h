// What Swift reaches of libpq: https://www.postgresql.org/docs/current/libpq.html

#ifndef CPOSTGRESQL_H
#define CPOSTGRESQL_H

#include <postgresql/libpq-fe.h>

#endif
