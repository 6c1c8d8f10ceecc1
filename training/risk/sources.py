"""All that the risk encoder learns from: labelled lines, conversations, the messages of the open dialogues."""

import hashlib

from training.risk import conversations, data, teachers
from training.risk.data import Row


def rows() -> list[Row]:
    """Raises DataError naming file and line."""
    return data.risk_rows() + data.scenario_rows() + conversations.rows()


def checksums() -> dict[str, str]:
    """SHA-256 by the name of each file that there is."""
    files = [*sorted(data.RISK.glob("train-*.jsonl")), data.RISK / data.DIALOGUE_FLAGS, teachers.FILE]
    files += [data.DIALOGUES / name for name in data.SCENARIO_FILES]
    found = {path.name: path for path in files if path.is_file()}
    found |= {f"{conversations.FOLDER.name}/{path.name}": path for path in conversations.learnt()}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()}
