"""Servers as they may be wanted, and the defaults of a deployment: those whose objects are kept as golden files."""

from __future__ import annotations

from dataclasses import replace

from control.orchestrator.defaults import Defaults
from control.registry.self_hosted import USUAL, Resources
from control.servers.wanted import PullSecret, WantedServer
from core.egress.rules import Allowed, EgressRules

INSTANCE = "0193a1b2-0000-7000-8000-0000000000aa"
INSTALLATION = "0193a1b2-c3d4-7e5f-8a6b-112233445566"
TEAM = "0193a1b2-0000-7000-8000-0000000000bb"
DEFAULTS = Defaults(
    instance_id=INSTANCE,
    namespace="servers",
    proxies_namespace="archway",
    base_image="registry.example/archway-base:1",
    name_key=b"k" * 32,
)
TAINTED = replace(
    DEFAULTS,
    node_selector={"pool": "mcp"},
    tolerations=[{"key": "dedicated", "operator": "Equal", "value": "mcp", "effect": "NoSchedule"}],
)

STDIO = WantedServer(
    installation_id=INSTALLATION,
    entry="time",
    team_id=None,
    generation=3,
    image="",
    command=("uvx", "mcp-server-time==2026.10.19", "--local-timezone", "$(HOME) costs $5"),
    transport="stdio",
    port=8080,
    path="/mcp",
    health_path="",
    environment={"LANG": "C.UTF-8", "EMPTY": ""},
    secret_environment={"API_KEY": "canary-of-the-variable"},
    files={},
    bridge_token="canary-of-the-bridge-token",
    resources=USUAL,
    pull_secrets=(),
)
HTTP = replace(
    STDIO,
    entry="orders",
    team_id=TEAM,
    image="registry.example/orders@sha256:" + "ab" * 32,
    command=(),
    transport="http",
    port=9000,
    path="/api/mcp",
    health_path="/well",
    environment={"MODE": "live"},
    files={"ca.pem": "-----BEGIN CERTIFICATE-----\n", "key.pem": "canary-of-the-file"},
    bridge_token="",
    resources=Resources(cpu="250m", memory="256Mi", memory_limit="1Gi", cpu_limit="2"),
    pull_secrets=(
        PullSecret(name="pull-1", docker_config='{"auths": {"registry.example": {}}}'),
        PullSecret(name="kept-by-others"),
    ),
    restarts_wanted=2,
)
BARE = replace(HTTP, team_id=None, health_path="", secret_environment={}, files={}, environment={}, pull_secrets=())
OWN_IMAGE = replace(STDIO, entry="notes", image="registry.example/notes:2", command=("notes", "serve"))
PLACED = replace(
    HTTP,
    environment_id="0193a1b2-0000-7000-8000-0000000000cc",
    environment_name="Production",
    namespace="tools-live",
    egress=EgressRules(mode="restricted", allowed=(Allowed(cidrs=("203.0.113.0/24",), ports=("443", "5432-5440")),)),
    node_selector={"pool": "live", "zone": "a"},
    tolerations=({"key": "live", "operator": "Exists"},),
    resources=Resources(cpu="500m", memory="1Gi", memory_limit="2Gi"),
)
OVERRIDE = """\
metadata:
  labels: {custom.archway.dev/cost-center: "12"}
spec:
  template:
    spec:
      nodeSelector: {$patch: replace, disk: ssd}
      tolerations: [{key: dedicated, operator: Equal, value: ssd, effect: NoSchedule}]
      securityContext: {runAsUser: 1000, fsGroup: 1000}
      initContainers:
      - name: fetch
        image: registry.example/fetch:2.1
        command: [fetch, --to, /data]
        env:
        - name: TOKEN
          valueFrom: {secretKeyRef: {name: own, key: API_KEY}}
        volumeMounts: [{name: model, mountPath: /data}]
      containers:
      - name: server
        env: [{name: MODEL, value: /data/model.bin}]
        volumeMounts: [{name: model, mountPath: /data, readOnly: true}]
        resources: {limits: {ephemeral-storage: 4Gi}}
      volumes:
      - name: model
        emptyDir: {sizeLimit: 2Gi}
"""
GOLDEN = {
    "stdio_on_the_base_image": (STDIO, DEFAULTS),
    "http_with_all": (HTTP, DEFAULTS),
    "http_with_nothing": (BARE, DEFAULTS),
    "stdio_in_an_own_image": (OWN_IMAGE, TAINTED),
    "in_an_environment": (PLACED, TAINTED),
    "stdio_with_an_override": (replace(OWN_IMAGE, override=OVERRIDE), TAINTED),
}
