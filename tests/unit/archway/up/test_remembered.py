import stat

from archway.up.ports import free_port
from archway.up.remembered import recall, settle_ports


def test_passwords_and_ports_are_the_same_at_the_next_start(tmp_path):
    path = tmp_path / "servers.json"
    first = settle_ports(path, recall(path), 0, 0)

    known = recall(path)

    assert settle_ports(path, known, None, None) == first
    assert known.postgres_password == recall(path).postgres_password
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_port_asked_for_is_given_to_no_other_listener(tmp_path):
    path = tmp_path / "servers.json"
    port = free_port()

    ports = settle_ports(path, recall(path), port, None)

    assert ports.proxy == port
    assert [getattr(ports, name) for name in ports.__dataclass_fields__].count(port) == 1
