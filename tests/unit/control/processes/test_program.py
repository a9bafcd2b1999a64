import sys
from pathlib import Path

from control.processes.program import endpoint, started
from tests.control.obedient_server import wanted

HOME = Path("/state/homes/one")


def stdio(**other):
    return wanted(
        transport="stdio", command=("npx", "-y", "a-server"), bridge_token="t" * 32, path="/mcp",
        environment={"REGION": "eu"}, secret_environment={"API_KEY": "k", "OTHER": "o"}, **other,
    )  # fmt: skip


def test_a_server_over_stdio_stands_behind_the_bridge():
    what = started(stdio(), HOME, 4711, {})
    assert what.command == (
        sys.executable, "-P", "-m", "bridge", "--host", "127.0.0.1", "--port", "4711", "--", "npx", "-y", "a-server"
    )  # fmt: skip
    assert what.environment["ARCHWAY_BRIDGE_TOKEN"] == "t" * 32
    assert what.environment["ARCHWAY_SECRET_NAMES"] == "API_KEY,OTHER"
    assert (what.environment["REGION"], what.environment["API_KEY"]) == ("eu", "k")


def test_a_server_over_http_is_told_its_port_and_gets_no_bridge():
    what = started(wanted(command=("my-server",)), HOME, 4711, {})
    assert what.command == ("my-server",)
    assert (what.environment["PORT"], what.environment["HOST"]) == ("4711", "127.0.0.1")
    assert "ARCHWAY_BRIDGE_TOKEN" not in what.environment


def test_nothing_of_the_environment_of_control_is_passed_on_but_what_registries_need():
    ours = {
        "PATH": "/usr/bin", "HOME": "/root", "LANG": "C.UTF-8", "HTTPS_PROXY": "http://proxy:3128",
        "SSL_CERT_FILE": "/ca.pem", "ARCHWAY_SECRET_KEY": "s", "AWS_SECRET_ACCESS_KEY": "a", "PYTHONPATH": "/ours",
    }  # fmt: skip
    assert started(wanted(command=("x",)), HOME, 1, ours).environment == {
        "PATH": f"/usr/bin:{Path(sys.executable).parent}", "HOME": str(HOME), "TMPDIR": str(HOME / "tmp"),
        "PYTHONUNBUFFERED": "1", "LANG": "C.UTF-8", "HTTPS_PROXY": "http://proxy:3128", "SSL_CERT_FILE": "/ca.pem",
        "PORT": "1", "HOST": "127.0.0.1",
        "npm_config_fetch_retry_mintimeout": "1000", "npm_config_fetch_retry_maxtimeout": "5000",
    }  # fmt: skip


def test_a_mirror_of_a_registry_is_passed_on_unless_its_address_holds_a_password():
    ours = {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "npm_config_registry": "https://me:word@mirror.example",
    }
    told = started(wanted(), HOME, 1, ours).environment
    assert told["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert "npm_config_registry" not in told


def test_where_files_lie_in_a_pod_they_lie_in_its_home_here():
    one = wanted(command=("serve", "--ca=/run/secrets/mcp/ca.pem"), environment={"KEY": "/run/secrets/mcp/key"})
    what = started(one, HOME, 1, {})
    assert what.command[1] == "--ca=/state/homes/one/secrets/ca.pem"
    assert what.environment["KEY"] == "/state/homes/one/secrets/key"


def test_the_token_of_the_bridge_cannot_be_replaced_by_an_entry():
    one = wanted(transport="stdio", bridge_token="ours" * 8, environment={"ARCHWAY_BRIDGE_TOKEN": "theirs"})
    assert started(one, HOME, 1, {}).environment["ARCHWAY_BRIDGE_TOKEN"] == "ours" * 8


def test_proxies_call_the_bridge_at_its_own_path_and_other_servers_at_theirs():
    assert endpoint(stdio(), 9) == "http://127.0.0.1:9/mcp"
    assert endpoint(wanted(path="/api/mcp"), 9) == "http://127.0.0.1:9/api/mcp"
