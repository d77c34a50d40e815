# cmake -C cmake/cache/cuda.cmake -S . -B build-cuda: everything for CUDA too. nvcc is taken from the PATH or from /usr/local/cuda.
set(DALIB_CUDA ON CACHE BOOL "Build the tests, examples and benchmarks of dalib::thrust with nvcc too")
set(CMAKE_CUDA_ARCHITECTURES 80 CACHE STRING "GPUs to compile for; native = those of this machine")
if(NOT CMAKE_CUDA_COMPILER)
  find_program(dalib_nvcc nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH /usr/local/cuda PATH_SUFFIXES bin)
  if(dalib_nvcc)
    set(CMAKE_CUDA_COMPILER ${dalib_nvcc} CACHE FILEPATH "CUDA compiler")
  endif()
endif()
