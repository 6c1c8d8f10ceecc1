"""What adapters change in a base model: which tensor each of their layers belongs to, and the arithmetic.

Every change is an addition to the base tensor W, so that several adapters are a sum whatever their order:
    LoRA  s c L R            c its scaling, s how much of the adapter is wanted, L R the low-rank product in W's shape
    DoRA  s (m / |W + c L R| (W + c L R) - W)   the norm per output feature, taken from W without other adapters
Sources: LoRA arXiv:2106.09685, rsLoRA arXiv:2312.03732, DoRA arXiv:2402.09353; how peft lays its tensors out.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from convert.adapters import Adapter, Layer
from convert.weights import Array, Info, Weights, to_stored
from tide_chat.errors import DataError

# What a running model calls differently than its file does.
_STORED_AS = (
    (re.compile(r"(.*\.block_sparse_moe)\.experts\.gate_up_proj"), r"\1.input_linear.weight"),
    (re.compile(r"(.*\.block_sparse_moe)\.experts\.down_proj"), r"\1.output_linear.weight"),
    (re.compile(r"(.*\.block_sparse_moe)\.router\.weight"), r"\1.router.layer.weight"),
)
LARGEST = {"F64": 1.7976931348623157e308, "F32": 3.4028234663852886e38, "F16": 65504.0, "BF16": 3.3895313892515355e38}


@dataclass(frozen=True, slots=True)
class Change:
    """One layer of an adapter and the base tensor that it changes.

    strength: how much of it is wanted. experts: the tensor's first axis when it has three, else 0. transposed: the
    tensor is (in, out), as embeddings are.
    """

    adapter: Adapter
    layer: Layer
    tensor: str
    scaling: float
    strength: float
    experts: int = 0
    transposed: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """Of all adapters together. by_tensor: what is added. wholes: base tensor to the file and name that replace it."""

    by_tensor: Mapping[str, tuple[Change, ...]]
    wholes: Mapping[str, tuple[Weights, str]]

    @property
    def names(self) -> frozenset[str]:
        return frozenset((*self.by_tensor, *self.wholes))


def find(base: Weights, infos: Mapping[str, Info], adapters: Iterable[tuple[Adapter, float]]) -> Changes:
    """infos: the base tensors that can be changed, by the name that an adapter knows; a tied one occurs twice.

    Raises DataError for the first tensor that does not fit.
    """
    by_tensor: dict[str, tuple[Change, ...]] = {}
    wholes: dict[str, tuple[Weights, str]] = {}
    for adapter, strength in adapters:
        found = [_placed(adapter, layer, infos, strength) for layer in adapter.layers]
        if len({change.tensor for change in found}) < len(found):
            raise DataError("Two layers of the adapter change the same tensor.", details=str(adapter.folder))
        for change in found:
            by_tensor[change.tensor] = (*by_tensor.get(change.tensor, ()), change)
        for target, name in _wholes(adapter, base, infos).items():
            if strength != 1 or target in wholes:
                raise DataError(
                    "The adapter holds whole layers, which can be neither scaled nor added up.",
                    details=f"{name} in {adapter.folder}",
                )
            wholes[target] = adapter.weights, name
    return Changes(by_tensor, wholes)


def _placed(adapter: Adapter, layer: Layer, infos: Mapping[str, Info], strength: float) -> Change:
    names = _parameters(adapter, layer) or {layer.module: f"{layer.module}.weight"}
    present = {name: tensor for name, tensor in names.items() if tensor in infos}
    if not present:
        raise _misfit(adapter, f"{layer.module}: the base model has no such layer.")
    forms = {name: _form(adapter, layer, infos[tensor].shape) for name, tensor in present.items()}
    fitting = [name for name, form in forms.items() if form is not None]
    if len(fitting) != 1:
        a, b = adapter.weights.info(layer.a).shape, adapter.weights.info(layer.b).shape
        there = ", ".join(f"{tensor} is {list(infos[tensor].shape)}" for tensor in present.values())
        raise _misfit(adapter, f"{layer.module}: the adapter's tensors are {list(a)} and {list(b)}, {there}.")
    name = fitting[0]
    shape = infos[present[name]].shape
    experts = shape[0] if len(shape) == 3 else 0
    check_rank(adapter, layer, name, max(1, experts))
    scaling = adapter.settings.scaling(name)
    return Change(adapter, layer, present[name], scaling, strength, experts, bool(forms[name]))


def _parameters(adapter: Adapter, layer: Layer) -> dict[str, str]:
    """Parameters of the layer's module that were trained, and how they are stored; the file names only the module."""
    targets = adapter.settings.target_parameters
    names = {f"{layer.module}.{target.rpartition('.')[2]}" for target in targets}
    return {
        name: _stored_as(name)
        for name in sorted(names)
        if any(name == target or name.endswith(f".{target}") for target in targets)
    }


def _form(adapter: Adapter, layer: Layer, shape: tuple[int, ...]) -> bool | None:
    """Whether a base tensor of this shape is transposed; None when the layer does not fit it."""
    inner, outer = adapter.weights.info(layer.a).shape[1], adapter.weights.info(layer.b).shape[0]
    if layer.embedding:
        return True if shape == (inner, outer) else None
    if len(shape) == 3:
        plain = shape[1:] == (outer, inner) and adapter.weights.info(layer.a).shape[0] % shape[0] == 0
        return False if plain and layer.magnitude is None else None
    if shape == (outer, inner) and not (inner == outer and adapter.settings.fan_in_fan_out):
        return False
    return True if shape == (inner, outer) and adapter.settings.fan_in_fan_out else None


