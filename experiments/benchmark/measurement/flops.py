"""Counting: the arithmetic that a function asks for, read off its jaxpr.

XLA's own analysis counts the body of a loop once; here it counts as often as a scan runs it. Of the
branches of a condition the cheapest counts: the rare work of optimisers is not in it.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

ELEMENTWISE = """abs add add_any atan2 cos div erf erf_inv exp exp2 expm1 integer_pow log log1p
logistic max min mul neg pow rsqrt sin sqrt square sub tan tanh"""
REDUCTIONS = "argmax argmin cumsum reduce_max reduce_min reduce_sum"


def count_flops(function: Callable, *args) -> float:
    """Floating-point operations of function(*args): a multiplication and an addition are two.

    Counted are products of matrices, convolutions, Cholesky factors, triangular solves, and one for
    each value of elementwise functions and sums; not counted are integers, moves, and other
    decompositions. A while loop counts once.
    """
    return _of_jaxpr(jax.make_jaxpr(function)(*args))


def _of_jaxpr(jaxpr) -> float:
    return sum(map(_of_equation, getattr(jaxpr, "jaxpr", jaxpr).eqns))


def _of_equation(equation) -> float:
    name = equation.primitive.name
    if name in OWN_RULES:
        return OWN_RULES[name](equation)
    inner = [value for value in equation.params.values() if hasattr(value, "eqns")]
    if inner:
        return sum(map(_of_jaxpr, inner))
    if name in ELEMENTWISE.split():
        return _values(equation.outvars[0].aval)
    return _values(equation.invars[0].aval) if name in REDUCTIONS.split() else 0


def _values(array) -> int:
    return array.size if jnp.issubdtype(array.dtype, jnp.floating) else 0


def _product(equation):
    (contracted, _), _ = equation.params["dimension_numbers"]
    left = equation.invars[0].aval.shape
    return 2 * equation.outvars[0].aval.size * math.prod(left[axis] for axis in contracted)


def _convolution(equation):
    kernel = equation.invars[1].aval
    outputs = kernel.shape[equation.params["dimension_numbers"].rhs_spec[0]]
    return 2 * equation.outvars[0].aval.size * kernel.size // outputs


def _cholesky(equation):
    matrix = equation.invars[0].aval
    return matrix.size * matrix.shape[-1] / 3


def _triangular_solve(equation):
    matrix, values = (variable.aval for variable in equation.invars)
    return values.size * matrix.shape[-1]


OWN_RULES = {
    "scan": lambda loop: loop.params["length"] * _of_jaxpr(loop.params["jaxpr"]),
    "cond": lambda choice: min(map(_of_jaxpr, choice.params["branches"])),
    "custom_linear_solve": lambda solve: _of_jaxpr(solve.params["jaxprs"].solve),
    "dot_general": _product,
    "conv_general_dilated": _convolution,
    "cholesky": _cholesky,
    "triangular_solve": _triangular_solve,
}
