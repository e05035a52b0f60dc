"""The web client's files. They are few and small, and read once: strangers ask for them."""

from functools import lru_cache
from hashlib import blake2b
from mimetypes import guess_type
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

CLIENT = Path(__file__).parent.parent.parent / "web-client" / "dist"
HASHED = ("assets/", "graphiql/assets/")
"""Files of its build whose names tell their content."""
PAGE, IDE_PAGE = "index.html", "graphiql/index.html"
NOT_BUILT = "the web client is not built; run: make install"
DEMO_LINKS = '<meta name="demo-links" content="taken">'
"""Tells the page that links may bring a session of the demo. In production such a link would make
somebody another person, unnoticed."""

KEPT_AT_MOST = 1024 * 1024
"""Bytes of a file that is kept in memory; GraphiQL, in development, has larger ones."""

KEPT_FILES = 64


async def client_page(request: Request) -> Response:
    """A file of the web client's build; any other path is a screen of its single page."""
    path = request.path_params["path"]
    is_hashed = path.startswith(HASHED)
    file = client_file(path)
    if file and file not in map(client_file, (PAGE, IDE_PAGE)):
        cache = "public, max-age=31536000, immutable" if is_hashed else "no-cache"
        return _answer(request, file, cache)
    if is_hashed:
        raise HTTPException(404, "there is no such file")
    page = client_file(PAGE)
    if page is None:
        raise HTTPException(503, NOT_BUILT)
    return _answer(request, page, "no-cache", has_demo=not request.app.state.is_production)


def client_file(path: str) -> Path | None:
    """The file of the build that a path from outside names, if there is one."""
    root = CLIENT.resolve()
    try:
        wanted = (root / path).resolve()
        return wanted if wanted.is_relative_to(root) and wanted.is_file() else None
    except (OSError, ValueError):  # too long, or with a null byte
        return None


def _answer(request: Request, file: Path, cache: str, *, has_demo: bool = False) -> Response:
    status = file.stat()
    if status.st_size > KEPT_AT_MOST:
        return FileResponse(file, headers={"cache-control": cache})
    content, tag = _read(file, status.st_mtime_ns, status.st_size, has_demo)
    headers = {"cache-control": cache, "etag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=_media_type(file))


@lru_cache(maxsize=KEPT_FILES)
def _read(file: Path, modified: int, size: int, has_demo: bool) -> tuple[bytes, str]:
    """The file as it was at that time, and what tells whether somebody has it already."""
    content = file.read_bytes()
    if has_demo:
        content = content.replace(b"</head>", f"{DEMO_LINKS}</head>".encode(), 1)
    return content, f'"{blake2b(content, digest_size=16).hexdigest()}"'


@lru_cache(maxsize=KEPT_FILES)
def _media_type(file: Path) -> str:
    return guess_type(file.name)[0] or "application/octet-stream"
