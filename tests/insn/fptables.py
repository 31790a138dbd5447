#!/usr/bin/env python3
"""Writes the floating-point tables fp_single.inc, fp_double.inc and fp_convert.inc.

    fptables.py FOLDER

The results come from exact rational arithmetic, rounded once as IEEE 754-2008 clause 4.3
says, with RISC-V's choices (Unprivileged 11.2, 11.3, 11.7): canonical NaN, tininess
after rounding, saturating conversions. No floating-point arithmetic of the host is
used, and no emulator was asked. A row is: operation, three operands, then result and
flags for RNE, RTZ, RDN, RUP, RMM.
"""
import random
import sys
from fractions import Fraction
from math import isqrt

RNE, RTZ, RDN, RUP, RMM = range(5)
NX, UF, OF, DZ, NV = 1, 2, 4, 8, 16


class Format:
    def __init__(self, letter, bits, fraction_bits):
        self.letter, self.bits, self.fb = letter, bits, fraction_bits
        self.eb = bits - 1 - fraction_bits
        self.bias = (1 << (self.eb - 1)) - 1
        self.exp_ones = (1 << self.eb) - 1
        self.sign = 1 << (bits - 1)
        self.inf = self.exp_ones << self.fb
        self.nan = self.inf | 1 << (self.fb - 1)
        self.snan = self.inf | 1
        self.max = self.inf - 1
        self.min_normal = 1 << self.fb
        self.one = self.bias << self.fb

    def kind(self, x):
        """zero, finite, inf, qnan or snan"""
        mag = x & (self.sign - 1)
        if mag > self.inf:
            return "qnan" if mag & 1 << (self.fb - 1) else "snan"
        return "inf" if mag == self.inf else "finite" if mag else "zero"

    def negative(self, x):
        return bool(x & self.sign)

    def value(self, x):
        exp = x >> self.fb & self.exp_ones
        frac = x & ((1 << self.fb) - 1)
        if exp:
            frac |= 1 << self.fb
        v = Fraction(frac) * Fraction(2) ** (max(exp, 1) - self.bias - self.fb)
        return -v if self.negative(x) else v

    def boxed(self, x):
        return x | (0 if self.bits == 64 else 0xffffffff << 32)


def round_integer(v, rm, neg):
    """A magnitude (Fraction) to an integer magnitude; neg is the number's sign."""
    low = v.numerator // v.denominator
    rest = v - low
    if rest == 0:
        return low, False
    up = {RNE: rest > Fraction(1, 2) or (rest == Fraction(1, 2) and low & 1),
          RTZ: False, RDN: neg, RUP: not neg, RMM: rest >= Fraction(1, 2)}[rm]
    return low + bool(up), True


def exponent(v):
    """e with 2^e <= v < 2^(e+1), v a positive Fraction"""
    e = v.numerator.bit_length() - v.denominator.bit_length()
    return e if Fraction(2) ** e <= v else e - 1


def round_to(f, v, rm, neg):
    """A nonzero magnitude v, with its sign, to bits and flags."""
    sign = f.sign if neg else 0
    emin = 1 - f.bias
    e = exponent(v)
    # Would it be below the smallest normal if the exponent had no bound?
    scale = Fraction(2) ** (e - f.fb)
    unbounded, _ = round_integer(v / scale, rm, neg)
    tiny = unbounded * scale < Fraction(2) ** emin
    scale = Fraction(2) ** (max(e, emin) - f.fb)
    m, inexact = round_integer(v / scale, rm, neg)
    flags = (NX if inexact else 0) | (UF if inexact and tiny else 0)
    if m * scale > f.value(f.max):
        to_max = rm == RTZ or (rm == RDN and not neg) or (rm == RUP and neg)
        return sign | (f.max if to_max else f.inf), OF | NX
    if m >> (f.fb + 1):
        m >>= 1
        e = max(e, emin) + 1
    biased = max(e, emin) + f.bias if m >> f.fb else 0
    return sign | biased << f.fb | m & ((1 << f.fb) - 1), flags


def exact(f, v, rm, zero_neg):
    if v == 0:
        return (f.sign if zero_neg else 0), 0
    return round_to(f, abs(v), rm, v < 0)


