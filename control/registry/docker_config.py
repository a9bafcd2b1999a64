"""The content of a `kubernetes.io/dockerconfigjson` secret, of one registry.

Called for servers that we run. Source: Kubernetes, "Pull an Image from a Private Registry", and the configuration
file of the Docker CLI.
"""

import base64
import json


def docker_config(registry: str, username: str, password: str) -> str:
    """`.dockerconfigjson` with the credentials of this registry alone."""
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    return json.dumps({"auths": {registry: {"username": username, "password": password, "auth": auth}}})
