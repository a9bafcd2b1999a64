import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.settings import BadSetting
from core.tasks import Tasks
from proxy.edge.tls import ServerTls
from proxy.listeners import listening
from proxy.worker import Worker
from tests.fakes.certificates import Authority
from tests.fakes.proxy_parts import proxy_settings
from tests.fixtures_program import eventually

WITHIN_S = 10.0


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.edge.tls.LOOK_S", 0.05)


@dataclass
class Served:
    """A worker's public listener under TLS."""

    authority: Authority
    cert: Path
    key: Path
    serial: int
    tls: ServerTls
    broken: list[bool]
    port: int = 0

    async def shown(self, context: ssl.SSLContext | None = None, name: str | None = "localhost") -> ssl.SSLObject:
        """The TLS side of a new connection, after one answer over it."""
        context = context or self.authority.client()
        context.check_hostname = name is not None
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=context, server_hostname=name or ""
        )
        writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(30):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        told: ssl.SSLObject = writer.get_extra_info("ssl_object")
        writer.close()
        return told

    async def serial_shown(self, name: str | None = "localhost") -> int:
        raw = (await self.shown(name=name)).getpeercert(binary_form=True)
        assert raw is not None
        return x509.load_der_x509_certificate(raw).serial_number

    async def until_shown(self, serial: int) -> None:
        async def is_shown() -> bool:
            return await self.serial_shown() == serial

        await eventually(is_shown, WITHIN_S, "the new certificate is shown")


@pytest.fixture(params=["aiohttp", "fast"])
async def served(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    authority, cert, key = Authority(), tmp_path / "cert.pem", tmp_path / "key.pem"
    serial = authority.issue(cert, key)
    broken: list[bool] = []
    worker = Worker(proxy_settings(proxy_listen="127.0.0.1:0", grace_seconds=0.2, lane=request.param))
    try:
        tls = ServerTls(str(cert), str(key), broken.append)
        held = Served(authority, cert, key, serial, tls, broken)
        async with listening(worker.deps, worker.internal, tls) as (port, _):
            held.port = port
            yield held
    finally:
        await worker.close()


async def test_a_caller_is_answered_over_tls_with_http_1_1_agreed_on(served: Served) -> None:
    context = served.authority.client()
    context.set_alpn_protocols(["h2", "http/1.1"])
    shown = await served.shown(context)
    assert shown.selected_alpn_protocol() == "http/1.1"
    assert shown.version() == "TLSv1.3"


async def test_tls_1_2_is_the_oldest_that_is_spoken(served: Served) -> None:
    old = served.authority.client()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert (await served.shown(old)).version() == "TLSv1.2"
    assert served.tls.context.minimum_version == ssl.TLSVersion.TLSv1_2


async def test_plain_http_to_a_tls_listener_is_hung_up_on_and_others_are_served_on(served: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(30):
        try:
            answered = await reader.read()
        except ConnectionResetError:
            answered = b""
        assert b"HTTP" not in answered
    writer.close()
    assert await served.serial_shown() == served.serial


@pytest.mark.parametrize("name", ["localhost", None], ids=["by name", "by address, without a name"])
async def test_files_that_change_are_used_for_new_connections(served: Served, name: str | None) -> None:
    assert await served.serial_shown(name) == served.serial
    newer = served.authority.issue(served.cert, served.key)
    await served.until_shown(newer)
    assert await served.serial_shown(name) == newer
    assert not any(served.broken)


async def test_a_broken_new_file_keeps_the_old_certificate_and_is_told_until_it_is_mended(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    whole = served.cert.read_bytes()
    served.cert.write_bytes(whole[: len(whole) // 2])
    await told(served, [True])
    assert "the certificate before them stays" in caplog.text
    assert await served.serial_shown() == served.serial
    newer = served.authority.issue(served.cert, served.key)
    await served.until_shown(newer)
    assert served.broken == [True, False]


async def test_a_key_of_another_certificate_keeps_the_old_pair(served: Served, tmp_path: Path) -> None:
    served.authority.issue(tmp_path / "other.pem", served.key)
    await told(served, [True])
    assert await served.serial_shown() == served.serial


async def test_files_that_vanish_keep_the_old_certificate(served: Served) -> None:
    served.cert.unlink()
    await told(served, [True])
    assert await served.serial_shown() == served.serial


async def test_a_signal_loads_the_files_again_at_once(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = Tasks("test")
    monkeypatch.setattr("proxy.edge.tls.LOOK_S", 3600.0)
    quiet = ServerTls(str(served.cert), str(served.key), served.broken.append)
    _ = tasks.spawn("keep", quiet.keep())
    quiet.look_now()
    await told(served, [False])
    await tasks.close()


def test_files_that_cannot_be_used_end_the_start_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"ARCHWAY_TLS_CERT, ARCHWAY_TLS_KEY: No such file"):
        ServerTls(str(tmp_path / "none.pem"), str(tmp_path / "none.key"))


def test_an_encrypted_key_is_refused_and_no_password_is_asked_for_on_the_terminal(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    Authority().issue(cert, key)
    packed = serialization.load_pem_private_key(key.read_bytes(), None)
    assert isinstance(packed, ec.EllipticCurvePrivateKey)
    key.write_bytes(
        packed.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"word"),
        )
    )
    with pytest.raises(BadSetting, match="the key is encrypted"):
        ServerTls(str(cert), str(key))


async def told(served: Served, what: list[bool]) -> None:
    async def is_told() -> bool:
        return served.broken == what

    await eventually(is_told, WITHIN_S, f"{what} is told")
