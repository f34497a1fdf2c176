// What Swift reaches of libfuse 3.

#ifndef CFUSE_H
#define CFUSE_H

#endif
