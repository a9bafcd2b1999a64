"""What every test of ours stands on: one plugin per promise of the test house. See each file's head."""

pytest_plugins = [
    "pytester",
    "tests.plugins.collector_at_rest",
    "tests.plugins.generated_cases",
    "tests.plugins.moved_clock",
    "tests.plugins.no_outside_network",
    "tests.plugins.order_of_files",
    "tests.plugins.secret_canaries",
    "tests.plugins.skips",
    "tests.plugins.trust_table",
]
