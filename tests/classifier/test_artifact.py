"""The version folder: whatever happens to it on disk is noticed, named, and never run."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import classifier
from classifier.artifact import (
    FORMAT,
    MANIFEST,
    VERSION_NAME,
    VersionFolder,
    array_bytes,
    encode_manifest,
    open_version,
    version_name,
    write_version,
)
from classifier.errors import ArtifactDamaged, ArtifactError, ArtifactFromFuture, ArtifactMissing, OutputError
from classifier.store import ModelFolder, resolve

Forge = Callable[[Path, Callable[[dict[str, Any]], None]], None]
TIME = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
FORMAT_LINE = f'"format": {FORMAT}'.encode()


def load_and_verify(version: Path) -> None:
    """All that stands between a folder and its use."""
    open_version(version).verify()
    classifier.load(version)


def damages(data: bytes) -> Iterator[tuple[str, bytes]]:
    """A file cut short, emptied, lengthened, and with one bit flipped at several places."""
    yield "with a byte more", data + b"\0"
    if not data:
        return
    yield "emptied", b""
    yield "cut in the middle", data[: len(data) // 2]
    yield "without its last byte", data[:-1]
    for place in {0, 7, len(data) // 3, len(data) // 2, len(data) - 1}:
        for bit in (0, 5):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            yield f"bit {bit} of byte {place} flipped", bytes(changed)


def test_a_sound_folder_loads_and_verifies(version_path: Path) -> None:
    load_and_verify(version_path)


def test_every_file_damaged_in_every_way_is_named(version_path: Path) -> None:
    files = sorted(path for path in version_path.iterdir() if path.name != MANIFEST)
    assert len(files) > 20
    for path in files:
        data = path.read_bytes()
        for how, damaged in damages(data):
            path.write_bytes(damaged)
            with pytest.raises(ArtifactDamaged) as caught:
                open_version(version_path).verify()
            assert caught.value.where == str(path), how
            assert caught.value.remedy, how
            says = "its SHA-256 is not" if len(damaged) == len(data) else f"has {len(damaged)} bytes"
            assert caught.value.problem.startswith(says), how
            if path.suffix == ".npy":
                with pytest.raises(ArtifactDamaged) as caught:
                    classifier.load(version_path)
                assert caught.value.where == str(path), how
        path.write_bytes(data)
    load_and_verify(version_path)


def test_every_file_missing_is_named(version_path: Path) -> None:
    for path in sorted(version_path.iterdir()):
        data = path.read_bytes()
        path.unlink()
        with pytest.raises(ArtifactMissing) as caught:
            open_version(version_path).verify()
        assert caught.value.where == str(path)
        if path.suffix in (".npy", ".json"):
            with pytest.raises(ArtifactMissing) as caught:
                classifier.load(version_path)
            assert caught.value.where == str(path)
        path.write_bytes(data)
    load_and_verify(version_path)


def test_a_folder_in_place_of_a_file(version_path: Path) -> None:
    for name in ("sections.0.rows.npy", MANIFEST):
        data = (version_path / name).read_bytes()
        (version_path / name).unlink()
        (version_path / name).mkdir()
        with pytest.raises(ArtifactDamaged) as caught:
            classifier.load(version_path)
        assert caught.value.where == str(version_path / name)
        (version_path / name).rmdir()
        (version_path / name).write_bytes(data)


def test_a_manifest_cut_or_flipped_anywhere(version_path: Path) -> None:
    file = version_path / MANIFEST
    data = file.read_bytes()
    for length in {*range(0, len(data), 101), 1, len(data) - 2, len(data) - 1}:
        file.write_bytes(data[:length])
        with pytest.raises(ArtifactDamaged) as caught:
            open_version(version_path)
        assert caught.value.where == str(file)
    number = data.index(b'"format": ') + len(b'"format": ')
    for place in {*range(0, len(data), 61), *range(number - 12, number + 3), len(data) - 1}:
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            file.write_bytes(changed)
            with pytest.raises(ArtifactError) as caught:
                open_version(version_path)
            # A flip of the format's own digit makes another format of it: that is all that can be said.
            future = place in (number, number + 1)
            assert type(caught.value) is ArtifactDamaged or (
                future and type(caught.value) is ArtifactFromFuture
            )
            assert str(caught.value.where).startswith(str(file)), (place, bit)


@pytest.mark.parametrize("where", ["beside", "hidden", "folder"])
def test_verify_refuses_what_the_manifest_does_not_name(version_path: Path, where: str) -> None:
    extra = version_path / {"beside": "sections.9.idf.npy", "hidden": ".DS_Store", "folder": "more"}[where]
    if where == "folder":
        extra.mkdir()
    else:
        extra.write_bytes(b"x")
    with pytest.raises(ArtifactDamaged, match="is not in the manifest; remove it") as caught:
        open_version(version_path).verify()
    assert caught.value.where == str(extra)


@pytest.mark.parametrize("number", [FORMAT + 1, 999, 10**30])
def test_a_version_from_the_future(version_path: Path, forge: Forge, number: int) -> None:
    forge(version_path, lambda manifest: manifest.update(format=number))
    with pytest.raises(ArtifactFromFuture, match=f"has format {number}, this Newsdesk reads up to") as caught:
        classifier.load(version_path)
    assert caught.value.where == str(version_path / MANIFEST)
    # Whatever else a new format changes, it is not called damage.
    (version_path / MANIFEST).write_text(json.dumps({"format": number, "new": [1.5]}))
    with pytest.raises(ArtifactFromFuture):
        classifier.load(version_path)


@pytest.mark.parametrize("number", [0, -1, True, 1.0, "1", None, [1]])
def test_a_format_that_never_was(version_path: Path, forge: Forge, number: Any) -> None:
    forge(version_path, lambda manifest: manifest.update(format=number))
    with pytest.raises(ArtifactDamaged, match="format"):
        classifier.load(version_path)


def test_changed_metrics_are_noticed(version_path: Path) -> None:
    file = version_path / MANIFEST
    data = json.loads(file.read_bytes())
    data["metrics"]["sections"]["accuracy"] = 0.123
    file.write_text(json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    with pytest.raises(ArtifactDamaged, match="has been changed"):
        classifier.load(version_path)


def _replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(old, new, 1)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: b"[]\n", id="a list"),
        pytest.param(lambda data: b"null", id="null"),
        pytest.param(lambda data: b"\xff" + data, id="no UTF-8"),
        pytest.param(lambda data: b"\xef\xbb\xbf" + data, id="a byte order mark"),
        pytest.param(lambda data: data.decode().encode("utf-16"), id="UTF-16"),
        pytest.param(lambda data: data + b" ", id="a space more"),
        pytest.param(lambda data: data * 2, id="twice"),
        pytest.param(lambda data: b"[" * 100_000, id="deep"),
        pytest.param(
            lambda data: b"{" + FORMAT_LINE + b',"a":' + b"[" * 600 + b"]" * 600 + b"}", id="half as deep"
        ),
        pytest.param(_replaced(FORMAT_LINE, FORMAT_LINE + b', "a": ' + b"9" * 5000), id="a huge number"),
        *[
            pytest.param(_replaced(FORMAT_LINE, FORMAT_LINE + b', "a": ' + value), id=value.decode())
            for value in (b"NaN", b"-Infinity", b"1e999", b'"\\ud800"', b"1.50")
        ],
        pytest.param(_replaced(FORMAT_LINE, FORMAT_LINE + b", " + FORMAT_LINE), id="a key twice"),
        pytest.param(_replaced(b'"digest"', b'"digesT"'), id="another digest key"),
        pytest.param(_replaced(b'"seed": 0', b'"seed": 7'), id="another seed"),
    ],
)
def test_a_manifest_as_none_was_ever_written(version_path: Path, change: Callable[[bytes], bytes]) -> None:
    file = version_path / MANIFEST
    data = change(file.read_bytes())
    assert data != file.read_bytes()
    file.write_bytes(data)
    with pytest.raises(ArtifactDamaged) as caught:
        classifier.load(version_path)
    assert caught.value.where == str(file)


@pytest.mark.parametrize(
    "name",
    [
        "../outside.npy",
        "/etc/passwd",
        "sections/../../x.npy",
        "a/b.npy",
        "..",
        ".",
        "",
        ".hidden",
        "a..npy",
        "c:x.npy",
        "a\\b.npy",
        "a\nb.npy",
        "A.npy",
        "sections.é.npy",
        "sections.0.idf.npy\n",
        MANIFEST,
    ],
)
def test_file_names_that_lead_elsewhere(version_path: Path, forge: Forge, name: str) -> None:
    (version_path.parent / "outside.npy").write_bytes(array_bytes(np.zeros(1)))
    forge(version_path, lambda manifest: manifest["files"].update({name: {"sha256": "0" * 64, "bytes": 1}}))
    with pytest.raises(ArtifactDamaged, match="names a file it must not"):
        open_version(version_path)


@pytest.mark.parametrize(
    "entry", [None, 5, {}, {"sha256": "0"}, {"sha256": 1, "bytes": 1}, {"sha256": "", "bytes": "1"}]
)
def test_a_listing_that_was_never_written(version_path: Path, forge: Forge, entry: Any) -> None:
    forge(version_path, lambda manifest: manifest["files"].update({"card.md": entry}))
    with pytest.raises(ArtifactDamaged, match=r"files\.card\.md"):
        open_version(version_path)


@pytest.mark.parametrize(
    "version", ["", "x", "../up", "20310506T070809Z-0123456789abc", "２0310506T070809Z-0123456789ab"]
)
def test_a_version_name_that_is_none(version_path: Path, forge: Forge, version: str) -> None:
    forge(version_path, lambda manifest: manifest.update(version=version))
    with pytest.raises(ArtifactDamaged, match="is no version name"):
        open_version(version_path)


class Bomb:
    """Unpickling it leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def _object_array(bomb: Bomb) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([bomb], object), allow_pickle=True)
    return buffer.getvalue()


