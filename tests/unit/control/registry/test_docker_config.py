import json

from control.registry.docker_config import docker_config


def test_it_has_the_credentials_of_one_registry() -> None:
    assert json.loads(docker_config("registry.test:5000", "me", "p:w")) == {
        "auths": {"registry.test:5000": {"username": "me", "password": "p:w", "auth": "bWU6cDp3"}}
    }
