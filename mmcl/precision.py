"""Precision of the matrix products inside encoders; sums are float32 in any precision.

The objective, whitening and the optimiser are always float32.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, jaxprs_in_params
from jax.lax import Precision


class Rounding(NamedTuple):
    """How the factors of a matrix product are rounded.

    jax_name: name of the matrix product precision in JAX.
    mantissa: number of bits after the first.
    """

    jax_name: str
    mantissa: int


PRECISIONS = {
    "float32": Rounding("float32", 23),
    "tf32": Rounding("tensorfloat32", 10),  # on a TPU three passes of bfloat16, more than 10 bits
    "bfloat16": Rounding("BF16_BF16_F32", 7),
}
EXPONENT = 8  # bits of the exponent, in all three precisions
PRODUCTS = ("dot_general", "conv_general_dilated")  # primitives whose factors are rounded
CALLS = {  # primitive that calls a jaxpr -> its parameter that holds the jaxpr
    "jit": "jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
}


def on_cpu() -> bool:
    """Returns whether JAX runs on a CPU by default."""
    return jax.default_backend() == "cpu"


def with_precision(name: str, function: Callable) -> Callable:
    """Returns `function` with its matrix products in the precision called `name`.

    A CPU always multiplies in float32. There the factors are rounded before they are multiplied, so
    that the effect of a precision on scores can be measured without an accelerator. For a gradient
    wrap both `jax.vjp` of the function and the pullback: a gradient of the wrapped function would
    not round its factors.

    Raises ValueError for an unknown name. On a CPU the wrapped function raises it for a name other
    than "float32" if there are products inside `cond`, `while_loop` or `checkpoint`.
    """
    if name not in PRECISIONS:
        raise ValueError(f"name is {name!r}: allowed is one of {', '.join(PRECISIONS)}")
    rounding = PRECISIONS[name]

    def precise(*args):
        with jax.default_matmul_precision(rounding.jax_name):
            if name == "float32" or not on_cpu():
                return function(*args)
            program, shapes = jax.make_jaxpr(function, return_shape=True)(*args)
            results = _evaluate(name, program, *jax.tree.leaves(args))
            return jax.tree.unflatten(jax.tree.structure(shapes), results)

    return precise


def _evaluate(name: str, program: ClosedJaxpr, *args) -> list[Any]:
    """Returns the results of a program; products that are not explicitly float32 are rounded."""
    jaxpr = program.jaxpr
    values = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*program.consts, *args), strict=True))
    read = lambda atom: atom.val if isinstance(atom, Literal) else values[atom]
    for equation in jaxpr.eqns:
        results = _evaluate_equation(name, equation, *map(read, equation.invars))
        values |= zip(equation.outvars, results, strict=True)
    return [read(atom) for atom in jaxpr.outvars]


def _evaluate_equation(name: str, equation: JaxprEqn, *values) -> Sequence[Any]:
    primitive, params = equation.primitive, equation.params
    if primitive.name in CALLS:
        return _evaluate(name, params[CALLS[primitive.name]], *values)
    if primitive.name == "scan":
        return _evaluate_scan(name, params, *values)
    if primitive.name in PRODUCTS and Precision.HIGHEST not in jax.tree.leaves(params["precision"]):
        bits = PRECISIONS[name].mantissa
        values = [jax.lax.reduce_precision(value, EXPONENT, bits) for value in values]
    elif any(map(_has_products, jaxprs_in_params(params))):
        raise ValueError(
            f"precision is {name!r}: allowed is 'float32' on a CPU, which cannot round the matrix "
            f"products inside {primitive.name}"
        )
    results = primitive.bind(*values, **params)
    return results if primitive.multiple_results else [results]


def _has_products(jaxpr: Jaxpr) -> bool:
    inner = (body for equation in jaxpr.eqns for body in jaxprs_in_params(equation.params))
    names = {equation.primitive.name for equation in jaxpr.eqns}
    return not names.isdisjoint(PRODUCTS) or any(map(_has_products, inner))


def _evaluate_scan(name: str, params: dict[str, Any], *values) -> Sequence[Any]:
    num_consts, num_carry = params["num_consts"], params["num_carry"]
    constants, values = values[:num_consts], values[num_consts:]

    def body(carry, rows):
        results = _evaluate(name, params["jaxpr"], *constants, *carry, *rows)
        return results[:num_carry], results[num_carry:]

    start, rows = list(values[:num_carry]), list(values[num_carry:])
    end, outputs = jax.lax.scan(body, start, rows, params["length"], params["reverse"])
    return [*end, *outputs]
