# Settings for building dalib itself; only read when dalib is the top project, never exported to users.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# One -march for the whole build: translation units with Eigen and different vector widths must not be linked together.
include(${CMAKE_CURRENT_LIST_DIR}/dalib-march.cmake)
if(dalib_march)
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-march=${dalib_march}>")
endif()
message(STATUS "dalib: -march for the whole build: ${dalib_march}")

# g++ looks for memory to reuse from 128 MB on: 10 to 20 % of its time for templates as large as these.
add_compile_options("$<$<COMPILE_LANG_AND_ID:CXX,GNU>:--param=ggc-min-heapsize=600000;--param=ggc-min-expand=150>")

# clang 14 looks at all parallel regions of a file again for every function that it inlines: more than half of its time for the trainer's methods
# (150 s at -O2, 60 s without), and nothing is gained, as the regions are the library's own few.
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  include(CheckCXXCompilerFlag)
  check_cxx_compiler_flag("-Xclang -mllvm -Xclang -openmp-opt-disable" DALIB_HAS_OPENMP_OPT_DISABLE)
  if(DALIB_HAS_OPENMP_OPT_DISABLE)
    string(APPEND CMAKE_CXX_FLAGS " -Xclang -mllvm -Xclang -openmp-opt-disable")
  endif()
endif()

# Sanitizers for the whole build, with the settings of cmake/cache/sanitize.cmake.
set(DALIB_SANITIZE "" CACHE STRING "Sanitizers for the whole build, for example address,undefined")
if(DALIB_SANITIZE)
  add_compile_options(-fsanitize=${DALIB_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DALIB_SANITIZE})
endif()
