"""Checks of this machine: temporary files, open files, fonts, and a PDF made by a child process."""

import hashlib
import resource
import shutil
import tempfile
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from uuid import UUID

from shared.doctor.checkup import Checkup
from shared.doctor.finding import Said, failure, ok, warning
from shared.mail.mailbox import Mailbox
from shared.rendering.frames import RenderRequest
from shared.rendering.pool import NoRenderProcess, RenderPool

_FONTS = Path(str(files("shared.statements") / "fonts"))
_ROOM_WARNING, _ROOM_FAILURE = 100 * 2**20, 2**20  # octets
_SENDER = Mailbox.parse("doctor@sample.invalid")
_REINSTALL = "install Ledgerpost again, or pull the image again"


async def examine(checkup: Checkup, *, descriptors: int, pdf: bool) -> None:
    """Check this machine for a process that needs so many file descriptors, and makes PDFs."""
    await checkup.check("machine.temporary_folder", temporary_folder())
    await checkup.check("machine.open_files", open_files(descriptors))
    await checkup.check("machine.fonts", fonts(_FONTS))
    await checkup.check("machine.rendering", rendering(pdf=pdf))


async def temporary_folder() -> Said:
    """Check that there is a folder for temporary files, with room in it."""
    remedy = "name a folder with room in TMPDIR, or mount one (compose has tmpfs: [/tmp])"
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        return failure(f"no temporary file can be written: {error.strerror}", remedy)
    folder = tempfile.gettempdir()
    room = shutil.disk_usage(folder).free
    found = f"{folder} has {room // 2**20} MB of room"
    if room < _ROOM_FAILURE:
        return failure(found, remedy)
    if room < _ROOM_WARNING:
        return warning(found, remedy)
    return ok(found)


async def open_files(needed: int) -> Said:
    """Check that the system allows a process as many open files as it may need."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return ok("there is no limit of open files")
    found = f"up to {hard} open files are allowed (ulimit -Hn), about {needed} are needed"
    if hard < needed:
        return failure(found, "raise the limit: LimitNOFILE of systemd, ulimits of compose")
    return ok(found)


async def fonts(folder: Path) -> Said:
    """Check that each font of this version is in its folder, unchanged."""
    lines = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    sums = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    absent = sorted(name for name in sums if not (folder / name).is_file())
    changed = sorted(
        name
        for name, digest in sums.items()
        if name not in absent and hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest
    )
    if absent or changed:
        parts = [("missing", absent), ("changed", changed)]
        found = "; ".join(f"{what}: {', '.join(names)}" for what, names in parts if names)
        return failure(found, _REINSTALL)
    return ok(f"all {len(sums)} fonts are there, unchanged")


async def rendering(*, pdf: bool) -> Said:
    """Make the mail of a sample statement in a rendering process, as the mailer does."""
    content = files("shared.doctor").joinpath("sample_statement.json").read_text("utf-8")
    request = RenderRequest(content, None, UUID(int=0), _SENDER, datetime.now(UTC))
    try:
        async with RenderPool(1, pdf=pdf) as pool:
            message = await pool.message(request)
    except NoRenderProcess as error:
        return failure(
            str(error),
            "see the reason in the log of the mailer; a container needs room in memory for it",
        )
    data = message.envelope("nobody@sample.invalid", UUID(int=0)).data
    if pdf and b"application/pdf" not in data:
        return failure("the mail of a sample statement has no PDF", _REINSTALL)
    if message.flaws:
        flaws = "; ".join(flaw.text for flaw in message.flaws)
        return warning(f"the PDF of a sample statement has flaws: {flaws}", _REINSTALL)
    return ok(f"a mail of {len(data) // 1024} kB was made of a sample statement")
