"""What a proxy can be told, with the reason of each limit. Read once at start from `ARCHWAY_*` variables."""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from core.keys import KeyRing, parse_key_ring
from core.settings import BadSetting, Count, Seconds, load
from core.signing import Verifier
from proxy.limits.overload import MOST_LAG_S

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_OWN_PORT = {"http": 80, "https": 443}


class ProxySettings(msgspec.Struct, frozen=True):
    """The settings of one proxy, supervisor and workers alike. Keys and passwords are in it: its repr shows none."""

    redis_url: str
    control_internal_url: tuple[str, ...]
    proxy_key: str
    verify_keys: str
    public_url: str
    """Base of the gateways' URLs; never taken from a request."""
    issuer_url: str = ""
    """Base of the authorization server and of the pages for people; by default the public URL."""
    control_public_url: tuple[str, ...] = ()
    """Where control serves these; what comes for them to the public URL is passed on there. Empty: nothing is."""

    proxy_listen: str = "127.0.0.1:8400"
    proxy_internal_listen: str = "127.0.0.1:8403"
    metrics_listen: str = "127.0.0.1:9400"
    proxy_fd: int = -1
    """An inherited listening socket instead of `proxy_listen`."""
    proxy_internal_fd: int = -1
    ready_fd: int = -1
    """A pipe into which a worker writes one byte when it is ready."""
    tls_cert: str = ""
    """PEM files of the public listener; both or neither."""
    tls_key: str = ""
    metrics_file: str = ""
    """File of counting slots that the supervisor made; unset: counts stay in this process."""
    lane: Literal["auto", "fast", "aiohttp"] = "auto"
    """Which code serves the public listener: `auto` takes the one that is best proven, the fast lane."""
    plans: bool = True
    """Whether a call whose head and tool were decided on just before goes by that; else each goes through all stages.
    """
    compiled: bool = True
    """Whether a worker uses compiled modules where they fit its sources: read first, by `core/compiled_form.py`."""
    workers: Annotated[int, msgspec.Meta(ge=1, le=256)] = 1

    allowed_hosts: tuple[str, ...] = ()
    """Host names that requests may name, besides the public URL's; loopback names when that is loopback."""
    allowed_origins: tuple[str, ...] = ()
    """Origins of browser clients, besides the public URL's."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks whose X-Forwarded-For is believed."""

    upstream_networks: str = ""
    ca_bundle: str = ""
    https_proxy: str = ""

    soft_age: Seconds = 60
    """A verdict or credential older than this is asked again."""
    max_stale: Seconds = 3600
    """The oldest that may be used while control cannot be reached."""
    disk_cache: str = ""
    """Folder for the sealed copy that lets a restart serve known callers with control and Redis down."""

    max_body: Count = 4 << 20
    max_answer: Count = 16 << 20
    header_seconds: Seconds = 10
    """A header block that takes longer is refused; an idle connection may wait far longer for its next request."""
    body_seconds: Seconds = 15
    """A body that takes longer is refused: aiohttp bounds slow headers, not slow bodies."""
    write_seconds: Seconds = 30
    """A caller that reads nothing of its answer for so long is cut off: what is unread stays in memory."""
    call_seconds: Seconds = 60
    call_ceiling_seconds: Seconds = 600
    """Progress extends a call's deadline, never beyond this."""
    grace_seconds: Seconds = 30
    """How long a leaving worker may take to finish its calls."""
    most_lag: Seconds = MOST_LAG_S
    """A worker is overloaded when round after round of its event loop takes longer, and then refuses a part."""
    calls_per_upstream: Count = 100
    calls_in_flight: Count = 2000
    bytes_in_flight: Count = 256 << 20
    """Bodies and unread answers held by one worker, a quarter of them for one principal; parsed JSON takes up to 19
    times its text, and 4 MiB bodies are rare."""
    streams: Count = 20_000
    """Open GET streams of one worker; one principal has at most a quarter of them."""
    unknown_per_second: Count = 200
    """Cold questions about tokens and gateways that nobody here has seen, per worker."""

    otlp_endpoint: str = ""
    """A collector of traces; unset: no call is traced, and nothing is done for it."""
    otlp_headers: tuple[str, ...] = ()
    """`name=value` each; may hold a password."""
    trace_ratio: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.01
    traces_per_second: Annotated[float, msgspec.Meta(ge=0, le=10_000)] = 10
    """A caller can ask for a trace of every call; each costs some 30 us of another thread."""
    trace_to_remote: bool = True
    baggage_keys: tuple[str, ...] = ()
    """Baggage may say anything of anybody, so none passes that nobody listed."""

    log_level: str = "INFO"

    def __repr__(self) -> str:
        return f"ProxySettings({self.public_url})"

    @property
    def key_ring(self) -> KeyRing:
        """The proxy key."""
        return parse_key_ring("ARCHWAY_PROXY_KEY", self.proxy_key)

    @property
    def verifier(self) -> Verifier:
        """Checks what control signed."""
        return Verifier("ARCHWAY_VERIFY_KEYS", self.verify_keys)

    @property
    def base_url(self) -> str:
        """The public URL without a slash at its end."""
        return self.public_url.rstrip("/")

    @property
    def issuer(self) -> str:
        """The authorization server as its tokens and its metadata name it, byte for byte."""
        return (self.issuer_url or self.public_url).rstrip("/")

    @property
    def passes_on(self) -> bool:
        """Whether people and clients that come here to sign in are passed on to control."""
        return bool(self.control_public_url) and self.issuer == self.base_url

    @property
    def hosts(self) -> frozenset[str]:
        """Host names (no port, lower case) that a request may name."""
        public = urlsplit(self.public_url).hostname or ""
        names = {public, *(host.strip().lower() for host in self.allowed_hosts)}
        names = {f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else name for name in names}
        if names & set(_LOOPBACK_NAMES):
            names.update(_LOOPBACK_NAMES)
        return frozenset(names - {""})

    @property
    def origins(self) -> frozenset[str]:
        """Origins (RFC 6454) of browser clients."""
        listed = (origin.strip() for origin in self.allowed_origins)
        return frozenset({_origin(self.public_url), *(_origin(origin) for origin in listed if origin)})

    @property
    def collector_headers(self) -> dict[str, str]:
        """What the collector of traces is sent besides the spans."""
        pairs = [text.partition("=") for text in self.otlp_headers]
        if any(not separator or not name.strip() for name, separator, _ in pairs):
            raise BadSetting("ARCHWAY_OTLP_HEADERS takes name=value, several of them separated by commas")
        return {name.strip().lower(): value.strip() for name, _, value in pairs}

    @property
    def trusted_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Reverse proxies in front of us."""
        try:
            return tuple(ip_network(text.strip()) for text in self.trusted_proxies)
        except ValueError as error:
            raise BadSetting(f"ARCHWAY_TRUSTED_PROXIES: {error}; give networks such as 10.0.0.0/8") from None


def from_environment(environment: Mapping[str, str] | None = None) -> ProxySettings:
    """The settings, of this process's environment unless another is given.

    Raises BadSetting or BadKey naming the variable and the cure.
    """
    settings = load(ProxySettings, environment)
    if not _is_http(settings.public_url):
        raise BadSetting(f"ARCHWAY_PUBLIC_URL must be an http(s) URL; got {settings.public_url!r}")
    if settings.issuer_url and not _is_http(settings.issuer_url):
        raise BadSetting("ARCHWAY_ISSUER_URL must be an http(s) URL such as https://sign-in.example.com")
    for url in settings.control_public_url:
        if not _is_base(url):
            raise BadSetting("ARCHWAY_CONTROL_PUBLIC_URL takes http(s) URLs without a path: http://control:8404")
    if settings.soft_age > settings.max_stale:
        raise BadSetting("ARCHWAY_SOFT_AGE must not be above ARCHWAY_MAX_STALE")
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise BadSetting("ARCHWAY_TLS_CERT and ARCHWAY_TLS_KEY go together; set both, or neither for plain HTTP")
    _ = settings.key_ring, settings.verifier, settings.trusted_networks, settings.origins, settings.collector_headers
    if settings.otlp_endpoint and not _is_http(settings.otlp_endpoint):
        raise BadSetting("ARCHWAY_OTLP_ENDPOINT must be an http(s) URL, such as http://127.0.0.1:4318")
    return settings


def _is_http(url: str) -> bool:
    return urlsplit(url).scheme in _OWN_PORT and bool(urlsplit(url).hostname)


def _is_base(url: str) -> bool:
    parts = urlsplit(url.strip())
    return _is_http(url.strip()) and parts.path in {"", "/"} and not (parts.query or parts.fragment or parts.username)


def _origin(url: str) -> str:
    """The origin of a URL as a browser writes it: lower case, without the scheme's own port, without a path."""
    try:
        parts = urlsplit(url.lower())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _OWN_PORT or not parts.hostname or "@" in parts.netloc:
        raise BadSetting(f"ARCHWAY_ALLOWED_ORIGINS takes origins such as https://app.example.com; got {url!r}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port in {None, _OWN_PORT[parts.scheme]} else f":{port}")
