"""The plugins of the test house, each shown to catch what it is for. The inner runs are pytest's own `pytester`."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plugins.no_outside_network import stays_here
from tests.plugins.order_of_files import in_turns
from tests.plugins.secret_canaries import Canaries, Sinks

INI = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
ROWS = '[S-1]\ninputs = ["127.0.0.0/8", "1", "one"]\n'


@pytest.fixture
def house(pytester, monkeypatch):
    """A small project of its own whose runs load one of our plugins."""
    pytester.makeini(INI)
    # What else is installed takes a second of each process to load, of those of xdist too.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    needed = [word for name in ("pytest_asyncio.plugin", "xdist.plugin") for word in ("-p", name)]

    def run(plugin: str, source: str, *flags: str, **files: str):
        for name, text in files.items():
            path = pytester.path / "tests" / name.replace("__", "/").replace("_toml", ".toml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        pytester.makepyfile(test_inner=source)
        # What a person sets for their own runs must not reach these.
        ours = ["-p", f"tests.plugins.{plugin}", "-p", "no:cacheprovider"]
        return pytester.runpytest_inprocess(*needed, *ours, *flags)

    return run


class TestOutsideNetwork:
    CONNECT = """
        import contextlib, socket
        def test_it():
            with contextlib.suppress(OSError):
                socket.create_connection(("{host}", 9), timeout=0.1)
    """

    @pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1", "2001:db8::1"])
    def test_a_connection_elsewhere_fails_the_test_even_if_it_is_swallowed(self, house, host):
        result = house("no_outside_network", self.CONNECT.format(host=host))
        # The call passes, the fixture's end reports the attempt.
        result.assert_outcomes(passed=1, errors=1)
        result.stdout.fnmatch_lines([f"*tried to reach {host} port 9*"])

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
    def test_loopback_is_free(self, house, host):
        house("no_outside_network", self.CONNECT.format(host=host)).assert_outcomes(passed=1)

    def test_a_name_does_not_resolve_and_that_alone_fails_nothing(self, house):
        source = """
            import pytest, socket
            def test_it():
                with pytest.raises(socket.gaierror):
                    socket.getaddrinfo("example.com", 80)
        """
        house("no_outside_network", source).assert_outcomes(passed=1)

    @pytest.mark.parametrize(
        ("host", "here"),
        [
            ("127.9.9.9", True),
            ("::ffff:127.0.0.1", True),
            ("0.0.0.0", True),
            (b"localhost", True),
            ("localhost.", True),
            ("169.254.169.254", False),
            ("localhost.example.com", False),
            ("::ffff:8.8.8.8", False),
        ],
    )
    def test_what_counts_as_this_machine(self, host, here):
        assert stays_here(host) is here


class TestSkips:
    LIST = '[[allowed]]\nreason = "no user namespaces here"\nwhy = "some containers refuse them"\n'

    @pytest.mark.parametrize(
        "source",
        [
            "import pytest\ndef test_it(): pytest.skip('tired')",
            "import pytest\n@pytest.mark.skip(reason='tired')\ndef test_it(): pass",
            "import pytest\npytest.skip('tired', allow_module_level=True)",
            "import pytest\n@pytest.mark.xfail(reason='tired')\ndef test_it(): assert False",
        ],
        ids=["inside", "mark", "module", "expected to fail"],
    )
    def test_a_reason_that_nobody_agreed_to_fails_the_run(self, house, source):
        result = house("skips", source, allowed_skips_toml=self.LIST)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["*skips that nobody agreed to*", "*'tired'*"])

    @pytest.mark.parametrize("source", ["def test_it(): {}", "{}"], ids=["inside", "module"])
    def test_it_fails_the_run_under_xdist_too(self, house, source):
        skip = "import pytest; pytest.skip('tired', allow_module_level=True)"
        result = house("skips", source.format(skip), "-n1")
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["*'tired'*"])

    def test_an_agreed_reason_is_let_pass(self, house):
        source = "import pytest\ndef test_it(): pytest.skip('no user namespaces here')\ndef test_two(): pass"
        assert house("skips", source, allowed_skips_toml=self.LIST).ret == 0

    def test_an_agreed_reason_without_why_is_refused(self, house):
        result = house("skips", "def test_it(): pass", allowed_skips_toml='[[allowed]]\nreason = "x"\n')
        assert result.ret == pytest.ExitCode.USAGE_ERROR


def cases(*ids: str) -> str:
    return f"""
        import pytest
        @pytest.mark.parametrize("x", [pytest.param(1, id=i) for i in {list(ids)!r}])
        def test_it(x): pass
    """


class TestTrustTable:
    ALL = ("S-1: 127.0.0.0/8", "S-1: 1", "S-1: one")

    def run(self, house, source, *flags, which="test", rows=ROWS, faults="", later="", wanted="rows = []"):
        return house(
            "trust_table",
            source,
            f"--trust-table={which}",
            *flags,
            trust__rows__a_toml=rows,
            trust__rows__faults__b_toml=faults,
            trust__not_yet_built_toml=later,
            trust__wanted_toml=wanted,
        )

    @pytest.mark.parametrize("flags", [(), ("-n2",)], ids=["plain", "xdist"])
    def test_a_covered_row_passes_and_is_counted(self, house, flags):
        result = self.run(house, cases(*self.ALL), *flags)
        assert result.ret == 0
        result.stdout.fnmatch_lines(["*trust rows*", "S-1* 3 * 3 * 3*"])

    @pytest.mark.parametrize("flags", [(), ("-n2",)], ids=["plain", "xdist"])
    def test_an_input_without_a_case_fails_the_run(self, house, flags):
        result = self.run(house, cases(*self.ALL[:2]), *flags)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["TRUST: S-1: one has no passed case"])

    def test_a_failed_case_covers_nothing(self, house):
        result = self.run(house, cases(*self.ALL).replace("pass", "assert x != 1"))
        result.stdout.fnmatch_lines(["TRUST: S-1: one has no passed case"])

    @pytest.mark.parametrize("flags", [(), ("-n2",)], ids=["plain", "xdist"])
    def test_a_case_that_is_skipped_is_not_counted_and_fails_nothing_by_itself(self, house, flags):
        skipping = cases(*self.ALL).replace("pass", "pytest.skip('not here')")
        result = self.run(house, skipping, *flags)
        assert result.ret == 0
        result.stdout.fnmatch_lines(["*trust rows*", "S-1* 3 * 0 * 0*"])

    def test_an_id_of_an_unknown_input_fails_the_run(self, house):
        result = self.run(house, cases(*self.ALL, "S-1: two"))
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["TRUST: *S-1: two* names a row or input*"])

    FAULTS = '[S-1]\ninputs = ["1 s"]\n[F-1]\ninputs = ["dead"]\n'

    def test_what_the_run_of_faults_proves_is_neither_missed_nor_hidden(self, house):
        wanted = 'rows = ["S-1", "F-1"]'
        result = self.run(house, cases(*self.ALL), faults=self.FAULTS, wanted=wanted)
        assert result.ret == 0
        result.stdout.fnmatch_lines(["row * elsewhere", "F-1* 0 * 0 * 0 * 1", "S-1* 3 * 3 * 3 * 1"])

    def test_the_run_of_faults_misses_its_own_inputs_and_no_others(self, house):
        result = self.run(house, cases("F-1: dead"), which="faults", faults=self.FAULTS)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["TRUST: S-1: 1 s has no passed case"])
        result.stdout.no_fnmatch_line("TRUST: S-1: one*")

    def test_a_case_beside_those_that_its_run_is_to_prove_is_no_stranger(self, house):
        result = self.run(house, cases("F-1: dead", "S-1: 1 s", "S-1: one"), which="faults", faults=self.FAULTS)
        assert result.ret == 0

    def test_an_input_not_yet_built_may_lack_a_case(self, house):
        later = '[S-1]\ninputs = ["one"]\n'
        assert self.run(house, cases(*self.ALL[:2]), later=later).ret == 0

    def test_an_input_not_yet_built_that_passes_must_leave_the_list(self, house):
        result = self.run(house, cases(*self.ALL), later='[S-1]\ninputs = ["one"]\n')
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["*take it out of not_yet_built.toml*"])

    def test_a_later_input_must_stand_in_its_row(self, house):
        result = self.run(house, cases(*self.ALL), later='[S-1]\ninputs = ["three"]\n')
        result.stdout.fnmatch_lines(["TRUST: S-1: three stands in not_yet_built.toml but not in the row"])

    def test_a_wanted_row_must_have_a_table(self, house):
        result = self.run(house, cases(*self.ALL), wanted='rows = ["S-1", "X-9"]')
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["TRUST: X-9 is wanted*"])

    def test_a_row_without_inputs_fails_the_run(self, house):
        result = self.run(house, cases(*self.ALL), rows=ROWS + "[S-2]\ninputs = []\n")
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["TRUST: S-2 names no input*"])

    def test_other_parameters_may_stand_beside_the_case(self, house):
        both = cases(*self.ALL).replace(
            "@pytest", '@pytest.mark.parametrize("y", [1], ids=["fast-lane"])\n        @pytest', 1
        )
        source = both.replace("(x)", "(x, y)")
        assert self.run(house, source).ret == 0

    def test_inputs_that_pytest_escapes_are_matched(self, house):
        odd = "①②⑦ \\d\t"
        rows = f"[S-1]\ninputs = ['''{odd}''']\n"
        assert self.run(house, cases(f"S-1: {odd}"), rows=rows).ret == 0

    def test_a_malformed_file_is_named(self, house):
        result = self.run(house, cases(*self.ALL), rows='[S-1]\ninput = ["x"]\n')
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(["*a.toml*"])


class TestCanaries:
    @pytest.mark.parametrize(
        "leak",
        [
            "print(secret)",
            "print(secret, file=sys.stderr)",
            "logging.getLogger('x').debug('%s', secret)",
            "logging.getLogger('x').warning('quiet', extra={'token': secret})",
            "sinks.feed('an error body', 'x' + secret)",
            "sinks.feed('headers', base64.b64encode(b'id:' + secret.encode() + b'!'))",
            "sinks.feed('a dump', secret.encode().hex().upper())",
            "sinks.add('redis', lambda: secret.encode())",
        ],
        ids=["output", "error output", "log", "log field", "fed", "base64", "hex", "sink"],
    )
    def test_a_leak_fails_the_test(self, house, leak):
        source = f"""
            import base64, logging, sys
            def test_it(canary, sinks):
                secret = canary("bearer")
                {leak}
        """
        result = house("secret_canaries", source)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["*canary 'bearer 0' was found in*"])

    def test_a_secret_on_a_command_line_fails_the_test(self, house):
        source = """
            import pytest, subprocess, sys
            @pytest.fixture
            def start():
                children = []
                def start(*argv):
                    pipe = subprocess.PIPE
                    children.append(subprocess.Popen(argv, stdin=pipe, stdout=pipe))
                    children[-1].stdout.readline()  # until it speaks, its command line may not be set
                yield start
                for child in children:
                    child.communicate(b"done", timeout=10)
            def test_it(canary, start):
                start(sys.executable, "-c", "print(flush=True); input()", canary("bearer"))
        """
        result = house("secret_canaries", source)
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["canary 'bearer 0' was found in the command line of a process"])

    def test_a_secret_that_stays_put_is_fine(self, house):
        source = """
            import logging
            def test_it(canary, sinks):
                secret = canary("bearer")
                logging.getLogger("x").warning("a call came in")
                sinks.feed("body", b"nothing")
                assert secret != canary("bearer")
        """
        house("secret_canaries", source).assert_outcomes(passed=1)

    def test_a_leak_that_comes_late_is_found_by_the_next_test(self, house):
        source = """
            kept = []
            def test_one(canary): kept.append(canary("late"))
            def test_two(canary, sinks): sinks.feed("body", kept[0])
        """
        house("secret_canaries", source).assert_outcomes(passed=1, failed=1)

    def test_each_alignment_of_base64_is_found(self):
        import base64

        canaries = Canaries()
        secret = canaries("x")
        for before in range(5):
            for after in range(4):
                hidden = base64.b64encode(b"a" * before + secret.encode() + b"b" * after)
                assert canaries.hits("s", hidden), (before, after)

    def test_what_is_found_does_not_show_the_secret(self):
        canaries = Canaries()
        secret = canaries("x")
        assert secret not in "".join(canaries.hits("s", secret.encode()))

    def test_a_secret_too_short_to_be_unique_is_refused(self):
        with pytest.raises(ValueError, match="at least 12"):
            Canaries().watch("x", "short")

    def test_a_removed_sink_is_read_no_more(self):
        sinks = Sinks()
        sinks.add("x", lambda: b"1")
        sinks.remove("x")
        assert list(sinks.contents()) == []

    def test_the_log_level_is_put_back(self, canary):
        canary("any")
        logging.getLogger("archway.test").debug("seen")
        assert logging.getLogger("archway.test").isEnabledFor(logging.DEBUG)


class TestGeneratedCases:
    def test_one_that_takes_longer_than_hypothesis_allows_by_itself_passes(self):
        @settings(max_examples=2, database=None)
        @given(st.booleans())
        def sleeps(_):
            time.sleep(0.3)

        sleeps()


class TestMovedClock:
    async def test_what_was_let_pass_ends_what_waits_for_it_and_nothing_else(self, clock):
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            short, long = tasks.create_task(asyncio.sleep(60)), tasks.create_task(asyncio.sleep(100))
            await asyncio.sleep(0)
            clock.pass_by(60)
            await short
            assert not long.done()
            clock.pass_by(40)
        assert time.monotonic() - began >= 100

    def test_it_is_ahead_in_its_own_test_alone(self, house):
        source = """
            import time
            began = time.monotonic()
            def test_one(clock): clock.pass_by(1000)
            def test_two(): assert time.monotonic() - began < 1000
        """
        house("moved_clock", source).assert_outcomes(passed=2)


class TestOrderOfFiles:
    FILES = {"tests/unit/test_many.py": 60, "tests/unit/test_some.py": 30, "tests/unit/test_few.py": 10} | {
        f"tests/faults/test_{number}.py": number for number in (1, 2, 3)
    }

    def test_files_of_systems_are_spread_among_the_others_and_those_go_on_behind_them(self):
        assert in_turns(self.FILES) == [
            "tests/faults/test_3.py",
            "tests/unit/test_many.py",
            "tests/faults/test_2.py",
            "tests/unit/test_some.py",
            "tests/faults/test_1.py",
            "tests/unit/test_few.py",
        ]

    @pytest.mark.parametrize("number", range(1, 6))
    def test_every_file_has_its_turn_whatever_there_is(self, number):
        for names in itertools.combinations(self.FILES, number):
            assert sorted(in_turns({name: self.FILES[name] for name in names})) == sorted(names)

    @pytest.mark.parametrize(("flags", "first"), [((), "few"), (("-n1", "--dist=loadfile"), "many")])
    def test_only_workers_of_xdist_take_them_so(self, house, pytester, flags, first):
        many = "import pytest\n@pytest.mark.parametrize('x', range(5))\ndef test_it(x): pass"
        pytester.makepyfile(test_few="def test_it(): pass", test_many=many)
        result = house("order_of_files", "", "-v", *flags)
        result.assert_outcomes(passed=6)
        ran = [line for line in result.outlines if "PASSED" in line]
        assert f"test_{first}.py" in ran[0]
        assert f"test_{first}.py" not in ran[-1]
