"""What is written about the code holds: README, docs, docstrings, public names, stubs."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import chanfp
from chanfp import _core
from chanfp.headers import read_settings

ROOT = Path(__file__).parent.parent
PACKAGE = Path(chanfp.__file__).parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages([str(PACKAGE)], "chanfp.")
    if not module.name.endswith(("__main__", "_core"))
)
CODE_BLOCKS = [
    pytest.param(code, id=f"{page.name}-{number}")
    for page in PAGES
    for number, code in enumerate(
        re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    )
]


@pytest.mark.parametrize("code", CODE_BLOCKS)
def test_code_in_the_docs_runs(code, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


def test_links_between_pages_lead_somewhere():
    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_there_is_code_to_run():
    names = [block.id for block in CODE_BLOCKS]
    assert "README.md-0" in names
    for page in PAGES:
        # A block in a language nobody knows here would not be run.
        fences = re.findall(r"^ *```(.*)$", page.read_text("utf-8"), re.MULTILINE)
        assert set(fences[::2]) <= {"python", "console", "text", "toml"}, page.name
        assert set(fences[1::2]) <= {""}, page.name
        assert sum(name.startswith(page.name) for name in names) == fences.count("python")


def test_settings_in_the_docs_are_settings(tmp_path):
    found = 0
    for page in PAGES:
        for text in re.findall(r"^```toml\n(.*?)^```", page.read_text("utf-8"), re.M | re.S):
            path = tmp_path / "settings.toml"
            path.write_text(text, encoding="utf-8")
            assert read_settings(path).columns, page.name
            found += 1
    assert found


def options_of(name):
    from chanfp.cli import commands

    options = {"--version", "--help"}
    for parameter in commands.get_command(None, name).params:
        options.update(parameter.opts)
    return options


def test_options_in_the_docs_exist():
    from chanfp.cli import commands

    names = commands.list_commands(None)
    anywhere = set().union(*map(options_of, names))
    # Options of other programs: the tools of pip, make and the benchmarks.
    for page in [ROOT / "README.md", ROOT / "docs" / "formats.md", ROOT / "docs/how-it-works.md",
                 ROOT / "docs" / "explaining.md"]:  # fmt: skip
        text = page.read_text("utf-8")
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= anywhere, page.name
    for page in PAGES:
        for name, line in re.findall(r"chanfp ([a-z]+)((?: [^\n`]*)?)", page.read_text("utf-8")):
            if " --" in line or name in names:
                assert set(re.findall(r"--[a-z-]+", line)) <= options_of(name), line


def test_commands_in_the_readme_run(tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\$ (.*?)(?: +#.*)?$", readme, re.MULTILINE)
    assert "make demo" in lines
    assert "make test" in lines
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for line in lines:
        if line.startswith("make "):
            assert re.search(rf"^{line.removeprefix('make ')}:", makefile, re.MULTILINE)
    chanfp.simulate(800, seed=1).write(tmp_path)
    ours = [line for line in lines if line.startswith("chanfp ")]
    assert ours
    for line in ours:
        command = line.replace("chanfp", f"{sys.executable} -m chanfp", 1)
        done = subprocess.run(  # noqa: S602 - as in a terminal, with globs
            command,
            shell=True,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), line
    assert (tmp_path / "matches.csv").stat().st_size > 0


def test_every_public_name_is_there_and_documented():
    assert sorted(chanfp.__all__) == sorted({*chanfp._MODULE_OF, "__version__"})
    assert set(chanfp.__all__) <= set(dir(chanfp))
    for name in chanfp.__all__:
        value = getattr(chanfp, name)
        if callable(value):
            assert value.__doc__, name
            assert not value.__doc__.startswith(f"{name}("), f"{name} needs a docstring of its own"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = chanfp.nothing


def test_every_parameter_of_a_public_function_is_documented():
    for name in chanfp.__all__:
        value = getattr(chanfp, name)
        if not callable(value) or (inspect.isclass(value) and issubclass(value, Exception)):
            continue
        document = inspect.getdoc(value)
        if inspect.isclass(value) and "Attributes\n---" in document:
            continue  # made by a function, never by the user
        for parameter in inspect.signature(value).parameters:
            if parameter not in ("self", "args", "kwargs"):
                assert re.search(rf"\b{parameter}\b", document), f"{name}: {parameter}"


@pytest.mark.parametrize("name", MODULES)
def test_all_lists_what_the_module_defines(name):
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", ()):
        assert hasattr(module, public), f"{name}.{public}"


def test_the_stub_names_every_kernel():
    stub = ast.parse((PACKAGE / "_core.pyi").read_text(encoding="utf-8"))
    in_stub = {
        node.name: [argument.arg for argument in node.args.args]
        for node in stub.body
        if isinstance(node, ast.FunctionDef)
    }
    kernels = {
        name: value
        for name, value in vars(_core).items()
        if callable(value) and not name.startswith("_") and getattr(value, "__doc__", None)
    }
    assert set(in_stub) == set(kernels)
    for name, arguments in in_stub.items():
        signature = kernels[name].__doc__.splitlines()[0]
        if "_fused_sigindex" in signature:
            continue  # a kernel of several types shows what chooses among them instead
        inside = re.fullmatch(rf"{name}\((.*?)\).*", signature)[1]
        names = [part.split("=")[0].split()[-1] for part in inside.split(",") if part.strip()]
        assert names == arguments, name
