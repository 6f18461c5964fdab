"""The house rules: who may import whom, how large a file may be, what is at the top, what the base needs."""

import ast
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("kiosk", "worker", "dashboard", "training", "deploy")
MAY_IMPORT = {
    "kiosk": ("kiosk", "worker.protocol"),
    "dashboard": ("dashboard", "worker.protocol"),
    "training": ("training", "worker"),
    "worker": ("worker",),
    "worker.protocol": ("worker.protocol",),
    "deploy": ROOMS,
}
HEAVY = ("prometheus_client", "torch", "torchvision", "facenet_pytorch", "cv2", "openvino", "onnx")
MAX_LINES = 400
LONGER_FILES: dict[str, str] = {}
"""Path → why it may be longer."""
USUAL_AT_THE_TOP = {"docs", "tests", *ROOMS}


def sources() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sources()}


def imports(path: Path, top_level_only: bool = False) -> Iterator[str]:
    """Full names of what a file imports: `from a.b import c` gives a.b.c where that is a module, else a.b."""
    tree = ast.parse(path.read_text())
    nodes = _executed_at_import(tree) if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports in full"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else str(node.module)


def _executed_at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Everything but the bodies of functions, and what only the type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _executed_at_import(node)


def is_below(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    module = module_of(path)
    room = next(rule for rule in sorted(MAY_IMPORT, key=len, reverse=True) if is_below(module, rule))
    for name in imports(path):
        if name.split(".")[0] in (*ROOMS, "tests"):
            allowed = any(is_below(name, package) for package in MAY_IMPORT[room])
            assert allowed, f"{module} imports {name}; {room} may import {', '.join(MAY_IMPORT[room])}"


def test_the_packages_own_files_stay_empty_or_light() -> None:
    assert list(imports(ROOT / "worker" / "__init__.py")) == []
    for room in ROOMS:
        assert list(imports(ROOT / room / "__init__.py")) == [], room


@pytest.mark.parametrize("package", ["worker.protocol", "dashboard", "kiosk.settings", "worker.settings", "deploy.cli"])
def test_the_light_parts_import_nothing_heavy(package: str) -> None:
    for module, path in MODULES.items():
        if is_below(module, package):
            heavy = [name for name in imports(path, top_level_only=True) if name.split(".")[0] in HEAVY]
            assert heavy == [], module


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {m: {n for n in imports(p, top_level_only=True) if n in MODULES and n != m} for m, p in MODULES.items()}
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " → ".join((*way[way.index(module) :], module))
        if module not in done:
            for other in sorted(graph[module]):
                visit(other, (*way, module))
            done.add(module)

    for module in graph:
        visit(module, ())


def test_no_file_is_too_long_without_a_reason() -> None:
    python = [*sources(), *(ROOT / "tests").rglob("*.py")]
    long = {str(p.relative_to(ROOT)) for p in python if len(p.read_text().splitlines()) > MAX_LINES}
    assert long == set(LONGER_FILES), "split the file, or list it with the reason"


def test_the_top_holds_the_rooms_and_the_usual_files() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    folders = {name.split("/")[0] for name in tracked if "/" in name and not name.startswith(".")}
    assert folders <= USUAL_AT_THE_TOP


def test_base_dependencies_are_light_and_every_package_has_its_modules() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    base = " ".join(project["dependencies"])
    extras = project["optional-dependencies"]
    assert not any(name in base for name in ("torch", "opencv", "flask", "sqlalchemy", "openvino"))
    assert not any("torch" in line for extra in ("kiosk", "dashboard") for line in extras[extra])
    assert not any("opencv" in line for line in extras["dashboard"])
    assert project["scripts"] == {"attendance": "deploy.cli:main"}


def test_kiosk_and_dashboard_work_where_torch_is_not_installed(tmp_path: Path) -> None:
    """The kiosk's help and screen code, the dashboard's app and its recorder; OpenCV is the kiosk's alone."""
    script = textwrap.dedent("""
        import sys
        from importlib.abc import MetaPathFinder

        class Missing(MetaPathFinder):
            names = {"torch", "torchvision", "facenet_pytorch", "openvino", "onnx", "safetensors", "skimage", "matplotlib"}
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in self.names:
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        sys.meta_path.insert(0, Missing())
        from typer.testing import CliRunner
        from deploy.cli import app
        result = CliRunner().invoke(app, ["kiosk", "--help"])
        assert result.exit_code == 0 and "--source" in result.output, result.output
        import kiosk.main
        assert "torch" not in sys.modules
        for name in [name for name in sys.modules if name.split(".")[0] == "cv2"]:
            del sys.modules[name]
        Missing.names |= {"cv2", "nacl"}
        import dashboard.recording.recorder
        from dashboard.app import create_app
        from dashboard.settings import DashboardSettings
        made = create_app(DashboardSettings(home=sys.argv[1], redis_url="redis://127.0.0.1:1"))
        assert made.test_client().get("/login").status_code == 200
        assert not {"torch", "cv2", "openvino"} & set(sys.modules)
    """)
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
