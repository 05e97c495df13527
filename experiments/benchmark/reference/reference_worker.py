"""Reference worker: a process that runs the authors' training, some steps at a time.

python reference_worker.py FOLDER ARGUMENT...

The modules of the folder have names such as `utils`, so they are imported in a process of their
own. Their program runs as it is, except that `train_step` waits after each number of steps for a
line on standard input: "steps N", or "save FILE", which writes the images' latents of the last
batch and the representations of both modalities. "done" on standard output answers each line; the
first one is written after WARMUP steps.
"""

import inspect
import os
import sys
from collections.abc import Callable, Iterator

import numpy as np

WARMUP = 2  # steps; the program evaluates its encoders after the first one


class Finished(BaseException):
    """Ends the program, whatever errors it catches."""


def waiting(train_step: Callable, answer: Callable[[dict], int]) -> Callable:
    """Returns `train_step`, which calls `answer` with its arguments when all steps are done.

    answer: returns the number of steps to do next. Calls without an optimiser are no steps.
    """
    signature, steps = inspect.signature(train_step), WARMUP

    def step(*args, **kwargs):
        nonlocal steps
        result = train_step(*args, **kwargs)
        arguments = signature.bind(*args, **kwargs).arguments
        if arguments.get("optimizer") is not None:
            steps -= 1
            if steps == 0:
                steps = answer(arguments)
        return result

    return step


def answer_from(requests: Iterator[str], reply: Callable[[], None]) -> Callable[[dict], int]:
    """Returns a function that carries out requests until one asks for steps.

    It raises Finished after the last request.
    """

    def answer(arguments: dict) -> int:
        reply()
        for request in requests:
            name, value = request.rstrip("\n").split(" ", 1)
            if name == "steps":
                return int(value)
            _save(value, arguments)
            reply()
        raise Finished

    return answer


def _save(file: str, arguments: dict) -> None:
    import torch  # noqa: PLC0415  # optional

    latents_x, latents_t = arguments["data"][:2]
    with torch.no_grad():
        image, text = arguments["h_x"](latents_x), arguments["h_t"](latents_t)
    arrays = {"latents": latents_x, "image": image, "text": text}
    np.savez(file, **{name: array.cpu().numpy() for name, array in arrays.items()})


def main(folder: str, arguments: list[str]) -> None:
    """Runs the program of a folder with arguments, until standard input ends."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # the program's own output
    sys.path.insert(0, folder)
    import main_numeric  # noqa: PLC0415  # of the folder

    answer = answer_from(sys.stdin, lambda: print("done", file=replies))
    main_numeric.train_step = waiting(main_numeric.train_step, answer)
    sys.argv = ["main_numeric.py", *arguments]
    try:
        main_numeric.main()
    except Finished:
        return


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
