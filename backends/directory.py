"""A directory that nobody but its owner can write to: made so, or used as it is, or refused."""

from __future__ import annotations

import os
import stat
from pathlib import Path

__all__ = ["claim", "make"]


def claim(directory: Path, *names: str) -> None:
    """Make a directory, 0700 at every level; one that is there already is used as it is, its mode untouched.

    Whoever can write to it, or swap it, or swap what leads to it, could plant prices: then it is refused.

    Args:
        directory: its path; links in it are followed where nobody else could have set them.
        names: of files in it that must be its owner's too, and no links, where they are there.

    Raises:
        PermissionError: somebody else could write to it; the message names what, and what to do.
        OSError: it cannot be made.
    """
    path = directory.absolute()
    missing: list[Path] = []
    while not _is_there(path):
        missing.append(path)
        path = path.parent
    _check(path, own=not missing)
    for level in reversed(missing):
        make(level)
        _check(level, own=True)  # another may have made it just now, or it is a link to nothing
    for name in names:
        try:
            found = os.lstat(f"{directory}/{name}")
        except FileNotFoundError:  # never there, or gone by now: a journal comes and goes with each write
            continue
        if stat.S_ISLNK(found.st_mode):
            raise _refused(directory / name, "is a link")
        _check_level(directory / name, found, own=True)


def make(directory: Path) -> None:
    """Make one directory with mode 0700, whatever the umask; one that is there is left as it is."""
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        return
    if directory.lstat().st_mode & 0o700 != 0o700:  # the umask took from its owner, too
        directory.chmod(0o700)


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True


def _check(path: Path, *, own: bool) -> None:
    """Raise unless only this user and root can write to a directory, and choose what its path leads to."""
    for level in (*reversed(path.parents), path):
        found = level.lstat()
        last = own and level == path
        if stat.S_ISLNK(found.st_mode):
            _check(level.parent / level.readlink(), own=last)
        _check_level(level, found, own=last)


def _check_level(path: Path, found: os.stat_result, *, own: bool) -> None:
    """Raise unless nobody else can change what stands here; in a sticky directory above, others change only theirs."""
    # Whoever owns the root directory can do anything anyhow; a container may have another name for that user.
    if found.st_uid not in (os.geteuid(), 0) and found.st_uid != Path("/").stat().st_uid:
        raise _refused(path, "belongs to another user")
    if stat.S_ISLNK(found.st_mode) or (found.st_mode & stat.S_ISVTX and not own):
        return
    shared = found.st_mode & stat.S_IWGRP and not _is_own_group(found.st_gid)
    if shared or found.st_mode & stat.S_IWOTH:
        raise _refused(path, "can be written to by other users")


def _is_own_group(gid: int) -> bool:
    """Whether it is the group that many systems give each user, with nobody else in it."""
    import grp
    import pwd

    try:
        name, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(gid)
    except KeyError:
        return False
    return group.gr_name == name and {name}.issuperset(group.gr_mem)


def _refused(path: Path, why: str) -> PermissionError:
    return PermissionError(
        f"{path} {why}, so others could plant prices: name a directory of your own, such as "
        "disk:///var/cache/prices, or take their right to write away (chmod go-w)"
    )