def _zip(bomb: Bomb) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, np.zeros(3))
    return buffer.getvalue()


def _npy(header: str, data: bytes = b"\0" * 8000, version: bytes = b"\x01\x00") -> Callable[[Bomb], bytes]:
    text = header.encode() + b"\n"
    length = len(text).to_bytes(2 if version == b"\x01\x00" else 4, "little")
    return lambda bomb: b"\x93NUMPY" + version + length + text + data


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda bomb: pickle.dumps(bomb), id="a pickle"),
        pytest.param(lambda bomb: pickle.dumps(bomb) + b"\0" * 8000, id="a long pickle"),
        pytest.param(_object_array, id="an array of objects"),
        pytest.param(_zip, id="a zip of arrays"),
        pytest.param(lambda bomb: b"", id="nothing"),
        pytest.param(lambda bomb: b"\x93NUMPY\x01\x00", id="no header"),
        pytest.param(_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (10**9,)}"), id="an expression"),
        pytest.param(
            _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999999999999,)}"), id="vast"
        ),
        pytest.param(_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-4,)}"), id="negative"),
        pytest.param(_npy("{'descr': '|O', 'fortran_order': False, 'shape': (3,)}"), id="objects"),
        pytest.param(
            _npy("{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (3,)}"), id="hidden objects"
        ),
        pytest.param(_npy("{'descr': 7, 'fortran_order': False, 'shape': (3,)}"), id="no type"),
        pytest.param(_npy("{'descr': '<f8', 'shape': (3,)}"), id="no order"),
        pytest.param(_npy("(" * 300), id="deep"),
        pytest.param(_npy("{" + "[" * 3000), id="deeper"),
        pytest.param(_npy("'''"), id="an open string"),
        pytest.param(_npy("__import__('os').getcwd()"), id="code"),
        pytest.param(_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3L,)}"), id="of Python 2"),
        pytest.param(
            _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000,)}", version=b"\x03\x00"),
            id="version 3",
        ),
    ],
)
def test_a_signed_file_that_is_no_array_is_refused_and_not_run(
    version_path: Path, forge: Forge, tmp_path: Path, content: Callable[[Bomb], bytes]
) -> None:
    data = content(Bomb(tmp_path / "exploded"))
    name = "sections.0.rows.npy"
    (version_path / name).write_bytes(data)
    entry = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    forge(version_path, lambda manifest: manifest["files"].update({name: entry}))
    with pytest.raises(ArtifactDamaged) as caught:
        classifier.load(version_path)
    assert caught.value.where == str(version_path / name)
    assert not (tmp_path / "exploded").exists()


