from proxy.our_name import CLIENT_INFO, SERVER, VERSION, server_info


def test_a_gateway_has_our_name_and_its_own_title() -> None:
    assert server_info("Design team") == {"name": "archway", "title": "Design team", "version": VERSION}


def test_upstreams_are_told_name_and_version_callers_no_version_of_the_software_beneath() -> None:
    assert CLIENT_INFO == {"name": "archway", "version": VERSION}
    assert SERVER == "archway"
