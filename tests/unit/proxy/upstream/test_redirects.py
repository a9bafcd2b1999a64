import pytest

from proxy.upstream.redirects import redirect_words

URL = "https://mcp.example/mcp"


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("/mcp/", "It redirects to https://mcp.example/mcp/: enter that URL."),
        ("mcp/", "It redirects to https://mcp.example/mcp/: enter that URL."),
        ("../v2", "It redirects to https://mcp.example/v2: enter that URL."),
        ("//mcp.example/mcp/", "It redirects to https://mcp.example/mcp/: enter that URL."),
        ("https://mcp.example:443/mcp/", "It redirects to https://mcp.example:443/mcp/: enter that URL."),
        ("HTTPS://MCP.example/mcp/", "It redirects to https://MCP.example/mcp/: enter that URL."),
        ("/mcp/#part", "It redirects to https://mcp.example/mcp/: enter that URL."),
    ],
)
def test_a_target_of_the_same_origin_is_offered(location: str, told: str) -> None:
    assert redirect_words(URL, location) == told


@pytest.mark.parametrize(
    "location",
    [
        "https://other.example/mcp",
        "https://mcp.example:8443/mcp",
        "https://mcp.example.evil.example/mcp",
        "http://other.example/mcp",
        "//other.example/mcp",
    ],
)
def test_a_target_of_another_origin_is_named_with_a_doubt(location: str) -> None:
    told = redirect_words(URL, location)
    assert told.startswith("It redirects to another origin, ")
    assert "if it is the server that you mean" in told
    assert location.rpartition("//")[2] in told


def test_a_way_back_from_tls_is_not_offered() -> None:
    told = redirect_words("https://mcp.example:8443/mcp", "http://mcp.example/mcp/")
    assert told == (
        "It redirects to http://mcp.example/mcp/, which is without TLS: try https://mcp.example:8443/mcp/."
    )


def test_a_way_to_tls_is_offered() -> None:
    told = redirect_words("http://mcp.example/mcp", "https://mcp.example/mcp")
    assert told == "It redirects to https://mcp.example/mcp: enter that URL."


@pytest.mark.parametrize(
    "location",
    [
        "/login?state=s3cr3t",
        "/mcp/?token=s3cr3t",
        "https://idp.example/authorize?client_secret=s3cr3t#s3cr3t",
        "https://user:s3cr3t@mcp.example/mcp/",
        "https://s3cr3t@other.example/mcp",
        "/mcp#s3cr3t",
        "/mcp?s3cr3t",
    ],
)
def test_a_query_a_user_and_a_fragment_are_not_shown(location: str) -> None:
    told = redirect_words(URL, location)
    assert "s3cr3t" not in told
    assert ("query, which is not shown" in told) is ("?" in location)


def test_the_query_that_the_entry_has_is_shown() -> None:
    told = redirect_words(URL + "?region=eu", "/mcp/?region=eu")
    assert told == "It redirects to https://mcp.example/mcp/?region=eu: enter that URL."


@pytest.mark.parametrize("location", ["/mcp", URL, "/mcp?once=1", "#top", "https://"])
def test_a_server_that_redirects_to_itself_wants_something_else(location: str) -> None:
    assert "it may want a sign-in" in redirect_words(URL, location)


@pytest.mark.parametrize(
    "location", ["", " ", "ftp://mcp.example/mcp", "https://[::1", "https://x:port/", "javascript:a"]
)
def test_what_is_no_url_of_the_web_is_not_repeated(location: str) -> None:
    assert redirect_words(URL, location) == "It redirects, and does not say to which URL."


@pytest.mark.parametrize("location", ["/\x1b[31m", "/\u202e", "/" + "x" * 5000, "/caf\u00e9"])
def test_a_target_is_short_and_has_no_marks(location: str) -> None:
    told = redirect_words(URL, location)
    assert len(told) < 700
    assert told.isascii()
    assert told.isprintable()
