"""FLOPs: the number of floating-point operations of a function, counted from its jaxpr.

XLA's cost analysis counts the body of a loop once; here the body of a scan counts once per
iteration. Of the branches of a conditional the cheapest counts, which leaves out the periodic work
of optimisers.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

ELEMENTWISE = """abs add add_any atan2 cos div erf erf_inv exp exp2 expm1 integer_pow log log1p
logistic max min mul neg pow rsqrt sin sqrt square sub tan tanh"""
REDUCTIONS = "argmax argmin cumsum reduce_max reduce_min reduce_sum"


def count_flops(function: Callable, *args) -> float:
    """Returns the floating-point operations of function(*args); a multiply-add counts as two.

    Matrix products, convolutions, Cholesky factorisations and triangular solves are counted, and
    one operation per value of elementwise functions and reductions. Integer operations, data
    movement and other decompositions are not counted. The body of a while loop counts once.
    """
    return _of_jaxpr(jax.make_jaxpr(function)(*args))


def _of_jaxpr(jaxpr) -> float:
    return sum(map(_of_equation, getattr(jaxpr, "jaxpr", jaxpr).eqns))


def _of_equation(equation) -> float:
    name = equation.primitive.name
    if name in RULES:
        return RULES[name](equation)
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


RULES = {
    "scan": lambda scan: scan.params["length"] * _of_jaxpr(scan.params["jaxpr"]),
    "cond": lambda cond: min(map(_of_jaxpr, cond.params["branches"])),
    "custom_linear_solve": lambda solve: _of_jaxpr(solve.params["jaxprs"].solve),
    "dot_general": _product,
    "conv_general_dilated": _convolution,
    "cholesky": _cholesky,
    "triangular_solve": _triangular_solve,
}
