"""What control can be told, with the reason of each limit. Read once at start from `ARCHWAY_*` variables."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from control.registry.cluster_dns import ClusterDns, as_named
from control.registry.probe_targets import ProbeTarget, probe_targets
from core.egress.addresses import AddressPolicy, Network, parse_networks
from core.keys import KeyRing, parse_key_ring, refuse_repeats
from core.settings import BadSetting, Seconds, host_port, load, variable
from core.signing import Signer

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
USERS = "1900000000-1999999999"
_NO_USER = 0xFFFFFFFF
"""The number that stands for none: setresuid(2)."""
_LABEL = r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$"
"""A namespace's name is an RFC 1123 label, https://kubernetes.io/docs/concepts/overview/working-with-objects/names/."""

MOST_NAMESPACES = 20
"""Each is watched with a connection for each kind of object."""

Namespace = Annotated[str, msgspec.Meta(pattern=_LABEL)]
T = TypeVar("T")


class ControlSettings(msgspec.Struct, frozen=True):
    """The settings of one control replica. Keys and URLs with passwords are in it, so it shows none of itself."""

    database_url: str
    redis_url: str
    secret_key: str
    """Seals what is at rest in Postgres."""
    proxy_key: str
    signing_key: str
    public_url: str
    """Base of the gateways' URLs; never taken from a request."""
    issuer_url: str = ""
    """Base of people's pages, and the issuer of the authorization server; by default the public URL,
    whose proxies pass on what is for control."""

    admin_listen: str = "127.0.0.1:8401"
    control_internal_listen: str = "127.0.0.1:8402"
    control_public_listen: str = "127.0.0.1:8404"
    """People's pages and the authorization server; proxies pass requests for them on to it."""
    control_metrics_listen: str = ""
    """Prometheus metrics of this control; empty: none are told."""
    proxy_internal_url: tuple[str, ...] = ()
    """Where proxies answer questions (discovery), tried in turn."""
    allowed_hosts: tuple[str, ...] = ()
    """Names under which the admin listener answers, besides those of loopback, and the listener for people, besides
    those of its URLs."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks of reverse proxies whose X-Forwarded-For is believed on the listener for people. Archway's own proxies
    need not be named: their word has a proof."""
    run_token_sha256: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-fA-F]{64})?$")] = ""
    """Digest of the admin token of this run, made by `archway up`."""

    upstream_networks: str = ""
    ca_bundle: str = ""
    """Trusted besides the system's authorities, for proxies behind TLS."""

    records_days: Annotated[int, msgspec.Meta(ge=1, le=3_650)] = 30
    """Days that records of calls are kept, today among them."""
    database_wait: Seconds = 60
    """How long a start waits for a database that is away."""

    runtime: Literal["", "process", "cluster"] = ""
    """Where the servers that Archway runs itself run; '': nowhere, it has remote servers alone."""
    kubeconfig: str = ""
    """File that says where the cluster is and who we are there; '': the service account of the pod that we are in."""
    servers_namespaces: tuple[str, ...] = ()
    """Namespaces of the cluster in which servers run, and nothing else; the first is that of environments that name
    none."""
    servers_namespace: Namespace = ""
    """The only one, as versions before 0.2 name it; not read where `servers_namespaces` is set."""
    release_namespace: Namespace = ""
    """Namespace in which control and proxies run."""
    base_image: str = ""
    """Image of servers that have none of their own: the bridge, Node and Python."""
    servers_node_selector: str = ""
    """JSON object: labels that a node must have to run a server."""
    servers_tolerations: str = ""
    """JSON list: taints of nodes that servers tolerate, as a pod's `spec.tolerations` has them."""

    egress_provider: Literal["auto", "kubernetes", "cilium", "gke", "aws"] = "auto"
    """Who holds egress policies in the cluster; `auto`: whoever its API serves the kind of."""
    cluster_dns: tuple[str, ...] = ()
    """Who answers servers for names: addresses, and pods as `NAMESPACE/LABEL=VALUE`; (): the usual pods, and the name
    servers of our own pod."""
    egress_never: str = ""
    """Networks of the cluster that no server may reach, whatever its environment allows."""
    probe_targets: tuple[str, ...] = ()
    """Where something listens, `HOST:PORT` each: tried by probes of egress, as what is allowed and as what is not."""

    servers_folder: str = ""
    """Where servers that run as processes have their folders and logs; closed to everybody else."""
    servers_users: str = USERS
    """Numbers of users that nobody else uses: where control is root, each server that runs as a process gets its own.
    These are free in https://systemd.io/UIDS-GIDS/."""
    servers_may_read: tuple[str, ...] = ()
    """Folders that servers that run as processes may read besides those of the system."""
    servers_beside_listeners: tuple[str, ...] = ()
    """Listeners that are not loopback, by their variables, beside which servers may run as processes all the same."""

    log_level: str = "INFO"

    def __repr__(self) -> str:
        return f"ControlSettings({self.public_url})"

    @property
    def secret_ring(self) -> KeyRing:
        """The keys that seal rows in Postgres."""
        return parse_key_ring("ARCHWAY_SECRET_KEY", self.secret_key)

    @property
    def proxy_ring(self) -> KeyRing:
        """The keys that the two planes share."""
        return parse_key_ring("ARCHWAY_PROXY_KEY", self.proxy_key)

    @property
    def signing_ring(self) -> KeyRing:
        """Signs what is published."""
        return parse_key_ring("ARCHWAY_SIGNING_KEY", self.signing_key)

    @property
    def signer(self) -> Signer:
        """Signs what is published."""
        return Signer(self.signing_ring)

    @property
    def addresses(self) -> AddressPolicy:
        """Where upstream servers may be."""
        try:
            return AddressPolicy(parse_networks(self.upstream_networks))
        except ValueError as error:
            raise BadSetting(f"ARCHWAY_UPSTREAM_NETWORKS: {error}") from None

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names (lower case, no port) under which the admin listener answers."""
        return tuple(
            sorted({*_LOOPBACK_NAMES, *(host.strip().lower() for host in self.allowed_hosts if host.strip())})
        )

    @property
    def people_hosts(self) -> tuple[str, ...]:
        """Names (lower case, no port) under which the listener for people answers: those of its URLs."""
        named = {urlsplit(url).hostname or "" for url in (self.base_url, self.pages_url)}
        named |= {host.strip().lower() for host in self.allowed_hosts}
        return tuple(sorted((named | set(_LOOPBACK_NAMES) if named & set(_LOOPBACK_NAMES) else named) - {""}))

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Networks whose X-Forwarded-For is believed."""
        try:
            return tuple(ip_network(text.strip()) for text in self.trusted_proxies)
        except ValueError as error:
            raise BadSetting(f"ARCHWAY_TRUSTED_PROXIES: {error}; give networks such as 10.0.0.0/8") from None

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Namespaces of the cluster in which servers run."""
        given = self.servers_namespaces or tuple(filter(None, (self.servers_namespace,)))
        named = tuple(dict.fromkeys(text.strip() for text in given))
        if len(named) > MOST_NAMESPACES or not all(name and re.match(_LABEL, name) for name in named):
            raise BadSetting(
                f"ARCHWAY_SERVERS_NAMESPACES must be at most {MOST_NAMESPACES} names of namespaces, such as a,b"
            )
        return named

    @property
    def node_selector(self) -> dict[str, str]:
        """Labels that a node must have to run a server."""
        return _json("servers_node_selector", self.servers_node_selector or "{}", dict[str, str])

    @property
    def tolerations(self) -> list[dict[str, Any]]:
        """Taints of nodes that servers tolerate."""
        return _json("servers_tolerations", self.servers_tolerations or "[]", list[dict[str, Any]])

    @property
    def named_dns(self) -> ClusterDns | None:
        """Who answers servers for names, where that is said."""
        try:
            return as_named(self.cluster_dns)
        except ValueError as error:
            raise BadSetting(f"ARCHWAY_CLUSTER_DNS: {error}") from None

    @property
    def never_reached(self) -> tuple[Network, ...]:
        """Networks that no server may reach."""
        try:
            return parse_networks(self.egress_never)
        except ValueError as error:
            raise BadSetting(f"ARCHWAY_EGRESS_NEVER: {error}") from None

    @property
    def probed(self) -> tuple[ProbeTarget, ...]:
        """What probes of egress try beside a pod of their own."""
        try:
            return probe_targets(self.probe_targets)
        except ValueError as error:
            raise BadSetting(f"ARCHWAY_PROBE_TARGETS: {error}") from None

    @property
    def users(self) -> range:
        """Of whom servers that run as processes get one each."""
        return users_from(self.servers_users)

    @property
    def pages_url(self) -> str:
        """Where people's pages are, and who issues access tokens; without a slash at its end."""
        return (self.issuer_url or self.public_url).rstrip("/")

    @property
    def base_url(self) -> str:
        """The public URL without a slash at its end."""
        return self.public_url.rstrip("/")

    @property
    def own_urls(self) -> tuple[str, ...]:
        """Where Archway itself is reached, by callers and by people."""
        return self.base_url, self.pages_url

    @property
    def cluster_namespaces(self) -> tuple[str, ...]:
        """Of the cluster, in which servers may run, the usual one first; (): servers run in no cluster."""
        return self.namespaces if self.runtime == "cluster" else ()


