# cmake -C cmake/cache/aarch64.cmake -S tests/aarch64 -B build-aarch64: for 64-bit ARM by Debian's g++-12-aarch64-linux-gnu, run by qemu-user.
set(CMAKE_SYSTEM_NAME Linux CACHE STRING "")
set(CMAKE_SYSTEM_PROCESSOR aarch64 CACHE STRING "")
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++-12 CACHE STRING "")
set(CMAKE_CROSSCOMPILING_EMULATOR "qemu-aarch64;-L;/usr/aarch64-linux-gnu" CACHE STRING "")
set(CMAKE_BUILD_TYPE Release CACHE STRING "")
