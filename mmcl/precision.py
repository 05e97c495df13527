"""Precision: of the matrix products inside encoders; they add up in float32, whatever it is.

The objective, whitening and the optimiser are float32 always.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, jaxprs_in_params
from jax.lax import Precision


class Rounding(NamedTuple):
    """How the factors of a product are rounded: what JAX calls it, and the bits of a mantissa."""

    jax_name: str
    mantissa: int


PRECISIONS = {
    "float32": Rounding("float32", 23),
    "tf32": Rounding("tensorfloat32", 10),  # on a TPU three passes of bfloat16, which is more
    "bfloat16": Rounding("BF16_BF16_F32", 7),
}
EXPONENT = 8  # bits, of all three
PRODUCTS = ("dot_general", "conv_general_dilated")
CALLS = {"jit": "jaxpr", "custom_jvp_call": "call_jaxpr", "custom_vjp_call": "call_jaxpr"}


def with_precision(name: str, function: Callable) -> Callable:
    """`function` with its products in the precision called `name`.

    A CPU multiplies in float32 whatever it is told. There factors are rounded beforehand, so that
    scores can be told from precision without an accelerator. For a gradient wrap `jax.vjp` of the
    function, and what it pulls back with: a gradient of the result would not round its factors.
    """
    chosen = PRECISIONS[name]

    def precise(*args):
        with jax.default_matmul_precision(chosen.jax_name):
            if name == "float32" or jax.default_backend() != "cpu":
                return function(*args)
            program, shapes = jax.make_jaxpr(function, return_shape=True)(*args)
            results = _rounded(chosen.mantissa, program, *jax.tree.leaves(args))
            return jax.tree.unflatten(jax.tree.structure(shapes), results)

    return precise


def _rounded(mantissa: int, program: ClosedJaxpr, *args) -> list[Any]:
    """What a program gives with rounded factors of products, but of those that ask for float32."""
    jaxpr = program.jaxpr
    found = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*program.consts, *args), strict=True))
    read = lambda atom: atom.val if isinstance(atom, Literal) else found[atom]
    for equation in jaxpr.eqns:
        results = _evaluated(mantissa, equation, *map(read, equation.invars))
        found |= zip(equation.outvars, results, strict=True)
    return [read(atom) for atom in jaxpr.outvars]


def _evaluated(mantissa: int, equation: JaxprEqn, *values) -> Sequence[Any]:
    primitive, params = equation.primitive, equation.params
    if primitive.name in CALLS:
        return _rounded(mantissa, params[CALLS[primitive.name]], *values)
    if primitive.name == "scan":
        return _scanned(mantissa, params, *values)
    if primitive.name in PRODUCTS and Precision.HIGHEST not in jax.tree.leaves(params["precision"]):
        values = [jax.lax.reduce_precision(value, EXPONENT, mantissa) for value in values]
    elif any(map(_has_products, jaxprs_in_params(params))):
        raise NotImplementedError(f"products inside of {primitive.name} are not rounded on a CPU")
    results = primitive.bind(*values, **params)
    return results if primitive.multiple_results else [results]


def _has_products(jaxpr: Jaxpr) -> bool:
    inner = (one for equation in jaxpr.eqns for one in jaxprs_in_params(equation.params))
    names = {equation.primitive.name for equation in jaxpr.eqns}
    return not names.isdisjoint(PRODUCTS) or any(map(_has_products, inner))


def _scanned(mantissa: int, params: dict[str, Any], *values) -> Sequence[Any]:
    constant, carried = params["num_consts"], params["num_carry"]
    constants, values = values[:constant], values[constant:]

    def body(carry, rows):
        results = _rounded(mantissa, params["jaxpr"], *constants, *carry, *rows)
        return results[:carried], results[carried:]

    start, rows = list(values[:carried]), list(values[carried:])
    end, outputs = jax.lax.scan(body, start, rows, params["length"], params["reverse"])
    return [*end, *outputs]
