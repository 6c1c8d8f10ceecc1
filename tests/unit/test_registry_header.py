"""The reader of GGUF headers: right on real files, and never anything but ModelUnusable on bad ones."""

import contextlib
import os
import struct
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.gguf_files import TEMPLATE, gguf_bytes, write_gguf
from tide_chat.errors import ModelNotFound, ModelUnusable
from tide_chat.registry import GgufHeader, read_header

SOUND = gguf_bytes(weights=64)
QUICK = 2.0  # seconds, on a slow machine; honest files take milliseconds
HEAD = struct.pack("<4sI", b"GGUF", 3)


def read(data: bytes, folder: Path) -> GgufHeader:
    path = folder / "some.gguf"
    path.write_bytes(data)
    return read_header(path)


class TestRealFiles:
    def test_the_embedded_model(self, embedded_model: Path) -> None:
        header = read_header(embedded_model)
        assert header.architecture == "llama"
        assert header.quantization == "Q4_1"
        assert header.parameters == 134_515_008
        assert header.context_length == 8192
        assert header.block_count == 30
        assert header.vocabulary == 49_152
        assert header.chat_template is not None
        assert "<|im_start|>" in header.chat_template
        assert header.needed == header.size == embedded_model.stat().st_size
        assert header.complete

    def test_the_embedded_model_is_read_quickly(self, embedded_model: Path) -> None:
        began = time.perf_counter()
        read_header(embedded_model)
        assert time.perf_counter() - began < QUICK

    def test_a_file_made_for_tests(self, tmp_path: Path) -> None:
        header = read(SOUND, tmp_path)
        assert (header.architecture, header.name, header.kind) == ("llama", "Tiny", "model")
        assert (header.context_length, header.block_count, header.vocabulary) == (2048, 2, 4)
        assert header.chat_template == TEMPLATE
        assert (header.quantization, header.parameters, header.tensor_count) == ("F32", 64, 1)
        assert header.needed == header.size == len(SOUND)

    @pytest.mark.parametrize("missing", [1, 100, 64 * 4])
    def test_missing_weights_are_noticed(self, tmp_path: Path, missing: int) -> None:
        header = read(SOUND[:-missing], tmp_path)
        assert not header.complete
        assert header.needed == len(SOUND)

    def test_no_template_is_none(self, tmp_path: Path) -> None:
        assert read(gguf_bytes(template=None), tmp_path).chat_template is None

    def test_a_type_that_is_not_told_is_a_model(self, tmp_path: Path) -> None:
        assert read(gguf_bytes(kind=None), tmp_path).kind == "model"

    def test_parts_are_counted(self, tmp_path: Path) -> None:
        assert read(gguf_bytes(extra=(("split.count", 4, 3),)), tmp_path).parts == 3

    def test_a_path_with_spaces_and_any_script(self, tmp_path: Path) -> None:
        path = write_gguf(tmp_path / "Ordner mit Platz" / "модель 模型.gguf")
        assert read_header(path).path == path


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"", "empty"),
            (b"GGUF", "not in GGUF"),
            (b"PK\x03\x04" + bytes(60), "not in GGUF"),
            (struct.pack("<4sI", b"GGUF", 1) + bytes(40), "must be 2 or 3, got 1"),
            (struct.pack("<4sI", b"GGUF", 99) + bytes(40), "must be 2 or 3, got 99"),
            (struct.pack(">4sI", b"GGUF", 3) + bytes(40), "byte order"),
            (HEAD + struct.pack("<QQ", 2**63, 0), "tensors"),
            (HEAD + struct.pack("<QQ", 0, 2**63), "entries"),
            (HEAD + struct.pack("<QQQ", 0, 1, 2**63), "bytes of text"),
            (HEAD + struct.pack("<QQQ1sI", 0, 1, 1, b"k", 77), "unknown type 77"),
            (HEAD + struct.pack("<QQQ1sIIQ", 0, 1, 1, b"k", 9, 8, 2**62), "words"),
            (HEAD + struct.pack("<QQQ1sIIQ", 0, 1, 1, b"k", 9, 4, 2**62), "does not end"),
            (HEAD + struct.pack("<QQQ1sIIQ", 0, 1, 1, b"k", 9, 9, 1), "unknown type 9"),
            (HEAD + struct.pack("<QQQ1sIQ", 1, 0, 1, b"t", 200, 0), "dimensions"),
            (gguf_bytes(extra=(("general.alignment", 4, 33),)), "power of two, got 33"),
            (gguf_bytes(extra=(("general.alignment", 4, 0),)), "power of two, got 0"),
        ],
    )
    def test_each_says_what_is_wrong(self, tmp_path: Path, data: bytes, said: str) -> None:
        with pytest.raises(ModelUnusable) as caught:
            read(data, tmp_path)
        assert said in caught.value.details
        assert caught.value.help

    def test_no_such_file(self, tmp_path: Path) -> None:
        with pytest.raises(ModelNotFound):
            read_header(tmp_path / "none.gguf")

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ModelUnusable, match="a folder"):
            read_header(tmp_path)

    def test_a_device_is_not_read(self) -> None:
        with pytest.raises(ModelUnusable, match="not an ordinary file"):
            read_header(Path("/dev/zero"))

    def test_links_in_a_circle(self, tmp_path: Path) -> None:
        (tmp_path / "a.gguf").symlink_to(tmp_path / "b.gguf")
        (tmp_path / "b.gguf").symlink_to(tmp_path / "a.gguf")
        with pytest.raises(ModelUnusable):
            read_header(tmp_path / "a.gguf")

    def test_a_file_that_may_not_be_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = write_gguf(tmp_path / "private.gguf")

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, os.strerror(13))

        monkeypatch.setattr(Path, "open", refuse)  # the super-user may read anything, so the mode is not enough
        with pytest.raises(ModelUnusable) as caught:
            read_header(path)
        assert "Permission denied" in caught.value.details


