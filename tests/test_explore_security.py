"""What the explorer's server refuses: other names, other pages, too much, what is no form, and paths to files."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from explore_server import EDITION, new_pool, page_in_process
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gwm_models.explore import guard
from gwm_models.explore.assets import static_files
from gwm_models.explore.bodies import MOST_DEPTH, form_in, read_json
from gwm_models.explore.guard import HEADERS, MOST_BYTES, Guard, Refused
from gwm_models.explore.start import first_form

POSTS = ("/api/read", "/api/check", "/api/project", "/api/compare", "/api/file", "/api/report")
GETS = ("/", "/static/main.js", "/api/scenario/nothing")
MARK = "root:"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with page_in_process(new_pool(1, warmed=False)) as found:
        yield found


def port_of(client: httpx.Client) -> int:
    port = client.base_url.port
    assert port is not None
    return port


def raw(client: httpx.Client, text: bytes, *, more: tuple[bytes, ...] = ()) -> tuple[int, dict[str, str], bytes]:
    """Send bytes as they are; give status, headers and body of the answer."""
    with socket.create_connection(("127.0.0.1", port_of(client)), timeout=20) as link:
        link.sendall(text)
        for part in more:
            try:
                link.sendall(part)
            except OSError:
                break
        found = b""
        try:
            while piece := link.recv(65536):
                found += piece
        except ConnectionResetError:
            pass
    head, _, body = found.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split()[1]) if first else 0, headers, body


def get(client: httpx.Client, path: str, host: str | None, extra: str = "") -> tuple[int, dict[str, str], bytes]:
    line = "" if host is None else f"Host: {host}\r\n"
    return raw(client, f"GET {path} HTTP/1.1\r\n{line}{extra}Connection: close\r\n\r\n".encode("latin-1"))


# ---------------------------------------------------------------- who may ask


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_the_names_of_this_machine_are_answered(client: httpx.Client, name: str) -> None:
    assert get(client, "/", f"{name}:{port_of(client)}")[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.com",
        "evil.com:{port}",
        "localhost.evil.com:{port}",
        "127.0.0.1.evil.com:{port}",
        "127.0.0.1",
        "localhost",
        "localhost:{other}",
        "localhost:0{port}",
        "localhost.:{port}",
        "localhost:{port}.evil.com",
        "localhost:{port}@evil.com",
        "evil.com@localhost:{port}",
        "user@127.0.0.1:{port}",
        "127.1:{port}",
        "0.0.0.0:{port}",
        "2130706433:{port}",
        "0x7f000001:{port}",
        "[::ffff:127.0.0.1]:{port}",
        "::1:{port}",
        "localhost:{port},evil.com",
        "localhost:{port}/",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/scenario/nothing", "/static/main.js"])
def test_no_other_name_is_answered(client: httpx.Client, host: str, path: str) -> None:
    port = port_of(client)
    status, _, body = get(client, path, host.format(port=port, other=port + 1))
    assert status in (400, 421)
    assert b"northern" not in body and b"<html" not in body


def test_a_request_without_a_name_or_with_two_is_not_answered(client: httpx.Client) -> None:
    port = port_of(client)
    assert get(client, "/", None)[0] == 400
    assert raw(client, b"GET / HTTP/1.0\r\n\r\n")[0] == 421
    two = f"GET / HTTP/1.1\r\nHost: localhost:{port}\r\nHost: evil.com\r\nConnection: close\r\n\r\n"
    assert raw(client, two.encode())[0] in (400, 421)


def test_a_forwarded_name_changes_nothing(client: httpx.Client) -> None:
    extra = f"X-Forwarded-Host: localhost:{port_of(client)}\r\nForwarded: host=localhost\r\n"
    assert get(client, "/", "evil.com", extra)[0] == 421


def test_the_whole_address_of_another_site_is_no_page(client: httpx.Client) -> None:
    status, _, _ = get(client, "http://evil.com/", f"localhost:{port_of(client)}")
    assert status in (400, 404, 421)


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.com",
        "null",
        "http://localhost:{other}",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:{port}.evil.com",
        "http://localhost:{port}",
        "http://127.0.0.1:{port}/",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/api/check", "/api/scenario/nothing"])
def test_another_page_may_neither_send_nor_read(client: httpx.Client, origin: str, path: str) -> None:
    port = port_of(client)
    headers = {"Origin": origin.format(port=port, other=port + 1)}
    method = "POST" if path == "/api/check" else "GET"
    answer = client.request(method, path, headers=headers, json={"form": {}} if method == "POST" else None)
    assert answer.status_code == 403
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_the_page_itself_may_send(client: httpx.Client) -> None:
    for name in ("127.0.0.1", "localhost"):
        base = f"http://{name}:{port_of(client)}"
        headers = {"Origin": base, "Host": base.removeprefix("http://"), "Sec-Fetch-Site": "same-origin"}
        assert client.post("/api/check", json={"form": {}}, headers=headers).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_browser_says_comes_from_another_site_is_refused(client: httpx.Client, site: str) -> None:
    for path in ("/api/scenario/nothing", "/static/main.js"):
        assert client.get(path, headers={"Sec-Fetch-Site": site}).status_code == 403
    assert client.get("/", headers={"Sec-Fetch-Site": site}).status_code == 200
    assert client.get("/static/main.js", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-GWM": "0"}, 403),
        ({"X-GWM": ""}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=a"}, 415),
        ({"Content-Type": "text/plain; application/json"}, 415),
        ({"Content-Type": "application/json; charset=utf-16"}, 415),
        ({"Content-Type": "application/jsonx"}, 415),
        ({"Content-Type": ""}, 415),
        ({"Content-Encoding": "gzip"}, 415),
    ],
)
def test_what_a_page_of_another_site_could_send_without_asking_is_refused(
    client: httpx.Client, path: str, headers: dict[str, str], status: int
) -> None:
    own = {"Content-Type": "application/json", "X-GWM": "1"} | headers
    assert client.post(path, content=b'{"form": {}}', headers=own).status_code == status


def test_a_form_without_the_header_of_the_page_is_refused(client: httpx.Client) -> None:
    bare = httpx.post(f"{client.base_url}/api/check", json={"form": {}}, trust_env=False)
    assert bare.status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "GET2"])
def test_other_methods_are_refused(client: httpx.Client, method: str) -> None:
    for path in ("/", "/api/check", "/nowhere"):
        answer = client.request(method, path)
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD, POST"
        assert answer.json()["error"].endswith(".")


def test_an_address_to_look_at_takes_no_form_and_one_for_forms_is_not_looked_at(client: httpx.Client) -> None:
    assert client.post("/api/areas", json={}).status_code == 405
    for path in POSTS:
        assert client.get(path).status_code == 405
        assert client.head(path).status_code == 405
    head = client.head("/")
    assert head.status_code == 200
    assert head.content == b""


def test_a_websocket_is_not_opened(client: httpx.Client) -> None:
    extra = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    text = f"GET /api/start HTTP/1.1\r\nHost: evil.com\r\nConnection: Upgrade, close\r\n{extra}\r\n"
    assert raw(client, text.encode())[0] == 421


def test_a_websocket_that_reaches_the_guard_is_closed() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def never(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("the application is not asked")

    asyncio.run(Guard(never, 1)({"type": "websocket", "path": "/", "headers": []}, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


# ---------------------------------------------------------------- headers


def test_every_answer_has_the_headers_that_protect_it(client: httpx.Client) -> None:
    answers = [client.get(path) for path in (*GETS, "/nowhere", "/api/scenario/none", "/api/check")]
    answers += [client.post("/api/check", json={"form": {}}), client.post("/api/check", json=[])]
    answers += [client.put("/"), client.get("/", headers={"Host": "evil.com"})]
    answers += [client.post("/api/check", json={"form": {"a": "x" * MOST_BYTES}})]
    assert {answer.status_code for answer in answers} == {200, 400, 404, 405, 413, 421}
    for answer in answers:
        for name, value in HEADERS:
            assert answer.headers.get_list(name.decode()) == [value.decode()], (answer.url, name)
        assert "server" not in answer.headers
        assert not any(name.startswith("access-control") or name == "set-cookie" for name in answer.headers)


def test_the_policy_lets_scripts_and_requests_go_to_the_page_only() -> None:
    policy = dict(part.strip().split(" ", 1) for part in dict(HEADERS)[b"content-security-policy"].decode().split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' 'unsafe-eval'"
    assert policy["style-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert {policy[name] for name in ("frame-ancestors", "base-uri", "form-action")} == {"'none'"}
    assert not any("http" in value or "*" in value for value in policy.values())


def test_the_page_holds_no_script_of_its_own_and_names_nothing_outside(client: httpx.Client) -> None:
    text = client.get("/").text
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"\son[a-z]+=", text)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


def test_a_fault_of_ours_tells_nothing_of_itself(capfd: pytest.CaptureFixture[str]) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("secret detail")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost:1")]}
    asyncio.run(Guard(broken, 1)(scope, receive, send))
    assert sent[0]["status"] == 500
    assert set(HEADERS) <= set(sent[0]["headers"])
    assert b"secret" not in sent[1]["body"]
    assert "secret detail" in capfd.readouterr().err


# ---------------------------------------------------------------- how much


def post_head(client: httpx.Client, extra: str) -> bytes:
    return (
        f"POST /api/check HTTP/1.1\r\nHost: localhost:{port_of(client)}\r\nX-GWM: 1\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\n{extra}\r\n"
    ).encode()


def test_a_body_that_says_it_is_too_large_is_refused_unread(client: httpx.Client) -> None:
    for length in (MOST_BYTES + 1, 10**12, 10**30):
        status, _, body = raw(client, post_head(client, f"Content-Length: {length}\r\n"))
        assert status in (400, 413)
        assert length > 10**20 or status == 413
        assert length > 10**20 or json.loads(body)["error"].startswith("Send less")


def test_a_body_in_pieces_is_counted_while_it_arrives(client: httpx.Client) -> None:
    piece = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    status, _, _ = raw(client, post_head(client, "Transfer-Encoding: chunked\r\n"), more=(piece,) * 200)
    assert status == 413


def test_a_body_in_pieces_of_fair_size_is_read(client: httpx.Client) -> None:
    body = json.dumps({"form": {"id": "a"}}).encode()
    pieces = b"".join(b"%x\r\n%s\r\n" % (1, body[at : at + 1]) for at in range(len(body))) + b"0\r\n\r\n"
    status, _, text = raw(client, post_head(client, "Transfer-Encoding: chunked\r\n"), more=(pieces,))
    assert status == 200
    assert b"findings" in text


def test_the_largest_body_is_read_and_one_more_byte_is_not(client: httpx.Client) -> None:
    base = len(json.dumps({"form": {"a": ""}}))
    own = {"Content-Type": "application/json"}
    for more, status in ((0, 200), (1, 413)):
        body = json.dumps({"form": {"a": "x" * (MOST_BYTES - base + more)}})
        assert client.post("/api/check", content=body, headers=own).status_code == status


def test_a_body_that_does_not_come_is_not_waited_for(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.3)
    status, _, body = raw(client, post_head(client, "Content-Length: 20\r\n"), more=(b"{",))
    assert status == 408
    assert b"0.3 seconds" in body


def test_a_length_that_contradicts_itself_is_refused(client: httpx.Client) -> None:
    for extra in (
        "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 2x\r\n",
        "Content-Length: 2\r\nTransfer-Encoding: gzip\r\n",
    ):
        assert raw(client, post_head(client, extra), more=(b"{}",))[0] in (400, 501)


# ---------------------------------------------------------------- what is no form


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"1",
        b'"form"',
        b"{}",
        b'{"form": null}',
        b'{"form": []}',
        b'{"form": "x"}',
        b'{"form": {}, "more": 1}',
        b'{"form": {"draws": NaN}}',
        b'{"form": {"draws": Infinity}}',
        b'{"form": {"draws": -Infinity}}',
        b'{"form": {"draws": 1e999}}',
        b'{"form": {"draws": -1e999}}',
        b'{"form": {"draws": 99999999999999999999999}}',
        b'{"form": {"draws": %s}}' % (b"9" * 5000),
        b'{"form": {"id": "a", "id": "b"}}',
        b'{"form": {"id": "\\ud800"}}',
        b'{"form": {"id": "\xff"}}',
        b"\xef\xbb\xbf" + b'{"form": {}}',
        '{"form": {}}'.encode("utf-16"),
        b'{"form": %s1%s}' % (b"[" * 100, b"]" * 100),
        b'{"form": %s}' % (b'{"a":' * 100 + b"1" + b"}" * 100),
        b"[" * 200_000,
        b'{"form": {}} {}',
        b"{'form': {}}",
    ],
)
@pytest.mark.parametrize("path", ["/api/check", "/api/project"])
def test_what_is_no_form_is_refused_in_words(client: httpx.Client, body: bytes, path: str) -> None:
    answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
    assert len(answer.json()["error"]) < 300


def test_json_may_be_as_deep_as_allowed_and_no_deeper() -> None:
    for depth, sound in ((MOST_DEPTH, True), (MOST_DEPTH + 1, False)):
        body = b"[" * depth + b"]" * depth
        if sound:
            assert read_json(body) is not None
        else:
            with pytest.raises(Refused, match="nested"):
                read_json(body)
    assert read_json(b'"' + b"[" * 100 + b'\\"[[["') == "[" * 100 + '"[[['


@pytest.mark.parametrize("piece", [b'\\"', b'"\\', b'"', b'"a\\\\', b"\\", b'["', b'{"a":', b'"\\"'])
def test_a_body_made_to_be_slow_is_refused_at_once(piece: bytes) -> None:
    began = time.process_time()
    for body in (piece * (MOST_BYTES // len(piece)), b'"' + piece * (MOST_BYTES // len(piece)) + b"\\"):
        with pytest.raises(Refused):
            read_json(body)
    assert time.process_time() - began < 5


def test_a_form_of_many_keys_is_answered(client: httpx.Client) -> None:
    answer = client.post("/api/check", json={"form": {f"key-{place}": None for place in range(15_000)}})
    assert answer.status_code == 200
    assert len(answer.json()["findings"]) < 50


def test_the_parts_of_a_request_are_named_where_they_are_wrong() -> None:
    assert form_in({"a": {}, "b": {"x": 1}}, "a", "b") == [{}, {"x": 1}]
    for body in ({"a": {}}, {"a": {}, "b": {}, "c": {}}, {"a": {}, "b": 1}, [], None):
        with pytest.raises(Refused, match="'a' and 'b'"):
            form_in(body, "a", "b")


@pytest.mark.parametrize("value", [-1, 0, 2**62, -(2**62), 1e300, -1e300, 5e-324, True, "1000", [], {}, None])
@pytest.mark.parametrize("key", ["draws", "seed", "start", "end"])
def test_a_number_that_cannot_be_is_a_finding(client: httpx.Client, key: str, value: Any) -> None:
    answer = client.post("/api/project", json={"form": first_form(EDITION) | {"draws": 100} | {key: value}})
    assert answer.status_code == 200
    found = answer.json()
    left_out = value is None and key in ("draws", "seed")
    sound = left_out or (key == "seed" and value in (0, 2**62) and value is not True)
    assert found["ok"] == sound, found["findings"]
    if not sound:
        assert any(row["field"] == key for row in found["findings"]), found["findings"]


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["id", "title", "actions", "health", "edition", "start", "draws", "evaluation", "kind", "goal"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=st.dictionaries(KEYS | st.text(max_size=8), plain, max_size=6), path=st.sampled_from(POSTS))
def test_whatever_is_sent_is_never_a_fault(client: httpx.Client, form: Any, path: str) -> None:
    bodies = {"/api/compare": {"a": form, "b": form}, "/api/read": {"yaml": json.dumps(form)}}
    try:
        body = json.dumps(bodies.get(path, {"form": form})).encode()
    except UnicodeEncodeError:
        return
    answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 400)
    found = answer.json()
    assert "error" in found or "findings" in found or "findings_a" in found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200) | plain.map(lambda value: json.dumps(value).encode()), path=st.sampled_from(POSTS))
def test_whatever_bytes_are_sent_are_never_a_fault(client: httpx.Client, body: bytes, path: str) -> None:
    answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 400)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a, *a]",
        "!!python/object/apply:os.system [echo hacked]",
        "a: !include /etc/passwd",
        "[" * 60,
        "a: " + "9" * 5000,
        "kind: portfolio\nportfolio: {options: [{scenario: /etc/passwd}, {scenario: ../../etc/passwd}]}",
        "baseline: {edition: /etc}",
        "schema: gwm-scenario/1\nbaseline: {edition: ../../../etc}",
        "\x00",
        "id: \ufeff",
    ],
)
def test_a_file_that_asks_for_more_than_it_may_is_a_finding(client: httpx.Client, text: str) -> None:
    answer = client.post("/api/read", json={"yaml": text})
    assert answer.status_code == 200
    found = answer.json()
    assert found["form"] is None and found["why"] and found["findings"]
    assert MARK not in answer.text.replace(text, "")


def test_a_file_of_no_text_is_refused(client: httpx.Client) -> None:
    for body in ({"yaml": 1}, {"yaml": None}, {"yaml": "a", "more": 1}, {}, {"path": "/etc/passwd"}):
        assert client.post("/api/read", json=body).status_code == 400


# ---------------------------------------------------------------- paths


TRAVERSALS = (
    "..",
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%5c..%5cetc%5cpasswd",
    "..%252f..%252fetc%252fpasswd",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    "//etc/passwd",
    "nothing%00",
    "nothing%00.yaml",
    "nothing.yaml",
    "main.js%00",
    "%c0%ae%c0%ae%c0%afetc",
    "....//....//etc/passwd",
    "file:%2f%2f%2fetc%2fpasswd",
    "..;/..;/etc/passwd",
    "__init__.py",
    "../app.py",
    "%2e%2e%2fapp.py",
)


@pytest.mark.parametrize("way", TRAVERSALS)
@pytest.mark.parametrize("base", ["/", "/static/", "/api/scenario/"])
def test_no_path_leads_to_a_file(client: httpx.Client, base: str, way: str) -> None:
    _leads_nowhere(client, base + way)


def test_no_area_or_field_leads_to_a_file(client: httpx.Client) -> None:
    for base in ("/api/area/", "/api/map?show="):
        for way in TRAVERSALS:
            _leads_nowhere(client, base + way)


def _leads_nowhere(client: httpx.Client, path: str) -> None:
    status, headers, body = get(client, path, f"localhost:{port_of(client)}")
    assert status in (400, 404), body[:200]
    assert headers["content-type"].startswith(("application/json", "text/plain"))
    assert MARK.encode() not in body and b"import" not in body


def test_only_the_files_of_the_page_are_ever_served() -> None:
    assert all(re.fullmatch(r"[a-z0-9.-]+\.(html|css|js|svg)", name) for name in static_files())
    assert "index.html" in static_files()


@pytest.mark.parametrize("name", ["../evil", "..\\evil", "/etc/passwd", 'a"; x="', "a\r\nSet-Cookie: b", "Ä", "a" * 81])
def test_the_name_of_a_download_is_the_id_of_a_sound_scenario(client: httpx.Client, name: str) -> None:
    for path in ("/api/file", "/api/report"):
        answer = client.post(path, json={"form": first_form(EDITION) | {"id": name}})
        assert answer.status_code == 400
        assert "content-disposition" not in answer.headers


def test_texts_of_a_scenario_are_given_as_data_and_escaped_in_the_report(client: httpx.Client) -> None:
    words = '<img src=x onerror="alert(1)"></script><script>alert(2)</script>'
    form = first_form(EDITION) | {"draws": 100, "title": words, "question": words}
    answer = client.post("/api/check", json={"form": form})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["ok"]
    report = client.post("/api/report", json={"form": form})
    assert report.headers["content-disposition"].startswith("attachment")
    assert "<img src=x" not in report.text and "<script>alert" not in report.text
