# Read by CMake at each project() call of the llama-cpp-python build (CMAKE_PROJECT_INCLUDE).
#
# Its top CMakeLists.txt forces LLAMA_BUILD_COMMON=ON in the cache, which compiles a server's worth of code that the
# Python bindings never load. A normal variable of the same name wins over the cache (policy CMP0126).
set(LLAMA_BUILD_COMMON OFF)