def test_the_bomb_is_live(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Bomb(tmp_path / "exploded")))  # noqa: S301
    assert (tmp_path / "exploded").exists()


def test_the_pipeline_is_never_opened(version_path: Path, forge: Forge, tmp_path: Path) -> None:
    data = pickle.dumps(Bomb(tmp_path / "exploded"))
    (version_path / "pipeline.joblib").write_bytes(data)
    entry = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    forge(version_path, lambda manifest: manifest["files"].update({"pipeline.joblib": entry}))
    load_and_verify(version_path)
    ModelFolder(version_path.parent).promote(version_path.name)
    assert not (tmp_path / "exploded").exists()


def test_no_module_of_the_scorer_can_unpickle() -> None:
    for path in Path(str(classifier.__file__)).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & {
                "pickle",
                "joblib",
                "marshal",
                "shelve",
                "dill",
            }


def test_arrays_are_read_only_and_large_ones_mapped(tmp_path: Path) -> None:
    large = np.zeros((1000, 2))
    arrays = write(tmp_path, arrays={"sections.weights": large}).arrays("sections")
    assert isinstance(arrays["weights"], np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        arrays["weights"][0, 0] = 1.0


# Writing


def write(folder: Path, **changes: Any) -> VersionFolder:
    values: dict[str, Any] = {
        "heads": {"sections": {"weight": 1.5}},
        "arrays": {"sections.b": np.arange(3.0), "sections.a": np.zeros((0, 2))},
        "facts": {"configuration": {"seed": 0}, "metrics": {"größe": 0.1}},
        "documents": {"card.md": b"# card\n"},
        "created": TIME,
    }
    return write_version(folder, **{**values, **changes})


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_was_written_is_there_and_verifies(tmp_path: Path) -> None:
    folder = write(tmp_path / "artifacts" / "mine")
    assert folder.path == tmp_path / "artifacts" / "mine" / folder.version
    assert VERSION_NAME.fullmatch(folder.version)
    assert folder.version.startswith("20310506T070809Z-")
    assert (folder.model, folder.manifest.data["created"]) == ("mine", "2031-05-06T07:08:09+00:00")
    folder.verify()
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "card.md",
        MANIFEST,
        "sections.a.npy",
        "sections.b.npy",
    ]
    assert [path.name for path in folder.path.parent.iterdir()] == [folder.version]
    np.testing.assert_array_equal(folder.arrays("sections")["b"], np.arange(3.0))


