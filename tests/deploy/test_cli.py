"""The command: help without the rooms' packages, and clear words instead of tracebacks."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.errors import hide_passwords
from deploy.settings import DeploySettings

COMMANDS = (
    "demo",
    "up",
    "kiosk",
    "worker",
    "recorder",
    "dashboard",
    "enroll",
    "evaluate",
    "doctor",
    "dead",
    "status",
    "acl",
    "site-key",
    "api-key",
    "webhooks",
    "connect",
)


def call(*arguments: str, **environment: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments), env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_help_names_every_command() -> None:
    code, text = call("--help")
    assert code == 0
    assert all(command in text for command in COMMANDS)


def test_base_packages_are_enough_for_help_and_a_missing_extra_is_named() -> None:
    script = textwrap.dedent("""
        import sys
        from importlib.abc import MetaPathFinder

        class Missing(MetaPathFinder):
            names = {"torch", "torchvision", "cv2", "flask", "sqlalchemy", "openvino", "cheroot", "tzlocal", "gunicorn", "PIL"}
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in self.names:
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        sys.meta_path.insert(0, Missing())
        from typer.testing import CliRunner
        from deploy.cli import app

        for command in ("--help", *(f"{c} --help" for c in sys.argv[1:])):
            result = CliRunner().invoke(app, command.split())
            assert result.exit_code == 0, (command, result.output, result.exception)
        url = {"ATTENDANCE_REDIS_URL": "redis://127.0.0.1:1"}
        for command, extra in (("kiosk", "kiosk"), ("worker", "worker"), ("recorder", "dashboard"), ("demo", "demo")):
            result = CliRunner().invoke(app, [command], env=url)
            assert result.exit_code == 2, (command, result.output, result.exception)
            assert f"pip install 'attendance-kiosk[{extra}]'" in result.output, result.output
        assert CliRunner().invoke(app, ["doctor"]).exit_code == 0
    """)
    done = subprocess.run([sys.executable, "-c", script, *COMMANDS], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_each_wrong_setting_is_one_line_with_variable_value_and_bound() -> None:
    code, text = call("kiosk", "--name", "Front Door", ATTENDANCE_KIOSK_JPEG_QUALITY="2")
    assert code == 2
    lines = text.strip().splitlines()
    assert len(lines) == 2
    assert any(line.startswith("ATTENDANCE_KIOSK_NAME=Front Door: ") and "a-z" in line for line in lines)
    assert any(line.startswith("ATTENDANCE_KIOSK_JPEG_QUALITY=2: ") and "40" in line for line in lines)


@pytest.mark.parametrize("command", ["kiosk", "worker", "recorder", "dashboard"])
def test_without_a_redis_it_says_what_to_set(command: str) -> None:
    code, text = call(command)
    assert code == 2
    assert "ATTENDANCE_LIVE_URL" in text
    assert "attendance up" in text


def test_enrolling_needs_the_word_about_consent(tmp_path: Path) -> None:
    code, text = call("enroll", str(tmp_path))
    assert code == 2
    assert "--consent" in text
    code, text = call("enroll", str(tmp_path / "nothing"), "--consent")
    assert code == 2
    assert "no such folder" in text


def test_enrolling_without_a_site_says_what_to_start(tmp_path: Path) -> None:
    (tmp_path / "E1_Ann.jpg").write_bytes(b"x")
    code, text = call("enroll", str(tmp_path), "--consent", ATTENDANCE_HOME=str(tmp_path / "home"))
    assert code == 2
    assert "attendance up" in text
    code, text = call("enroll", str(tmp_path), "--consent", ATTENDANCE_REDIS_URL="redis://u:secret@127.0.0.1:1")
    assert code == 2
    assert "no Redis answers" in text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source", "/nothing/there"], "no such file"),
        (["--source", "ftp://x/y"], "ftp:// is not known"),
        (["--enroll", "/nothing/there"], "no such folder"),
        (["--keep", "/dev/null"], "new or an empty folder"),
        (["--seconds", "0"], "--seconds"),
        (["--headless", "--seconds", "7200"], "at most"),
    ],
)
def test_a_demo_that_cannot_begin_says_why(arguments: list[str], words: str) -> None:
    code, text = call("demo", *arguments)
    assert code == 2
    assert words in text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a=0,a=1", "twice"),
        ("Front=0", "a-z"),
        ("nothing", "name=source"),
        ("a=", "name=source"),
    ],
)
def test_wrong_kiosk_lists(value: str, words: str, tmp_path: Path) -> None:
    code, text = call("up", ATTENDANCE_KIOSKS=value, ATTENDANCE_HOME=str(tmp_path))
    assert code == 2
    assert text.startswith("ATTENDANCE_KIOSKS=")
    assert words in text


def test_a_kiosk_list_may_hold_addresses_with_commas() -> None:
    settings = DeploySettings(kiosks="front=0, back=rtsp://u:p@cam/a,b?x=1,side=/dev/video2")
    assert settings.kiosks == {"front": "0", "back": "rtsp://u:p@cam/a,b?x=1", "side": "/dev/video2"}


def test_passwords_in_addresses_are_hidden() -> None:
    assert (
        hide_passwords("at rtsp://me:s3cret@cam/1 and redis://:pw@h:1") == "at rtsp://me:***@cam/1 and redis://:***@h:1"
    )


@pytest.mark.parametrize("command", [("recorder",), ("worker",), ("kiosk", "--source", "x"), ("dead", "list")])
def test_a_shard_that_the_site_has_not_is_refused(command: tuple[str, ...]) -> None:
    code, text = call(*command, ATTENDANCE_REDIS_URL="redis://127.0.0.1:1", ATTENDANCE_SHARDS="s1,s2")
    assert code == 2
    assert "shard s0 is none of ATTENDANCE_SHARDS (s1, s2)" in text


def test_a_clusters_url_that_cant_be_one_is_refused_without_its_password() -> None:
    code, text = call("worker", ATTENDANCE_LIVE_URL="redis+cluster://worker:secret@a:0")
    assert code == 2
    assert "ATTENDANCE_LIVE_URL=redis+cluster://worker:***@a:0: 'a:0' is no node" in text
