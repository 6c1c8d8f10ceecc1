"""What `doctor` asks the native runtime: does it load, compute and stop on this machine? Runs in a child process."""

from pathlib import Path

from tide_chat.engine.base import Cancel, EngineInfo, EngineSpec, Prompt, SamplingParams, Span
from tide_chat.engine.supervisor import Phase, Supervisor
from tide_chat.errors import TideError

Check = tuple[str, bool, str]  # name, fine, what was found


def run(model: Path | None, cache_dir: Path | None = None, gpu: str = "auto") -> list[Check]:
    """Load `model` as the app would and write a few tokens. Raises nothing; opens no socket."""
    if model is None:
        return [("engine", False, "No model is installed, so the engine was not tried.")]
    supervisor = Supervisor()
    try:
        supervisor.start(EngineSpec(model, context=512, gpu=gpu, cache_dir=cache_dir))
        info = supervisor.info()
        return [*_facts(info), _speed(supervisor)]
    except TideError as error:
        return [("engine", False, str(error).replace("\n", " "))]
    finally:
        supervisor.close()


def _facts(info: EngineInfo) -> list[Check]:
    where = f"{info.device}, {info.gpu_layers} layers" if info.gpu_layers else "off: no usable GPU in this build"
    return [
        ("build", True, info.build),
        ("gpu", True, where),
        ("threads", True, f"{info.threads} decode fastest now"),
        *(("workaround", True, note) for note in info.notes),
    ]


def _speed(supervisor: Supervisor) -> Check:
    prompt = Prompt((Span("Once upon a time", pinned=True),))
    last = None
    for chunk in supervisor.generate(prompt, SamplingParams(max_tokens=24, temperature=0.0), Cancel()):
        last = chunk.usage or last
    fine = supervisor.state.phase is Phase.READY and last is not None and last.completion_tokens > 0
    return "engine", fine, f"computes, {last.decode_tps:.0f} tokens a second" if last else "computes nothing"
