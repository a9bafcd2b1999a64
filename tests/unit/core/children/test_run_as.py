import os

from core.children.guard import AS_WE_ARE, NAMESPACE
from core.children.run_as import OTHER_USER, way_to_run


def test_only_root_needs_another_way_to_run_a_program_that_refuses_root():
    assert way_to_run() in ({NAMESPACE, OTHER_USER} if os.geteuid() == 0 else {AS_WE_ARE})


def test_root_runs_it_as_a_real_user_where_no_namespace_is_granted(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("core.children.run_as.guarded", lambda command, **_: ["false"])

    assert way_to_run() == OTHER_USER
