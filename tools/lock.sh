#!/bin/sh
# Resolves the lock files anew. Addresses of registries stay out of them: each machine has its own.
set -eu
cd "$(dirname "$0")/.."
command -v uv >/dev/null || { echo "uv is needed to resolve versions: pipx install uv" >&2; exit 1; }
export UV_CUSTOM_COMPILE_COMMAND="make lock"

compile() {
    uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 \
        --no-emit-index-url --no-emit-find-links "$@"
}

# llama-cpp-python is built on each machine, so its wheel has no hash that could be pinned; what it depends on has.
compile pyproject.toml --no-emit-package llama-cpp-python -o requirements/runtime.txt
for name in build llama-build train; do
    compile "requirements/$name.in" -c requirements/runtime.txt -o "requirements/$name.txt"
done
for name in dev eval; do  # installed together with train
    compile "requirements/$name.in" -c requirements/runtime.txt -c requirements/train.txt -o "requirements/$name.txt"
done
for name in llama embedded encoder tuning; do
    compile --no-deps "requirements/$name.in" -o "requirements/$name.txt"
done
# TRL, beside the locks it runs with; what it asks for includes torch, which has no hash.
compile requirements/bench.in -c requirements/runtime.txt -c requirements/train.txt -c requirements/eval.txt \
    -c requirements/tuning.txt --excludes requirements/torch.txt -o requirements/bench.txt
