# cmake -C cmake/cache/sanitize.cmake: address and undefined-behaviour sanitizers by clang (g++ needs three times as long per file).
# Debug keeps Eigen's own assertions; -O1 keeps those tests fast that compute much (the others have -O0, a third of the time to compile), and
# -g1 gives line numbers without the size of full debug information.
set(CMAKE_CXX_COMPILER clang++ CACHE STRING "")
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1" CACHE STRING "")
set(DALIB_SANITIZE "address,undefined" CACHE STRING "")
