"""Names and contents of the variables and files of a server that we run: what may stand there, and what is ours.

Called when an entry is saved and when an installation is filled in. Some variables choose which code runs: of the
loader (`LD_PRELOAD`) they would bring it into our bridge too, so nobody sets them. Those of interpreters and package
managers an entry may set, whose author chooses the command anyway; an answer may not, since whoever installs an entry
is not asked what runs. `PATH`, `HOME` and the folders for temporary files are the runtime's, which knows what can be
written to.
"""

import re
from typing import Final

from control.registry.broken_rule import BrokenRule
from control.registry.targets import Target

MAX_CONTENT: Final = 16_384
"""Characters of a variable's value, or of a file: certificates and keys fit."""
MAX_NAME: Final = 64
FOLDER: Final = "/run/secrets/mcp"
"""Where files are, in a container; a process of this machine has them in its home, and its words that name
this folder are changed (`control/processes/program.py`).
"""

_VARIABLE: Final = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{0,{MAX_NAME - 1}}}")
_FILE: Final = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,{MAX_NAME - 1}}}")
_OURS: Final = frozenset({"PATH", "HOME", "TMPDIR", "TMP", "TEMP", "PWD", "USER", "LOGNAME", "HOSTNAME"})
_OURS_BEGIN: Final = ("ARCHWAY_", "KUBERNETES_")
_LOADERS_BEGIN: Final = ("LD_", "DYLD_", "GCONV_PATH", "GLIBC_TUNABLES")
_CODE: Final = frozenset(
    {
        "BASH_ENV", "ENV", "IFS", "SHELL", "PERL5OPT", "PERL5LIB", "RUBYOPT", "RUBYLIB", "NODE_OPTIONS", "NODE_PATH",
        "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "GIT_SSH", "GIT_SSH_COMMAND",
        "GIT_EXEC_PATH", "EDITOR", "VISUAL", "PAGER", "BROWSER", "OPENSSL_CONF",
        "LUA_INIT", "LUA_PATH", "LUA_CPATH", "PHPRC", "PHP_INI_SCAN_DIR", "GEM_HOME", "GEM_PATH", "VIRTUAL_ENV",
        "PS4", "PROMPT_COMMAND", "SHELLOPTS", "LESSOPEN", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME",
    }
)  # fmt: skip
_CODE_BEGIN: Final = (
    "PYTHON",
    "NPM_CONFIG_",
    "UV_",
    "PIP_",
    "BASH_FUNC_",
    "GIT_CONFIG",
    "DENO_",
    "BUN_",
    "YARN_",
    "PNPM_",
    "COREPACK_",
    "DOTNET_",
    "CORECLR_",
    "BUNDLE_",
)


def check_variable(name: str, where: str, *, asked: bool = False) -> Target:
    """The variable, or BrokenRule. `asked`: its value comes from whoever installs the entry, not from the entry."""
    if _VARIABLE.fullmatch(name) is None:
        raise BrokenRule(where, f"must be 1 to {MAX_NAME} letters, digits and '_', not beginning with a digit")
    upper = name.upper()
    if upper in _OURS or upper.startswith(_OURS_BEGIN):
        raise BrokenRule(where, f"{name} is set by Archway; use another variable")
    if upper.startswith(_LOADERS_BEGIN):
        raise BrokenRule(where, f"{name} loads code into every program, our own among them; it cannot be set")
    if asked and (upper in _CODE or upper.startswith(_CODE_BEGIN)):
        raise BrokenRule(
            where, f"{name} chooses which code runs, and no answer may do that; set it in the entry's environment"
        )
    return Target("variable", name)


def check_file(name: str, where: str) -> Target:
    """The file, or BrokenRule: one segment of a path, which hides no other."""
    if _FILE.fullmatch(name) is None:
        raise BrokenRule(
            where,
            f"must be the name of a file in {FOLDER}: 1 to {MAX_NAME} letters, digits, '_', '-' and '.', "
            "beginning with a letter, a digit or '_'",
        )
    return Target("file", name)


def check_content(text: str, where: str) -> str:
    """What a variable or a file is to hold; BrokenRule without repeating it. Several lines may be."""
    if not text or len(text) > MAX_CONTENT:
        raise BrokenRule(where, f"must have 1 to {MAX_CONTENT} characters")
    if any(not one.isprintable() and one not in "\n\r\t" for one in text):
        raise BrokenRule(where, "must be text; it has control characters that no variable and no file can take here")
    return text
