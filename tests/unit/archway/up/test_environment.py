from archway.up.environment import (
    CONTROL_ONLY,
    Ports,
    Wiring,
    control_environment,
    proxy_environment,
    stranger_environment,
)

PORTS = Ports(1, 2, 3, 4, 5, 6, 7, 8, 9)
KEYS = {name: name.lower() for name in ("ARCHWAY_SECRET_KEY", "ARCHWAY_PROXY_KEY", "ARCHWAY_SIGNING_KEY")}
WIRING = Wiring(
    PORTS, KEYS | {"ARCHWAY_VERIFY_KEYS": "v"}, "postgresql://d", "redis://r", "ab", 2, "/s/c", "/s/servers"
)


def test_a_proxy_is_told_nothing_that_only_control_may_know():
    given = dict.fromkeys(CONTROL_ONLY, "leaked")

    told = proxy_environment(WIRING, given)

    assert not set(told) & set(CONTROL_ONLY)
    assert not {"leaked", "archway_secret_key", "archway_signing_key"} & set(told.values())


def test_a_program_that_is_not_ours_is_told_nothing_of_ours():
    assert stranger_environment({"PATH": "/bin", "ARCHWAY_SECRET_KEY": "x"}) == {"PATH": "/bin"}


def test_the_planes_are_told_each_others_addresses():
    control, proxy = control_environment(WIRING, {}), proxy_environment(WIRING, {})

    assert control["ARCHWAY_PROXY_INTERNAL_URL"] == f"http://{proxy['ARCHWAY_PROXY_INTERNAL_LISTEN']}"
    assert proxy["ARCHWAY_CONTROL_INTERNAL_URL"] == f"http://{control['ARCHWAY_CONTROL_INTERNAL_LISTEN']}"


def test_networks_that_were_given_are_added_to_loopback():
    told = proxy_environment(WIRING, {"ARCHWAY_UPSTREAM_NETWORKS": "10.0.0.0/8"})

    assert told["ARCHWAY_UPSTREAM_NETWORKS"] == "127.0.0.0/8,::1/128,10.0.0.0/8"


def test_a_public_url_that_was_given_is_kept():
    told = control_environment(WIRING, {"ARCHWAY_PUBLIC_URL": "https://mcp.example.com"})

    assert told["ARCHWAY_PUBLIC_URL"] == "https://mcp.example.com"


def test_a_proxy_is_told_where_peoples_pages_are():
    control, proxy = control_environment(WIRING, {}), proxy_environment(WIRING, {})

    assert proxy["ARCHWAY_CONTROL_PUBLIC_URL"] == f"http://{control['ARCHWAY_CONTROL_PUBLIC_LISTEN']}"


def test_servers_run_as_processes_in_the_state_folder_unless_it_is_said_where():
    told = control_environment(WIRING, {})
    assert (told["ARCHWAY_RUNTIME"], told["ARCHWAY_SERVERS_FOLDER"]) == ("process", "/s/servers")
    told = control_environment(WIRING, {"ARCHWAY_RUNTIME": "cluster", "ARCHWAY_SERVERS_FOLDER": "/srv"})
    assert (told["ARCHWAY_RUNTIME"], told["ARCHWAY_SERVERS_FOLDER"]) == ("cluster", "/srv")