def nan_of(f, *xs):
    """The canonical NaN if any operand is a NaN, with NV for a signaling one."""
    kinds = [f.kind(x) for x in xs]
    if "snan" in kinds:
        return f.nan, NV
    return (f.nan, 0) if "qnan" in kinds else None


def add(f, a, b, rm):
    r = nan_of(f, a, b)
    if r:
        return r
    ka, kb, na, nb = f.kind(a), f.kind(b), f.negative(a), f.negative(b)
    if "inf" in (ka, kb):
        if ka == kb and na != nb:
            return f.nan, NV
        return (a if ka == "inf" else b), 0
    zero_neg = na if na == nb and ka == kb == "zero" else rm == RDN
    return exact(f, f.value(a) + f.value(b), rm, zero_neg)


def sub(f, a, b, rm):
    return nan_of(f, a, b) or add(f, a, b ^ f.sign, rm)


def mul(f, a, b, rm):
    r = nan_of(f, a, b)
    if r:
        return r
    kinds, neg = {f.kind(a), f.kind(b)}, f.negative(a) != f.negative(b)
    if kinds == {"inf", "zero"}:
        return f.nan, NV
    if "inf" in kinds:
        return (f.sign if neg else 0) | f.inf, 0
    return exact(f, f.value(a) * f.value(b), rm, neg)


def div(f, a, b, rm):
    r = nan_of(f, a, b)
    if r:
        return r
    ka, kb, neg = f.kind(a), f.kind(b), f.negative(a) != f.negative(b)
    sign = f.sign if neg else 0
    if ka == kb and ka in ("inf", "zero"):
        return f.nan, NV
    if ka == "inf":
        return sign | f.inf, 0
    if kb == "zero":
        return sign | f.inf, DZ
    if kb == "inf":
        return sign, 0
    return exact(f, f.value(a) / f.value(b), rm, neg)


def sqrt(f, a, rm):
    r = nan_of(f, a)
    if r:
        return r
    if f.kind(a) == "zero":
        return a, 0
    if f.negative(a):
        return f.nan, NV
    if f.kind(a) == "inf":
        return a, 0
    # 2^160 times the root, and a sticky half unit below it where that is not exact.
    n = f.value(a) * Fraction(2) ** 2400
    root = isqrt(n.numerator)
    v = Fraction(root) + (Fraction(1, 2) if root * root != n.numerator else 0)
    return round_to(f, v / Fraction(2) ** 1200, rm, False)


def fma(f, a, b, c, rm, neg_product=False, neg_c=False):
    infinite_zero = {f.kind(a), f.kind(b)} == {"inf", "zero"}
    if infinite_zero:           # also with a quiet NaN as addend: 11.6
        return f.nan, NV
    r = nan_of(f, a, b, c)
    if r:
        return r
    if neg_product:
        a ^= f.sign
    if neg_c:
        c ^= f.sign
    np, nc = f.negative(a) != f.negative(b), f.negative(c)
    if "inf" in (f.kind(a), f.kind(b)):
        if f.kind(c) == "inf" and nc != np:
            return f.nan, NV
        return (f.sign if np else 0) | f.inf, 0
    if f.kind(c) == "inf":
        return c, 0
    product, addend = f.value(a) * f.value(b), f.value(c)
    zero_neg = np if product == 0 == addend and np == nc else rm == RDN
    return exact(f, product + addend, rm, zero_neg)


FMA = {"fmadd": (False, False), "fmsub": (False, True),
       "fnmsub": (True, False), "fnmadd": (True, True)}