def test_the_same_version_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    one, other = write(tmp_path / "a" / "mine"), write(tmp_path / "b" / "mine")
    assert contents(one.path) == contents(other.path)
    # In Fortran order, as a view, or handed over in another order: the same values, the same bytes.
    arrays = {"sections.a": np.zeros((0, 2)), "sections.b": np.arange(6.0)[:3]}
    assert contents(write(tmp_path / "c" / "mine", arrays=arrays).path) == contents(one.path)
    square = np.arange(6.0).reshape(2, 3)
    assert array_bytes(np.asfortranarray(square)) == array_bytes(square)


def test_writing_the_same_again_changes_nothing(tmp_path: Path) -> None:
    one = write(tmp_path / "mine")
    before = contents(tmp_path)
    assert write(tmp_path / "mine").version == one.version
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "change",
    [
        {"arrays": {"sections.b": np.arange(4.0)}},
        {"arrays": {"sections.c": np.arange(3.0), "sections.a": np.zeros((0, 2))}},
        {"heads": {"sections": {"weight": 2.5}}},
        {"facts": {"configuration": {"seed": 1}}},
        {"created": TIME.replace(second=10)},
    ],
)
def test_the_name_changes_with_arrays_heads_configuration_and_time(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    assert write(tmp_path / "mine").version != write(tmp_path / "mine", **change).version


def test_the_name_does_not_change_with_metrics_and_documents(tmp_path: Path) -> None:
    facts = {"configuration": {"seed": 0}, "metrics": {}}
    one, other = write(tmp_path / "a"), write(tmp_path / "b", facts=facts, documents={})
    assert one.version == other.version


def test_the_name_holds_the_time_in_utc() -> None:
    time = datetime.fromisoformat("2031-05-06T01:08:09+09:00")
    assert version_name(time, {}, {}, None).startswith("20310505T160809Z-")


@pytest.mark.parametrize(
    ("given_as", "name"), [(".", "here"), ("../here", "here"), ("other/..", "here"), ("a", "a")]
)
def test_a_model_is_named_like_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given_as: str, name: str
) -> None:
    (tmp_path / "here" / "other").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    assert write(Path(given_as)).model == name