def check_rank(adapter: Adapter, layer: Layer, name: str, experts: int = 1) -> None:
    """Whether the tensors have the rank that the settings give that name. Raises DataError."""
    got, said = adapter.weights.info(layer.a).shape[0] // experts, adapter.settings.rank(name)
    if got != said:
        raise DataError(
            "The adapter's tensors and its settings name different ranks.",
            details=f"{name}: {got} in the tensors, {said} in the settings",
        )


def _wholes(adapter: Adapter, base: Weights, infos: Mapping[str, Info]) -> dict[str, str]:
    """Tensors that replace the base's. peft saves embeddings beside their adapters: mere copies do not count."""
    found = {}
    for plain, name in adapter.wholes.items():
        tensor = _stored_as(plain)
        if tensor not in infos:
            raise _misfit(adapter, f"{plain}: the base model has no such tensor.")
        theirs, ours = adapter.weights.info(name), infos[tensor]
        if theirs.shape != ours.shape:
            raise _misfit(adapter, f"{tensor} is {list(ours.shape)}, the adapter's {list(theirs.shape)}.")
        if not _same(base.blocks(ours.name), adapter.weights.blocks(name)):
            found[tensor] = name
    return found


def _same(one: Iterator[Array], other: Iterator[Array]) -> bool:
    import numpy

    return all(numpy.array_equal(a, b) for a, b in zip(one, other, strict=True))


def _stored_as(name: str) -> str:
    for pattern, stored in _STORED_AS:
        if match := pattern.fullmatch(name):
            return match.expand(stored)
    return name


def _misfit(adapter: Adapter, details: str) -> DataError:
    base = adapter.settings.base_model_name_or_path
    return DataError(
        "The adapter does not fit this base model.",
        details=details,
        help=f"It says that it was trained on {base}." if base else "Take the base model that it was trained on.",
    )


# The arithmetic


@dataclass(frozen=True, slots=True)
class _Product:
    """A change with its factors at hand: left (rows, rank) or (experts, out, rank), right (rank, columns) or
    (experts, rank, in). factor: what DoRA multiplies with, (rows, 1) or (1, columns).
    """

    left: Array
    right: Array
    scaling: float
    strength: float
    factor: Any = None

    def scaled(self, rows: slice) -> Array:
        return self.left[rows] @ (self.right[rows] if self.right.ndim == 3 else self.right) * self.scaling

    def added(self, block: Array, rows: slice) -> Array:
        if self.factor is None:
            return self.scaled(rows) * self.strength if self.strength != 1 else self.scaled(rows)
        factor = self.factor[rows] if self.factor.shape[0] > 1 else self.factor
        return self.strength * (factor * (block + self.scaled(rows)) - block)


def merged(blocks: Callable[[], Iterator[Array]], changes: Iterable[Change]) -> Iterator[Array]:
    """The changed tensor in stretches of rows, float32. blocks: the base tensor in such stretches, each time anew.

    Raises DataError, also for values that are no numbers.
    """
    products = [_product(change, blocks) for change in changes]
    for rows, block in _numbered(blocks()):
        total = block
        for product in products:
            total = total + product.added(block, rows)
        yield total


def rounded(values: Array, dtype: str, name: str) -> Array:
    """The values as they are stored in that type. Raises DataError for those it cannot hold."""
    import numpy

    if values.size and not numpy.abs(values).max() <= LARGEST[dtype]:
        raise DataError(f"A value is too large for {dtype.lower()}.", details=name, help="Take bf16 or f32 instead.")
    return to_stored(values, dtype)


def _product(change: Change, blocks: Callable[[], Iterator[Array]]) -> _Product:
    weights, layer = change.adapter.weights, change.layer
    a, b = weights.floats(layer.a), weights.floats(layer.b)
    left, right = b, a
    if change.transposed:
        left, right = a.T, b.T
    elif change.experts:
        right = a.reshape(change.experts, -1, a.shape[1])
        left = b.reshape(b.shape[0], -1, change.experts).transpose(2, 0, 1)
    product = _Product(left, right, change.scaling, change.strength)
    if layer.magnitude is None:
        return product
    factor = _dora(product, weights.floats(layer.magnitude), change, blocks)
    return _Product(left, right, change.scaling, change.strength, factor)


def _dora(product: _Product, magnitude: Array, change: Change, blocks: Callable[[], Iterator[Array]]) -> Array:
    """Wanted norms over actual ones, one per output feature. A feature of zeros stays so."""
    import numpy

    features = product.right.shape[1] if change.transposed else product.left.shape[0]
    if magnitude.shape != (features,):
        raise DataError(
            "The adapter's tensors do not belong together.",
            details=f"{change.layer.magnitude} is {list(magnitude.shape)}, not [{features}].",
        )
    axis = 0 if change.transposed else 1
    squares = [
        numpy.square(block + product.scaled(rows)).sum(axis=axis, dtype=numpy.float64)
        for rows, block in _numbered(blocks())
    ]
    norms = numpy.sqrt(numpy.sum(squares, axis=0) if change.transposed else numpy.concatenate(squares))
    factor = numpy.divide(magnitude, norms, out=numpy.zeros_like(norms), where=norms > 0).astype(numpy.float32)
    return factor[None, :] if change.transposed else factor[:, None]


def _numbered(blocks: Iterator[Array]) -> Iterator[tuple[slice, Array]]:
    first = 0
    for block in blocks:
        yield slice(first, first + len(block)), block
        first += len(block)
