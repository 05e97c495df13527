"""The page for a browser: its server, and the page in a browser where there is one."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from experiments.watch.server import PAGE, make_server
from tests.experiments.watch.conftest import ODD, ODD_LABEL
from tests.repository import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def served(directory):
    """Yields get(path, host) -> (status, headers, text) of a server of a run directory."""
    with make_server(directory, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()

        def get(path, host="127.0.0.1:1234"):
            connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            found = answer.status, dict(answer.getheaders()), answer.read().decode()
            connection.close()
            return found

        get.port = server.server_port
        try:
            yield get
        finally:
            server.shutdown()
            thread.join()


def test_the_page_and_its_data_are_served_and_nothing_else(running):
    with served(running) as get:
        status, headers, page = get("/")
        assert (status, page) == (200, PAGE.read_text(encoding="utf-8"))
        assert headers["Content-Security-Policy"].startswith("default-src 'none';")
        status, headers, text = get("/snapshot.json")
        assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
        assert json.loads(text)["settings"][0]["kept"].keys() == {ODD}
        for path in ("/config.json", "/../config.json", "//etc/passwd", "/%2e%2e/lock", "/?"):
            assert get(path)[0] == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example"])
def test_a_page_of_another_host_gets_nothing(running, host):
    with served(running) as get:
        assert get("/snapshot.json", host)[0] == 403
        assert get("/snapshot.json", "localhost")[0] == 200


def test_the_address_is_this_machine_alone(running):
    with make_server(running, 0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_a_run_that_cannot_be_read_is_an_error_on_the_page(running):
    (running / "config.json").write_text("{")
    with served(running) as get:
        assert "config.json cannot be read" in json.loads(get("/snapshot.json")[2])["error"]


@pytest.mark.parametrize(("port", "message"), [(70_000, "allowed is 0..65535"), (-1, "allowed is")])
def test_bad_ports_are_refused(running, port, message):
    with pytest.raises(ValueError, match=message):
        make_server(running, port)


def test_a_port_in_use_is_refused(running):
    refused = pytest.raises(ValueError, match="choose another with --port")
    with socket.create_server(("127.0.0.1", 0)) as other, refused:
        make_server(running, other.getsockname()[1])


def test_the_page_inserts_text_alone_and_asks_no_other_machine():
    text = PAGE.read_text(encoding="utf-8")
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval("):
        assert forbidden not in text
    assert set(re.findall(r"https?://[^\"']*", text)) == {"http://www.w3.org/2000/svg"}


def test_ctrl_c_ends_the_command_in_one_line(running):
    process = subprocess.Popen(
        [sys.executable, "-m", "experiments.watch", running, "--serve", "--port=0"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert re.match(r"http://127.0.0.1:\d+/ shows ", process.stdout.readline())
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert rest == f"stopped watching; the run in {running} is not affected\n"
    assert process.returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_a_browser_shows_names_as_they_are(running, tmp_path):
    with served(running) as get:
        done = subprocess.run(
            [
                CHROMIUM,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                f"--user-data-dir={tmp_path / 'profile'}",
                "--virtual-time-budget=1500",
                "--dump-dom",
                f"http://127.0.0.1:{get.port}/",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    escaped = ODD_LABEL.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert escaped in done.stdout
    assert ODD.replace("<", "&lt;").replace(">", "&gt;") in done.stdout
    assert "running as process" in done.stdout
