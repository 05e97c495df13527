"""What a user can cause is one line; a bug is a traceback."""

import io
import sys

import pytest

from experiments.runtime.user_errors import user_errors


@pytest.mark.parametrize("error", [OSError("no space left"), ValueError("steps is 0")])
def test_an_error_that_a_user_can_cause_is_one_line(error):
    with pytest.raises(SystemExit, match=f"error: {error}"), user_errors():
        raise error


def test_ctrl_c_is_one_line_with_the_exit_status_of_an_interrupt(capsys):
    with pytest.raises(SystemExit) as stopped, user_errors():
        raise KeyboardInterrupt
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "stopped by Ctrl-C\n"


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), user_errors():
        _ = 1 / 0


def test_characters_that_the_terminal_cannot_encode_are_replaced(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    with user_errors():
        print("R² by mlp")
    stream.flush()
    assert stream.buffer.getvalue() == b"R? by mlp\n"
