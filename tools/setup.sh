#!/bin/sh
# Makes .venv ready for one purpose, and does nothing when it already is.
#
#   setup.sh runtime   what the app needs       setup.sh dev   the app and the tools of its developers
#
# The check compares a key over everything that decides what is installed with the one that the last set-up left, so
# that it costs a few milliseconds. The work itself is in setup_venv.py.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
part=$1
state=.venv/.tide

cpu() {
    if [ -r /proc/cpuinfo ]; then
        grep -m1 -iE '^(flags|features)' /proc/cpuinfo || true
    else
        sysctl -n machdep.cpu.brand_string 2>/dev/null || uname -m
    fi
}

key() {
    {
        printf '%s\n' "$root" "$1" "${TIDE_CHAT_OPENMP:-}"
        cpu
        case "$1" in
        dev) cat requirements/dev.txt requirements/train.txt requirements/eval.txt requirements/torch.txt requirements/encoder.txt requirements/tuning.txt ;;
        *) cat requirements/runtime.txt requirements/build.txt requirements/llama*.txt requirements/embedded.txt ;;
        esac
        cat pyproject.toml tools/setup_venv.py tools/build_llama.py tools/cpu.py tools/trim.cmake
    } | cksum | tr ' \t' '--'
}

ready() {
    [ "$(cat "$state/$1" 2>/dev/null)" = "$2" ] && [ -x .venv/bin/python ]
}

last_gpu=$(cat "$state/gpu" 2>/dev/null || true)
GPU=${GPU:-$last_gpu}
runtime_key=$(key runtime)
dev_key=$(key dev)

if ready runtime "$runtime_key" && [ "$GPU" = "$last_gpu" ]; then
    [ "$part" = dev ] || exit 0
    ready dev "$dev_key" && exit 0
fi
python=$(sh tools/preflight.sh python)
exec "$python" tools/setup_venv.py "$part" --gpu "$GPU" --runtime-key "$runtime_key" --dev-key "$dev_key"
