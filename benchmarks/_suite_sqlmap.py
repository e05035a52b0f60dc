"""What sqlmap tries: strings that reach the database, and a server that is open on purpose."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.server_process import MEETING, OPEN_VOTE

QUERIES: dict[str, tuple[str, dict[str, str]]] = {
    "meeting(id)": ("query($id:ID!){meeting(id:$id){id}}", {"id": f"{MEETING}*"}),
    "vote(id)": ("query($id:ID!){vote(id:$id){id}}", {"id": f"{OPEN_VOTE}*"}),
    "member(id)": ("query($id:ID!){member(id:$id){id}}", {"id": "1*"}),
    "unit(id)": ("query($id:ID!){unit(id:$id){id}}", {"id": "1*"}),
    "meetings(after)": (
        "query($id:ID!,$after:String){meetings(unitId:$id,after:$after){edges{cursor}}}",
        {"id": "1", "after": "1*"},
    ),
    "signIn(code)": ("mutation($c:String!){signIn(code:$c){__typename}}", {"c": "AAAA*"}),
    "castBallot(key)": (
        "mutation($v:ID!,$k:ID!){castBallot(voteId:$v,choices:[],key:$k){__typename}}",
        {"v": OPEN_VOTE, "k": "k*"},
    ),
    "nominate(name)": (
        "mutation($v:ID!,$n:String!){nominate(voteId:$v,name:$n){__typename}}",
        {"v": OPEN_VOTE, "n": "n*"},
    ),
    "annulVote(reason)": (
        "mutation($v:ID!,$r:String!){annulVote(voteId:$v,reason:$r){__typename}}",
        {"v": OPEN_VOTE, "r": "r*"},
    ),
    "suspendMember(reason)": (
        "mutation($m:ID!,$r:String!){suspendMember(memberId:$m,reason:$r){__typename}}",
        {"m": OPEN_VOTE, "r": "r*"},
    ),
    "extendVote(closesAt)": (
        "mutation($v:ID!,$t:DateTime!){extendVote(voteId:$v,closesAt:$t){__typename}}",
        {"v": OPEN_VOTE, "t": "2026-01-01T00:00:00Z*"},
    ),
}

PARAMETERS = {
    name: json.dumps({"query": query, "variables": variables})
    for name, (query, variables) in QUERIES.items()
}
"""Bodies; a star stands where something is injected."""


def is_injectable(tool: Callable[..., str], url: str, body: str, token: str) -> bool:
    said = tool(
        "sqlmap",
        *("--batch", "--flush-session", "--disable-coloring", "--ignore-code", "*"),
        *("--level", "1", "--risk", "1", "--technique", "BEUS", "--threads", "4"),
        *("--url", url, "--data", body, "--headers", "Content-Type: application/json"),
        *(("--header", f"Authorization: Bearer {token}") if token else ()),
    )
    if "all tested parameters do not appear to be injectable" in said:
        return False
    if "sqlmap identified the following injection point" in said:
        return True
    raise RuntimeError(f"sqlmap did not come to an end:\n{said[-2000:]}")


@contextmanager
def control() -> Iterator[str]:
    """A server that puts what it is sent into its SQL; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with closing(sqlite3.connect(":memory:")) as database:
                database.execute("CREATE TABLE thing AS SELECT '1' AS id, 'x' AS name")
                try:
                    wanted = f"SELECT name FROM thing WHERE id = '{body['id']}'"  # noqa: S608
                    answer = repr(database.execute(wanted).fetchall())
                except sqlite3.Error as error:
                    answer = repr(error)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - it is theirs
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
