"""Models: which ones there are, where they come from, which are on this computer, which one to use.

schema      what models/*.toml hold            catalogue   reading them, finding one by name
places      where files are                    registry    one view of all that, and the choice of a model
gguf_header what a file says about itself      checks      whether it is a chat model this app can load
hub         asking the hub                     transfer    bringing a file, resumably
download    getting a model                    imports     adding a file the user has
manage      verifying and removing             machine     memory and disk
sidecar     the note beside an installed file

Importing this package costs neither pydantic nor huggingface_hub; they load when they are needed.
"""

from tide_chat.registry.catalogue import Model
from tide_chat.registry.checks import Checked, check
from tide_chat.registry.download import Pulled, pull
from tide_chat.registry.gguf_header import GgufHeader, read_header
from tide_chat.registry.imports import Imported, ImportFailed, import_model
from tide_chat.registry.machine import human_size
from tide_chat.registry.manage import Verified, removable, remove, verify
from tide_chat.registry.places import Installed
from tide_chat.registry.registry import Registry, Resolved, is_path, memory_needed
from tide_chat.registry.transfer import Stopped

__all__ = [
    "Checked",
    "GgufHeader",
    "ImportFailed",
    "Imported",
    "Installed",
    "Model",
    "Pulled",
    "Registry",
    "Resolved",
    "Stopped",
    "Verified",
    "check",
    "human_size",
    "import_model",
    "is_path",
    "memory_needed",
    "pull",
    "read_header",
    "removable",
    "remove",
    "verify",
]
