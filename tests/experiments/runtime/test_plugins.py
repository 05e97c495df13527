"""Plugins: found, imported, refused in one line, and compared with their digests."""

import hashlib
import sys

import pytest

from experiments.configs import default
from experiments.domains import DOMAINS, make_domain, register_domain
from experiments.runtime.plugins import (
    CHANGED,
    MISSING,
    UNCHANGED,
    import_plugins,
    plugin_digests,
    plugin_states,
)
from tests.registries import temporary_registries
from tests.small import small_config


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with temporary_registries():
        yield tmp_path


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("mine", r"plugins is 'mine': allowed is a tuple of modules, as \(\"mine\",\)"),
        (3, "plugins is 3: allowed is a tuple"),
        ((3,), "plugins holds 3: allowed are names of modules"),
        (("mine.py",), "plugins holds 'mine.py': allowed are names of modules"),
        ((".mine",), "plugins holds '.mine': allowed are names of modules"),
        (("absent_module",), "plugins holds 'absent_module': .* there is no absent_module.py$"),
        (("absent.module",), "plugins holds 'absent.module': .* there is no absent/module.py$"),
        (("sys",), "plugins holds 'sys': .* there is no sys.py$"),
    ],
)
def test_names_that_are_no_modules_are_refused(names, message):
    with pytest.raises(ValueError, match=message):
        import_plugins(names)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\ny = 1 / 0\n", r"raises ZeroDivisionError \(division by zero\) at .*broken.py:2$"),
        ("x = (\n", r"raises SyntaxError \('\(' was never closed\) at .*broken.py:1$"),
        ("\nimport absent_module\n", r"raises ModuleNotFoundError \(.*\) at .*broken.py:2$"),
        (
            "from mmcl.registry import register_objective\n"
            "register_objective('siglip', lambda z, temperature: 0.0)\n",
            r"raises ValueError \(name of the objective is 'siglip': .*\) at .*broken.py:2$",
        ),
        (
            "from mmcl.registry import register_optimizer\nregister_optimizer('my adam', print)\n",
            r"raises ValueError \(name of the optimizer is 'my adam': allowed are letters, .*\)",
        ),
    ],
)
def test_a_plugin_that_raises_is_named_with_the_error_and_its_line(folder, source, message):
    (folder / "broken.py").write_text(source)
    with pytest.raises(ValueError, match=f"^plugin 'broken' {message}") as error:
        make_domain(small_config(plugins=("broken",)))
    assert "\n" not in str(error.value)


def test_plugins_are_imported_before_names_are_looked_up(folder):
    (folder / "mine.py").write_text(
        "from experiments.domains import register_domain\n"
        "from experiments.domains.latents import make_latents\n"
        "register_domain('mine', make_latents)\n"
    )
    domain = make_domain(small_config(plugins=("mine",), domain="mine"))
    assert domain.semantics == ("s1", "s2", "s3")
    with pytest.raises(ValueError, match="domain is 'other': allowed is one of latents, .*, mine"):
        make_domain(small_config(plugins=("mine",), domain="other"))


def test_a_plugin_of_a_package_is_imported(folder):
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").write_text("")
    (folder / "package" / "mine.py").write_text("value = 3\n")
    import_plugins(("package.mine",))
    assert sys.modules["package.mine"].value == 3


def test_the_current_folder_is_searched_last(folder):
    (folder / "json.py").write_text("raise ValueError('not this one')\n")
    import_plugins(("json",))


def test_digests_are_of_the_file_or_of_all_files_of_a_package(folder):
    (folder / "mine.py").write_text("x = 1\n")
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").write_text("")
    recorded = plugin_digests(("mine", "package"))
    assert recorded["mine"] == hashlib.sha256(b"x = 1\n").hexdigest()
    states = lambda: plugin_states(recorded | {"absent_module": "0"})
    assert states() == {"mine": UNCHANGED, "package": UNCHANGED, "absent_module": MISSING}
    (folder / "package" / "part.py").write_text("y = 1\n")
    assert states() == {"mine": UNCHANGED, "package": CHANGED, "absent_module": MISSING}


def test_a_domain_has_a_new_name_and_is_a_function(folder):
    make = DOMAINS["latents"]
    register_domain("mine", make)
    register_domain("mine", make)
    for name, part, message in (
        ("mine", DOMAINS["cards"], "name of the domain is 'mine': allowed is one that is not"),
        ("my domain", make, "name of the domain is 'my domain': allowed are letters"),
        ("other", 3, "domain is 3: allowed is a function"),
    ):
        with pytest.raises(ValueError, match=message):
            register_domain(name, part)


def test_an_error_of_a_domain_is_named_but_not_that_of_a_field(folder):
    (folder / "mine.py").write_text(
        "from experiments.domains import register_domain\n"
        "register_domain('mine', lambda config: config.world.absent)\n"
        "def refuse(config):\n"
        "    raise ValueError('world.size is 0: allowed is 1 or more')\n"
        "register_domain('refusing', refuse)\n"
    )
    with pytest.raises(ValueError, match=r"plugin 'mine' raises AttributeError .* at .*mine.py:2$"):
        make_domain(small_config(plugins=("mine",), domain="mine"))
    with pytest.raises(ValueError, match="^world.size is 0"):
        make_domain(small_config(plugins=("mine",), domain="refusing"))


def test_a_config_without_the_field_has_no_plugins():
    config = default.get_config()
    config.unlock()
    del config.plugins
    assert make_domain(config).vocabulary == 0
