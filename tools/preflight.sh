#!/bin/sh
# Finds what set-up needs on this machine, or says in one line for each missing thing how to get it.
#
#   preflight.sh python   prints the path of a Python >= 3.11 that can make virtual environments
#   preflight.sh build    checks for what compiles the engine: a C and C++ compiler, CMake >= 3.21
#
# It knows nothing of what is then done with them.
set -u

missing() {
    printf '%s Debian: %s | Fedora: %s | macOS: %s\n' "$1" "$2" "$3" "$4" >&2
    failed=1
}

python_version() {
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null
}

recent_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

can_make_environments() {
    "$1" -c 'import venv, ensurepip' 2>/dev/null
}

find_python() {
    found= without_venv=
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 python}; do
        path=$(command -v "$name" 2>/dev/null) || continue
        version=$(python_version "$path") || continue
        if ! recent_enough "$path"; then
            found="${found:-$version}"
        elif can_make_environments "$path"; then
            "$path" -c 'import sys; print(sys.executable)'
            return 0
        else
            without_venv="${without_venv:-$version}"
        fi
    done
    if [ -n "$without_venv" ]; then
        minor=${without_venv%.*}
        missing "Python $without_venv is here, but its venv module is not." \
            "sudo apt install python$minor-venv" "sudo dnf install python3" "brew install python@3.13"
    elif [ -n "$found" ]; then
        missing "Python 3.11 or newer is needed, and this is $found." \
            "sudo apt install python3.11 python3.11-venv" "sudo dnf install python3.12" "brew install python@3.13"
    else
        missing "Python 3.11 or newer is needed, and none was found." \
            "sudo apt install python3 python3-venv" "sudo dnf install python3" "brew install python@3.13"
    fi
    return 1
}

any_of() {
    for name in "$@"; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    return 1
}

check_compilers() {
    if ! any_of ${CC:-cc gcc clang} || ! any_of ${CXX:-c++ g++ clang++}; then
        missing "A C and C++ compiler is needed to build the engine." \
            "sudo apt install build-essential" "sudo dnf install gcc gcc-c++" "xcode-select --install"
    fi
}

check_cmake() {
    version=$(cmake --version 2>/dev/null | sed -n '1s/^cmake version \([0-9.]*\).*/\1/p')
    major=${version%%.*}
    rest=${version#*.}
    minor=${rest%%.*}
    if [ -z "$version" ]; then
        missing "CMake 3.21 or newer is needed to build the engine." \
            "sudo apt install cmake" "sudo dnf install cmake" "brew install cmake"
    elif [ "$major" -lt 3 ] || { [ "$major" -eq 3 ] && [ "$minor" -lt 21 ]; }; then
        missing "CMake 3.21 or newer is needed to build the engine, and this is $version." \
            "sudo apt install -t $(codename)-backports cmake" "sudo dnf upgrade cmake" "brew upgrade cmake"
    fi
}

codename() {
    name=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null)
    printf '%s' "${name:-stable}"
}

failed=
case "${1:-}" in
python) find_python ;;
build)
    check_compilers
    check_cmake
    ;;
*)
    echo "usage: preflight.sh python|build" >&2
    exit 2
    ;;
esac
[ -z "$failed" ]