def from_environment() -> ControlSettings:
    """The settings; raises BadSetting or BadKey naming the variable and the cure."""
    settings = load(ControlSettings)
    rings = {
        "ARCHWAY_SECRET_KEY": settings.secret_ring,
        "ARCHWAY_PROXY_KEY": settings.proxy_ring,
        "ARCHWAY_SIGNING_KEY": settings.signing_ring,
    }
    refuse_repeats(rings)
    _ = settings.signer
    _check_url("ARCHWAY_DATABASE_URL", settings.database_url, ("postgresql", "postgres"), host=False)
    _check_url("ARCHWAY_REDIS_URL", settings.redis_url, ("redis", "rediss", "unix"), host=False)
    _check_url("ARCHWAY_PUBLIC_URL", settings.public_url, ("http", "https"))
    if settings.issuer_url:
        _check_url("ARCHWAY_ISSUER_URL", settings.issuer_url, ("http", "https"))
    for url in settings.proxy_internal_url:
        _check_url("ARCHWAY_PROXY_INTERNAL_URL", url, ("http", "https"))
    host_port("admin_listen", settings.admin_listen)
    host_port("control_internal_listen", settings.control_internal_listen)
    host_port("control_public_listen", settings.control_public_listen)
    if settings.control_metrics_listen:
        host_port("control_metrics_listen", settings.control_metrics_listen)
    _ = settings.proxies
    _ = settings.addresses
    _ = settings.node_selector, settings.tolerations, settings.users, settings.namespaces, settings.probed
    _ = settings.named_dns, settings.never_reached
    if settings.runtime == "process" and not settings.servers_folder:
        raise BadSetting("ARCHWAY_SERVERS_FOLDER is not set, and ARCHWAY_RUNTIME=process needs it")
    if settings.runtime == "cluster":
        if not settings.namespaces:
            raise BadSetting("ARCHWAY_SERVERS_NAMESPACES is not set, and ARCHWAY_RUNTIME=cluster needs it")
        for name in ("release_namespace", "base_image"):
            if not getattr(settings, name):
                raise BadSetting(f"{variable(name)} is not set, and ARCHWAY_RUNTIME=cluster needs it")
    return settings


def users_from(text: str) -> range:
    """The numbers of users that a setting names, `FIRST-LAST`; raises BadSetting."""
    first, _, last = text.partition("-")
    if first.isdecimal() and last.isdecimal() and 0 < int(first) <= int(last) < _NO_USER:
        return range(int(first), int(last) + 1)
    raise BadSetting(f"ARCHWAY_SERVERS_USERS must be two numbers of users, such as {USERS}")


def _json(name: str, text: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError as error:
        raise BadSetting(f"{variable(name)} must be JSON: {error}") from None


def _check_url(variable: str, text: str, schemes: tuple[str, ...], *, host: bool = True) -> None:
    """The value itself is not repeated: it may hold a password. `host` False: a socket's path will do."""
    try:
        parts = urlsplit(text.strip())
        fits = parts.scheme in schemes and (bool(parts.hostname) or not host) and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise BadSetting(f"{variable} must be a URL such as {schemes[0]}://host/; check scheme, host and port")