@pytest.mark.parametrize("place", ["a file", "under a file", "a name too long", "a NUL"])
def test_a_target_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    target = {
        "a file": file,
        "under a file": file / "model",
        "a name too long": tmp_path / "new" / ("x" * 300),
        "a NUL": tmp_path / "new" / "a\0b",
    }[place]
    with pytest.raises(OutputError) as caught:
        write(target)
    assert caught.value.where == str(target)
    assert contents(tmp_path) == {"file": b"mine"}
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_failure_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    # The system refuses the second file's name once the first one has been written.
    documents = {"card.md": b"# card\n", "x" * 300: b"too long a name"}
    with pytest.raises(OutputError, match="cannot be written"):
        write(tmp_path / "artifacts" / "mine", documents=documents)
    assert list(tmp_path.iterdir()) == []
    folder = write(tmp_path / "artifacts" / "mine")
    with pytest.raises(OutputError):
        write(tmp_path / "artifacts" / "mine", documents=documents, created=TIME.replace(year=2032))
    assert [path.name for path in folder.path.parent.iterdir()] == [folder.version]


def test_a_rename_that_fails_leaves_nothing(tmp_path: Path) -> None:
    folder = write(tmp_path / "mine")
    shutil.rmtree(folder.path)
    folder.path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="cannot be written"):
        write(tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == [folder.version]


@pytest.mark.skipif(os.geteuid() == 0, reason="for root every folder is writable")
def test_a_read_only_folder(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o555)
    with pytest.raises(OutputError, match="Permission denied"):
        write(tmp_path / "mine")


def test_what_a_killed_process_left_is_no_version(tmp_path: Path) -> None:
    folder = write(tmp_path / "mine")
    left = tmp_path / "mine" / f".{folder.version}.0123abcd.tmp"
    shutil.copytree(folder.path, left)
    (left / MANIFEST).unlink()
    store = ModelFolder(tmp_path / "mine")
    assert store.versions() == [folder.version]
    assert write(tmp_path / "mine", created=TIME.replace(year=2032)).version in store.versions()
    with pytest.raises(ArtifactMissing):
        store.open(left.name)


@pytest.mark.parametrize("path", ["nothing", "a\0b", "x" * 300, "file", "file/more"])
def test_a_path_without_a_version(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ArtifactMissing, match="newsdesk train") as caught:
        open_version(tmp_path / path)
    assert caught.value.where == str(tmp_path / path)
    with pytest.raises(ArtifactMissing):
        classifier.load(tmp_path / path)


def test_the_digest_covers_everything() -> None:
    data = {"a": 1, "b": {"c": [1.5, None, "ü"]}}
    text = encode_manifest(data)
    assert json.loads(text)["digest"] != json.loads(encode_manifest({**data, "a": 2}))["digest"]
    assert encode_manifest(dict(reversed(data.items()))) == text
    with pytest.raises(ValueError, match="JSON"):
        encode_manifest({"a": float("nan")})


def test_a_linked_array_is_refused(tiny_model_path: Path, tmp_path: Path) -> None:
    version = tmp_path / resolve(tiny_model_path).version
    shutil.copytree(resolve(tiny_model_path).path, version)
    (version / "sections.0.rows.npy").rename(tmp_path / "elsewhere.npy")
    (version / "sections.0.rows.npy").symlink_to(tmp_path / "elsewhere.npy")
    with pytest.raises(ArtifactDamaged, match="is a link out of the folder"):
        classifier.load(version)
