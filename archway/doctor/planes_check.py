"""Whether the planes can find each other, and agree: what no single setting shows. Pure; asks nobody.

Called by examine.py. `check_gaps` is for one plane's settings, `check_pair` for both.
"""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec

from archway.doctor.environments import Given
from archway.doctor.finding import Finding, note
from archway.up.keys_file import verify_keys
from control.settings import ControlSettings
from core.keys import BadKey
from core.settings import variable
from proxy.settings import ProxySettings

PROXIES = "ARCHWAY_PROXY_INTERNAL_URL"
CONTROLS = "ARCHWAY_CONTROL_INTERNAL_URL"
_ROADS = (
    (PROXIES, "control", "ARCHWAY_PROXY_INTERNAL_LISTEN", "proxy"),
    (CONTROLS, "proxy", "ARCHWAY_CONTROL_INTERNAL_LISTEN", "control"),
)
_EQUAL = {
    "ARCHWAY_PUBLIC_URL": "links and host names are made from it",
    "ARCHWAY_UPSTREAM_NETWORKS": "a server that one plane allows is refused by the other",
}


def check_gaps(given: Given) -> list[Finding]:
    """What a plane starts without, and then cannot do its work."""
    findings = []
    if given.is_for("control") and not addresses_of(given.settings, PROXIES):
        findings.append(
            Finding(
                f"{given.name}: {PROXIES} is not set",
                "control finds no proxy to ask, so no server can be discovered",
                "set it to where proxies listen for control, such as http://proxy.internal:8403",
            )
        )
    listen = given.settings.get("ARCHWAY_PROXY_INTERNAL_LISTEN", "").strip()
    if given.is_for("proxy") and listen.endswith(":0"):
        findings.append(
            Finding(
                f"{given.name}: ARCHWAY_PROXY_INTERNAL_LISTEN takes any free port",
                f"control cannot know it, so {PROXIES} does not lead there and no server can be discovered",
                "name a port, such as 0.0.0.0:8403",
            )
        )
    return findings


def check_pair(control: Given, proxy: Given) -> list[Finding]:
    """Where the settings of the two planes do not fit together."""
    return [*_keys(control, proxy), *_equal(control, proxy), *_roads({"control": control, "proxy": proxy})]


def addresses_of(settings: Mapping[str, str], name: str) -> list[str]:
    """The addresses of a setting that lists some."""
    return [one.strip() for one in settings.get(name, "").split(",") if one.strip()]


def _keys(control: Given, proxy: Given) -> Iterator[Finding]:
    pairs = [_ring(one.settings.get("ARCHWAY_PROXY_KEY", "")) for one in (control, proxy)]
    if all(pairs) and (pairs[0][0] not in pairs[1] or pairs[1][0] not in pairs[0]):
        yield Finding(
            f"ARCHWAY_PROXY_KEY of {control.name} and of {proxy.name} are two keys",
            "the planes refuse each other's questions",
            "give both the same; while you replace it, both `new,old`",
        )
    try:
        needed = _ring(verify_keys(control.settings.get("ARCHWAY_SIGNING_KEY", "")))
    except BadKey:
        return  # told with the setting itself
    held = _ring(proxy.settings.get("ARCHWAY_VERIFY_KEYS", ""))
    if held and needed and needed[0] not in held:
        yield Finding(
            f"ARCHWAY_VERIFY_KEYS of {proxy.name} lacks the public half of {control.name}'s ARCHWAY_SIGNING_KEY",
            "proxies believe nothing that control publishes",
            "`archway keys public`, with that signing key in the environment, prints it",
        )


def _ring(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _equal(control: Given, proxy: Given) -> Iterator[Finding]:
    for name, why in _EQUAL.items():
        one, other = (_normal(given.settings.get(name, "")) for given in (control, proxy))
        if one != other:
            yield Finding(f"{name} differs between {control.name} and {proxy.name}", why, "give both the same")


def _normal(text: str) -> list[str]:
    return sorted(one.strip().rstrip("/") for one in text.split(",") if one.strip())


def _roads(planes: Mapping[str, Given]) -> Iterator[Finding]:
    """Whether each plane's address for the other leads to where that one listens."""
    for address, asker, listener, answerer in _ROADS:
        urls = addresses_of(planes[asker].settings, address)
        listen = planes[answerer].settings.get(listener, "").strip() or default_of(listener)
        host, _, port = listen.rpartition(":")
        if not urls or not port.isdigit() or port == "0":
            continue  # told by itself
        ports = {_port(url) for url in urls}
        if int(port) not in ports:
            far = f"{address} of {planes[asker].name} names port {', '.join(map(str, sorted(ports)))}"
            cure = "make the two the same, unless something between maps the port"
            yield note(f"{far}, {planes[answerer].name} listens on {port} ({listener})", cure=cure)
        if _is_loopback(host) and not all(_is_loopback(urlsplit(url).hostname or "") for url in urls):
            yield note(
                f"{planes[answerer].name} listens for {asker} on loopback alone ({listener} is {listen})",
                f"{address} names another machine",
                f"set {listener}=0.0.0.0:{port}; in the image it is so already",
            )


def default_of(name: str) -> str:
    """The default of a setting, as text."""
    fields = [field for kind in (ProxySettings, ControlSettings) for field in msgspec.structs.fields(kind)]
    return next((str(field.default) for field in fields if variable(field.name) == name), "")


def _port(url: str) -> int:
    parts = urlsplit(url)
    try:
        return parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return 0  # told with the setting itself


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
