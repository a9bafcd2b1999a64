import pytest

from control.registry.shared_suffixes import anybody_may_have


@pytest.mark.parametrize(
    "suffix",
    [
        "", "com", "internal", "localhost", "co.uk", "com.au", "org.br", "gov.in", "ac.jp", "or.kr", "x.ai",
        "asso.fr", "gouv.fr", "github.io", "herokuapp.com", "workers.dev", "amazonaws.com",
        "s3.eu-west-1.amazonaws.com", "eu-west-1.elb.amazonaws.com", "a.run.app", "cloudapp.azure.com",
        "supabase.co", "web.app", "azurestaticapps.net", "2.azurestaticapps.net", "fastmcp.app", "ts.net",
        "tail1234.ts.net", "ddns.net", "r2.dev", "koyeb.app", "code.run", "zeabur.app", "deno.net",
        "pythonanywhere.com", "e2b.app", "amplifyapp.com", "eu-west-1.awsapprunner.com", "streamlit.app",
    ],
)  # fmt: skip
def test_under_some_endings_anybody_may_have_a_name(suffix: str) -> None:
    assert anybody_may_have(tuple(suffix.split(".")))


@pytest.mark.parametrize(
    "suffix",
    [
        "example.com", "example.co.uk", "example.de", "api.x.ai", "corp.internal", "svc.cluster.local", "glean.ai",
        "atlassian.net", "azure.com", "notgithub.io", "example.technology", "mcp.localhost", "hosts.net", "deno.land",
        "my.salesforce.com", "zendesk.com",
    ],
)  # fmt: skip
def test_others_have_one_owner(suffix: str) -> None:
    assert not anybody_may_have(tuple(suffix.split(".")))
