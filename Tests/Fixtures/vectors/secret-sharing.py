#!/usr/bin/env python3
"""Writes secret-sharing.txt: Shamir's shares over GF(2^8), computed in another way than the program does.

Products go through tables of powers of x + 1 (FIPS 197 has no such tables; the field's group is cyclic),
values are sums of powers, not Horner's scheme, and each secret is found again by Gaussian elimination,
not by Lagrange's formula. Deterministic: `random.Random` with a seed.
"""

import random

EXP, LOG = [0] * 510, [0] * 256
value = 1
for power in range(255):
    EXP[power] = EXP[power + 255] = value
    LOG[value] = power
    value ^= (value << 1) ^ (0x11B if value & 0x80 else 0)
assert value == 1 and sorted(EXP[:255]) == list(range(1, 256))


def multiply(a, b):
    return EXP[LOG[a] + LOG[b]] if a and b else 0


def power(a, n):
    return EXP[LOG[a] * n % 255] if n else 1


def solve(points):
    """The constant term of the polynomial through the points, by elimination."""
    rows = [[power(x, n) for n in range(len(points))] + [y] for x, y in points]
    for column in range(len(rows)):
        pivot = next(r for r in range(column, len(rows)) if rows[r][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        inverse = EXP[255 - LOG[rows[column][column]]]
        rows[column] = [multiply(v, inverse) for v in rows[column]]
        for r in range(len(rows)):
            if r != column and (factor := rows[r][column]):
                rows[r] = [a ^ multiply(factor, b) for a, b in zip(rows[r], rows[column])]
    return rows[0][-1]


def main():
    draw = random.Random("secure-store")
    print("# Written by secret-sharing.py: shares of secrets over GF(2^8), modulo x^8 + x^4 + x^3 + x + 1.")
    print("# Coefficients are those of x, x^2, ...; share n is the value at n.")
    for threshold, count, length in [
            (1, 1, 1), (2, 2, 1), (2, 3, 32), (3, 5, 32), (5, 5, 16), (4, 9, 32), (7, 20, 32),
            (2, 255, 4), (255, 255, 1)]:
        secret = draw.randbytes(length)
        coefficients = [draw.randbytes(length) for _ in range(threshold - 1)]
        shares = []
        for x in range(1, count + 1):
            share = bytearray(secret)
            for n, coefficient in enumerate(coefficients, 1):
                for place in range(length):
                    share[place] ^= multiply(coefficient[place], power(x, n))
            shares.append(bytes(share))
        if threshold < 100:
            chosen = draw.sample(range(count), threshold)
            found = bytes(solve([(i + 1, shares[i][p]) for i in chosen]) for p in range(length))
            assert found == secret
        print(f"\nthreshold = {threshold}\nsecret = {secret.hex()}")
        print(f"coefficients = {b''.join(coefficients).hex()}")
        print(f"shares = {b''.join(shares).hex()}")


main()
