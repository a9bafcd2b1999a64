"""How a test talks with a Python client: a line of JSON in, a line of JSON out, until the input ends.

`{"do": NAME, ...}` calls that function with the other members. It answers `{"result": ...}`, or `{"error": ...}` in
the client's own words. Imported by the drivers beside it, in whichever environment those run.
"""

import asyncio
import json
import sys


async def talk(can):
    """Do what each line asks of these functions, by their names."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked = json.loads(line)
        try:
            said = {"result": await can[asked.pop("do")](**asked)}
        except Exception as error:  # noqa: BLE001 - whatever a client raises is what the test wants to read
            said = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(said), flush=True)


async def all_pages(page, member, named):
    """The names of a whole list: `page(cursor)` gives its result, `named` says which attribute is a name."""
    names, cursor = [], None
    while True:
        found = await page(cursor)
        names += [str(getattr(one, named)) for one in getattr(found, member)]
        cursor = getattr(found, "next_cursor", None) or getattr(found, "nextCursor", None)
        if cursor is None:
            return names


def texts(blocks):
    """The text of content blocks or of a resource's contents."""
    return "\n".join(str(block.text) for block in blocks if getattr(block, "text", None) is not None)
