"""One request to somebody else's address: never inside the network, never longer than allowed, never more than bearable."""

import ipaddress
import socket
import threading
import time
from typing import Any

import pytest

from dashboard.webhooks import targets
from dashboard.webhooks.targets import BadTarget, Unreachable, checked_addresses, parse, send
from tests.dashboard.hook_server import hook_server

LOCAL = (ipaddress.ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://",
        "https://user@example.com/",
        "https://:secret@example.com/",
        "https://example.com/#x",
        "https://example.com:99999/",
        "https://example.com:0/",
        "https://exämple.com/",
        "https://example.com/a b",
        "https://example.com/\r\nX: y",
        "https://example.com\\@evil.com/",
        "https://[::1/",
        "https://example.com/" + "a" * 2_000,
    ],
)
def test_a_url_that_is_no_target_is_refused(url: str) -> None:
    with pytest.raises(BadTarget, match="URL"):
        parse(url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fd00::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "localhost",
    ],
)
def test_nothing_is_sent_inside_the_network(host: str) -> None:
    with pytest.raises(BadTarget, match="private"):
        checked_addresses(parse(f"https://{host}/"), ())


def test_an_allowed_network_opens_itself_and_nothing_else() -> None:
    assert checked_addresses(parse("http://127.0.0.1:8080/"), LOCAL)
    assert checked_addresses(parse("https://[::ffff:127.0.0.1]/"), LOCAL)
    with pytest.raises(BadTarget):
        checked_addresses(parse("http://10.0.0.1/"), LOCAL)
    with pytest.raises(BadTarget):  # without https only into allowed networks
        checked_addresses(parse("http://1.1.1.1/"), LOCAL)
    assert checked_addresses(parse("https://1.1.1.1/"), LOCAL)


def test_a_name_that_leads_elsewhere_a_moment_later_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is asked once, and the connection goes to the address that was looked at."""
    asked: list[str] = []

    def fake(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        public = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (public, port))]

    connected: list[Any] = []

    def connect(self: socket.socket, where: Any) -> None:
        connected.append(where)
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr(socket, "getaddrinfo", fake)
    monkeypatch.setattr(targets.socket.socket, "connect", connect)
    with pytest.raises(Unreachable, match="refused"):
        send("POST", "https://rebind.example/", {}, b"")
    assert asked == ["rebind.example"]
    assert connected == [("93.184.216.34", 443)]


def test_of_several_addresses_only_public_ones_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("10.0.0.1", "93.184.216.34")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert [where for _, where in checked_addresses(parse("https://mixed.example/"), ())] == [("93.184.216.34", 443)]


def test_what_is_sent_arrives_as_it_is() -> None:
    with hook_server("204") as server:
        reply = send("POST", f"{server.url}?a=1", {"Content-Type": "application/json"}, b'{"a":1}', LOCAL)
        assert reply.status == 204
        path, headers, body = server.seen[0]
        assert (path, body, headers["content-type"]) == ("/hook?a=1", b'{"a":1}', "application/json")
        assert headers["host"] == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize("how", ["hang", "drip"])
def test_a_target_that_takes_its_time_is_cut_off(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "TOTAL_S", 0.4)
    begun = time.monotonic()
    with hook_server(how) as server:
        with pytest.raises(Unreachable, match="took longer"):
            send("POST", server.url, {}, b"{}", LOCAL)
        assert time.monotonic() - begun < 3


def test_of_a_gigabyte_only_the_beginning_is_read() -> None:
    with hook_server("flood") as server:
        reply = send("POST", server.url, {}, b"{}", LOCAL)
        assert reply.status == 200
        assert len(reply.body) == targets.ANSWER_BYTES


def test_a_redirect_is_not_followed() -> None:
    with hook_server("redirect") as server:
        assert send("POST", server.url, {}, b"{}", LOCAL).status == 302
        assert len(server.seen) == 1


@pytest.mark.parametrize(
    "said",
    [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 70_000, b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200],
)
def test_an_answer_that_is_no_http_is_told_in_one_line(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            one, _ = listener.accept()
            with one:
                one.recv(65_536)
                one.sendall(said)

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(Unreachable) as caught:
            send("POST", f"http://127.0.0.1:{listener.getsockname()[1]}/", {}, b"{}", LOCAL)
        assert "\n" not in str(caught.value)


def test_https_without_tls_and_nobody_there_are_told() -> None:
    with hook_server() as server, pytest.raises(Unreachable):
        send("POST", server.url.replace("http:", "https:"), {}, b"{}", LOCAL)
    with pytest.raises(Unreachable, match="refused"):
        send("POST", server.url, {}, b"{}", LOCAL)
    with pytest.raises(Unreachable, match="isn't found"):
        send("POST", "https://name.invalid/", {}, b"{}")