class TestAnyBytes:
    """Only a header or ModelUnusable may come out, and soon."""

    @given(data=st.binary(max_size=2000))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=QUICK * 1000)
    def test_random(self, tmp_path: Path, data: bytes) -> None:
        with pytest.raises(ModelUnusable):
            read(data, tmp_path)

    @given(data=st.binary(max_size=2000))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=QUICK * 1000)
    def test_random_after_a_good_start(self, tmp_path: Path, data: bytes) -> None:
        self.read_or_refuse(HEAD + data, tmp_path)

    @given(
        changes=st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), min_size=1, max_size=8),
        length=st.integers(0, len(SOUND)),
    )
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=QUICK * 1000, max_examples=300)
    def test_mutated(self, tmp_path: Path, changes: list[tuple[int, int]], length: int) -> None:
        data = bytearray(SOUND[:length])
        for position, value in changes:
            if position < length:
                data[position] = value
        self.read_or_refuse(bytes(data), tmp_path)

    @given(position=st.integers(8, 400), value=st.integers(0, 2**64 - 1))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=QUICK * 1000, max_examples=300)
    def test_any_count_anywhere(self, tmp_path: Path, position: int, value: int) -> None:
        data = bytearray(SOUND)
        struct.pack_into("<Q", data, position, value)
        self.read_or_refuse(bytes(data), tmp_path)

    @pytest.mark.parametrize("cut", [*range(0, 480, 7)])
    def test_every_place_to_cut(self, tmp_path: Path, cut: int) -> None:
        self.read_or_refuse(SOUND[:cut], tmp_path)

    @pytest.mark.parametrize(("tensors", "entries"), [(0, 2**16), (2**17, 0), (2**17, 2**16), (0, 1), (1, 1)])
    def test_a_large_hollow_file_is_done_with_soon(self, tmp_path: Path, tensors: int, entries: int) -> None:
        """Zeros are valid names, counts and values: only the limits end this."""
        path = tmp_path / "hollow.gguf"
        with path.open("wb") as file:
            file.write(HEAD + struct.pack("<QQ", tensors, entries))
            file.truncate(2**34)  # takes no room on the disk
        self.timed(path)

    @pytest.mark.parametrize("words", [2**22, 2**22 + 1, 2**40])
    def test_endless_empty_words_are_done_with_soon(self, tmp_path: Path, words: int) -> None:
        path = tmp_path / "words.gguf"
        with path.open("wb") as file:
            file.write(HEAD + struct.pack("<QQQ1sIIQ", 0, 1, 1, b"k", 9, 8, words))
            file.truncate(2**34)
        self.timed(path)

    @staticmethod
    def timed(path: Path) -> None:
        began = time.process_time()
        with contextlib.suppress(ModelUnusable):
            assert not read_header(path).architecture
        assert time.process_time() - began < QUICK

    @staticmethod
    def read_or_refuse(data: bytes, folder: Path) -> None:
        with contextlib.suppress(ModelUnusable):
            assert read(data, folder).size == len(data)
