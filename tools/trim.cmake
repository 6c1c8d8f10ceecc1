# Read by CMake at each project() call of the llama-cpp-python build (CMAKE_PROJECT_INCLUDE).
#
# Its top CMakeLists.txt forces some settings in the cache. A normal variable of the same name, set before, wins over
# the cache (policy CMP0126), and folders below inherit it.

# A server's worth of code that the Python bindings never load.
set(LLAMA_BUILD_COMMON OFF)

# On a Mac, upstream forces Metal on and, on Intel, every vector instruction off. What build_llama.py asked for holds.
if(NOT TIDE_KEPT)
    foreach(name GGML_AVX GGML_AVX2 GGML_FMA GGML_F16C GGML_METAL)
        if(DEFINED CACHE{${name}})
            set(${name} "$CACHE{${name}}")
        endif()
    endforeach()
    set(TIDE_KEPT ON)
endif()
