"""Precision: of the matrix products inside encoders; they add up in float32, whatever it is.

The objective, whitening and the optimiser are float32 always.
"""

PRECISIONS = {  # a recipe's name -> what JAX calls it
    "float32": "float32",
    "tf32": "tensorfloat32",  # 10 bits of mantissa on a GPU, three bfloat16 passes on a TPU
    "bfloat16": "BF16_BF16_F32",  # 7 bits of mantissa
}