def to_int(f, x, rm, bits, signed):
    """The register's 64 bits and the flags: table 11.4."""
    low, high = (-1 << bits - 1, (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if f.kind(x) in ("qnan", "snan"):
        n, flags = high, NV
    elif f.kind(x) == "inf":
        n, flags = (low if f.negative(x) else high), NV
    else:
        v = f.value(x)
        n, inexact = round_integer(abs(v), rm, v < 0)
        n = -n if v < 0 else n
        flags = NX if inexact else 0
        if not low <= n <= high:
            n, flags = (low if n < low else high), NV
    if bits == 32 and n >> 31 & 1:
        n |= -1 << 32           # also the unsigned form is sign-extended
    return n & (1 << 64) - 1, flags


def from_int(f, x, rm, bits, signed):
    x &= (1 << bits) - 1
    if signed and x >> bits - 1:
        x -= 1 << bits
    return exact(f, Fraction(x), rm, False)


def to_format(g, f, x, rm):
    r = nan_of(f, x)
    if r:
        return g.nan, r[1]
    sign = g.sign if f.negative(x) else 0
    if f.kind(x) == "inf":
        return sign | g.inf, 0
    return exact(g, f.value(x), rm, f.negative(x))


# ---- operands ----

def specials(f):
    return [0, f.sign, f.one, f.one | f.sign, f.inf, f.inf | f.sign, f.nan, f.snan,
            f.snan | f.sign, f.nan | f.sign | 5, 1, f.sign | 1, f.min_normal,
            f.min_normal - 1, f.max, f.max | f.sign, f.one + 1, f.one - 1]


def finite(f, rng):
    shape = rng.randrange(6)
    frac = rng.getrandbits(f.fb)
    if shape == 1:
        frac = 1 << rng.randrange(f.fb)
    elif shape == 2:
        frac = (1 << f.fb) - 1 - (1 << rng.randrange(f.fb))
    elif shape == 3:
        frac &= ~0 << f.fb // 2
    exp = f.bias + rng.randrange(-3, 4)
    if shape == 4:
        exp = rng.randrange(0, 3)
    elif shape == 5:
        exp = rng.randrange(1, f.exp_ones)
    return rng.getrandbits(1) << (f.bits - 1) | exp << f.fb | frac


def operand(f, rng):
    return rng.choice(specials(f)) if rng.random() < 0.3 else finite(f, rng)


def partners(f, a, rng):
    """A second operand for a: near it, its negation, half a unit of it, or anything."""
    choice = rng.randrange(5)
    if choice == 0:
        return a ^ f.sign
    if choice == 1:
        return (a ^ f.sign) + 1 & (2 * f.sign - 1)
    if choice == 2:                         # exactly half of a's last place
        exp = (a >> f.fb & f.exp_ones) - f.fb - 1
        return max(exp, 0) << f.fb
    return operand(f, rng)


def chosen(f):
    """Pairs that are there for a reason."""
    i, n, o = f.inf, f.sign, f.one
    return [(0, 0), (0, n), (n, n), (n, 0), (i, i), (i, i | n), (i, 0), (n, i), (o, o | n),
            (o, 0), (o, n), (f.nan | n | 5, o), (o, f.snan), (f.snan | n, f.nan), (i, f.nan),
            (f.max, f.max), (f.max, o), (1, 1), (1, o - (1 << f.fb)), (1, n | 1),
            (f.min_normal, f.min_normal - 1 | n), (f.min_normal, o - 1),
            (f.min_normal - 1, o + 1), (f.min_normal - 1, o - (1 << f.fb)), (o, o + 1),
            (f.max, f.max - (f.fb + 1 << f.fb) & ~0 << f.fb), (o, 3 * (1 << f.fb - 1) + o)]


def row(out, op, operands, results):
    cells = ["%s" % op] + ["0x%x" % x for x in operands + [0] * (3 - len(operands))]
    cells += ["0x%x, %d" % r for r in results]
    out.append("ROW(%s)" % ", ".join(cells))


def arithmetic(f, rng):
    out = []

    def emit(op, fn, *xs):
        res = [fn(*xs, rm) for rm in range(5)]
        row(out, "%s_%s" % (op, f.letter), [f.boxed(x) for x in xs],
            [(f.boxed(r), fl) for r, fl in res])

    for op, fn in (("fadd", add), ("fsub", sub), ("fmul", mul), ("fdiv", div)):
        pairs = chosen(f)
        for _ in range(20):
            a = finite(f, rng)
            pairs.append((a, partners(f, a, rng)))
        for a, b in pairs:
            emit(op, lambda x, y, rm, fn=fn: fn(f, x, y, rm), a, b)
    for a in specials(f) + [finite(f, rng) & ~f.sign for _ in range(14)]:
        emit("fsqrt", lambda x, rm: sqrt(f, x, rm), a)
    o, i = f.one, f.inf
    fixed = [(i, 0, f.nan), (0, i, o), (i, 0, f.snan), (o, f.nan, i), (i, o, i | f.sign),
             (i, o, i), (0, o, 0), (0, o, f.sign), (0, o | f.sign, f.sign), (o, o, o | f.sign),
             (o + 1, o + 1, o + 2 | f.sign), (o + 1, o - 2, o | f.sign), (f.max, f.max, i | f.sign),
             (f.max, o + (1 << f.fb), f.max | f.sign), (1, 1, 0), (1, 1, 1), (1, 1, f.sign | 1),
             (f.min_normal, o - 1, 0), (f.min_normal, o - (1 << f.fb), 1), (f.snan, 0, i)]
    for k, (op, signs) in enumerate(FMA.items()):
        def fn(x, y, z, rm, signs=signs):
            return fma(f, x, y, z, rm, *signs)
        for n in range(16):
            a, b = finite(f, rng), finite(f, rng)
            c = mul(f, a, b, RNE)[0] ^ f.sign if n % 2 else operand(f, rng)
            emit(op, fn, a, b, c)
        for a, b, c in fixed:
            emit(op, fn, a, b, c)
    return out


def edges(f, bits):
    """Numbers around the ends of an integer's range, as bits of f."""
    xs = []
    for limit in (1 << bits - 1, 1 << bits):
        for d in (Fraction(-1), Fraction(-1, 2), Fraction(0), Fraction(1, 2), Fraction(1)):
            x = round_to(f, Fraction(limit) + d, RTZ, False)[0]
            xs += [x, x | f.sign]
    return sorted(set(xs))


def conversions(single, double):
    out = []
    for f in (single, double):
        fractions = [Fraction(n, 4) for n in (1, 2, 3, 4, 5, 6, 7, 10, 14)]
        common = specials(f)
        for v in fractions:
            x = round_to(f, v, RNE, False)[0]
            common += [x, x | f.sign]
        for name, bits, signed in (("w", 32, True), ("wu", 32, False),
                                   ("l", 64, True), ("lu", 64, False)):
            for x in common + edges(f, bits):
                row(out, "fcvt_%s_%s" % (name, f.letter), [f.boxed(x)],
                    [to_int(f, x, rm, bits, signed) for rm in range(5)])
            ints = {0, 1, -1, 1 << 31, (1 << 31) - 1, 0xffffffff, 1 << 63, (1 << 63) - 1,
                    (1 << 24) + 1, (1 << 25) + 2, (1 << 25) + 6, -(1 << 24) - 1,
                    (1 << 53) + 1, (1 << 54) + 2, (1 << 54) + 6, 0xfffffffffffff7ff,
                    0x7ffffffffffffdff, 0x7fffff4000000000, 0xabcdef0180000000}
            for x in sorted(n & (1 << 64) - 1 for n in ints):
                row(out, "fcvt_%s_%s" % (f.letter, name), [x],
                    [(f.boxed(r), fl) for r, fl in
                     (from_int(f, x, rm, bits, signed) for rm in range(5))])
    for f, g in ((single, double), (double, single)):
        xs = specials(f)
        if f is double:
            s = single
            for v in (s.value(s.max), s.value(s.min_normal), s.value(1), s.value(s.one)):
                x = round_to(f, v, RNE, False)[0]
                xs += [x, x + 1, x - 1, x | f.sign]
            half = 1 << f.fb - s.fb - 1
            top = round_to(f, s.value(s.max), RNE, False)[0]
            xs += [top + half, top + half - 1, f.one + half, f.one + 3 * half,
                   f.one + half + 1 | f.sign, round_to(f, s.value(1) / 2, RNE, False)[0],
                   round_to(f, s.value(s.min_normal), RNE, False)[0] - half // 2,
                   round_to(f, s.value(s.min_normal), RNE, False)[0] - half]
        for x in xs:
            row(out, "fcvt_%s_%s" % (g.letter, f.letter), [f.boxed(x)],
                [(g.boxed(r), fl) for r, fl in
                 (to_format(g, f, x, rm) for rm in range(5))])
    return out


def main(folder):
    single, double = Format("s", 32, 23), Format("d", 64, 52)
    for name, rows in (("single", arithmetic(single, random.Random(1))),
                       ("double", arithmetic(double, random.Random(2))),
                       ("convert", conversions(single, double))):
        with open("%s/fp_%s.inc" % (folder, name), "w") as out:
            out.write("/* Written by fptables.py, which says what it means. */\n")
            out.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: fptables.py FOLDER")
    main(sys.argv[1])
