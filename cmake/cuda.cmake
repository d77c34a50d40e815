# Settings for building with CUDA; read when DALIB_CUDA is on (cmake -C cmake/cache/cuda.cmake).
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  message(FATAL_ERROR "dalib: DALIB_CUDA is on but nvcc was not found. Install the CUDA toolkit (12.2 or newer) and put nvcc in the PATH, or set "
    "CMAKE_CUDA_COMPILER; without CUDA leave DALIB_CUDA off: the same code runs on Thrust's host systems.")
endif()
enable_language(CUDA)
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_EXTENSIONS OFF)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION) # CMake 3.25 does not know that nvcc has C++20
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
endif()
if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.2)
  message(FATAL_ERROR "dalib: nvcc ${CMAKE_CUDA_COMPILER_VERSION} is too old, at least 12.2 is needed for C++20 with g++ 12")
endif()
find_package(CUDAToolkit 12.2 REQUIRED)
if(NOT TARGET CUDA::cublas)
  message(FATAL_ERROR "dalib: the CUDA toolkit in ${CUDAToolkit_ROOT} has no cuBLAS; install its development package")
endif()
message(STATUS "dalib: CUDA ${CMAKE_CUDA_COMPILER_VERSION} for the architectures ${CMAKE_CUDA_ARCHITECTURES}")

# Flags of every .cu file of dalib: link dalib_cuda_settings PRIVATE. A host function that a device function calls is an error, not a
# warning; so are constexpr ones (20013, 20015), which do not count as such.
add_library(dalib_cuda_settings INTERFACE)
target_compile_options(dalib_cuda_settings INTERFACE "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:-Werror cross-execution-space-call -diag-error 20013$<COMMA>20015>")

# The CPU's part of a .cu file is compiled as the rest is.
if(dalib_march)
  add_compile_options("$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-march=${dalib_march}>")
endif()
