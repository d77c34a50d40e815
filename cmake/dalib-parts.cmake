# The parts beside the core, made the same way in dalib's own tree and for an installed package (dalib-config.cmake), from what is found on
# the machine that builds a user's program. Who includes this sets
#   dalib_part_prefix   dalib:: for imported targets, dalib_ for targets of the tree (which get their alias dalib::<part>)
#   dalib_core          the core's target
# and reads dalib_<part>_missing: why a part is not there.
#
# OpenMP, which the core needs for more than one thread: -DDALIB_OPENMP=OFF leaves it out.
if(NOT DEFINED DALIB_OPENMP OR DALIB_OPENMP)
  find_package(OpenMP QUIET COMPONENTS CXX)
  if(OpenMP_CXX_FOUND)
    target_link_libraries(${dalib_core} INTERFACE $<BUILD_INTERFACE:OpenMP::OpenMP_CXX>) # the exported core is without
  endif()
endif()

macro(dalib_add_part part)
  if(dalib_part_prefix STREQUAL "dalib::")
    add_library(dalib::${part} INTERFACE IMPORTED)
  else()
    add_library(dalib_${part} INTERFACE)
    add_library(dalib::${part} ALIAS dalib_${part})
  endif()
endmacro()

# dalib::fast: the core with the flags that its speed is measured with, in every build type.
include(${CMAKE_CURRENT_LIST_DIR}/dalib-march.cmake)
dalib_add_part(fast)
target_link_libraries(${dalib_part_prefix}fast INTERFACE ${dalib_core})
target_compile_options(${dalib_part_prefix}fast INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-O3>)
if(dalib_march)
  target_compile_options(${dalib_part_prefix}fast INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-march=${dalib_march}>
    $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-march=${dalib_march}>)
endif()

# dalib::xtensor: where xtensor is found.
set(dalib_xtensor_missing "")
find_package(xtensor QUIET)
if(xtensor_FOUND)
  dalib_add_part(xtensor)
  target_link_libraries(${dalib_part_prefix}xtensor INTERFACE ${dalib_core} xtensor)
else()
  set(dalib_xtensor_missing "dalib::xtensor needs the package xtensor, which was not found")
endif()

# dalib::thrust: nvcc compiles it for CUDA with its own Thrust; another compiler for a host system, which the user names by
# -DTHRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_OMP (or _CPP), where Thrust's headers are found.
set(dalib_thrust_missing "")
include(${CMAKE_CURRENT_LIST_DIR}/dalib-find-thrust.cmake)
get_property(dalib_languages GLOBAL PROPERTY ENABLED_LANGUAGES)
if("CUDA" IN_LIST dalib_languages)
  find_package(CUDAToolkit QUIET)
endif()
if(DALIB_THRUST_INCLUDE_DIR OR TARGET CUDA::cublas)
  dalib_add_part(thrust)
  target_link_libraries(${dalib_part_prefix}thrust INTERFACE ${dalib_core})
  # Eigen's own annotations of host and device functions do not pass nvcc's checks; dalib needs Eigen on the host alone.
  target_compile_definitions(${dalib_part_prefix}thrust INTERFACE $<$<COMPILE_LANGUAGE:CUDA>:EIGEN_NO_CUDA>)
  # The same functions as in the .cpp files of a program, so with OpenMP too.
  if(OpenMP_CXX_FOUND)
    target_compile_options(${dalib_part_prefix}thrust INTERFACE $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=${OpenMP_CXX_FLAGS}>)
  endif()
  if(DALIB_THRUST_INCLUDE_DIR)
    target_include_directories(${dalib_part_prefix}thrust SYSTEM INTERFACE $<$<COMPILE_LANGUAGE:CXX>:${DALIB_THRUST_INCLUDE_DIR}>)
  endif()
  if(TARGET CUDA::cublas)
    target_link_libraries(${dalib_part_prefix}thrust INTERFACE $<$<LINK_LANGUAGE:CUDA>:CUDA::cublas> $<$<LINK_LANGUAGE:CUDA>:CUDA::cudart>)
  endif()
else()
  set(dalib_thrust_missing "dalib::thrust: ${dalib_thrust_message}, and the language CUDA is not enabled before dalib is found")
endif()

# dalib::torch: where libtorch is found, as PyTorch's wheel brings it. Its own package is not asked: that of a CUDA wheel wants a CUDA toolkit.
set(dalib_torch_missing "")
include(${CMAKE_CURRENT_LIST_DIR}/dalib-find-torch.cmake)
if(DALIB_TORCH_DIR)
  dalib_add_part(torch)
  target_link_libraries(${dalib_part_prefix}torch INTERFACE ${dalib_core} dalib_libtorch)
else()
  set(dalib_torch_missing "dalib::torch needs libtorch: -DDALIB_TORCH_DIR=... names the folder with its include/ and lib/, such as site-packages/torch")
endif()

# dalib::mpi: where an MPI library is found. Only its C functions are called; the old C++ ones some implementations still have.
# Looking for it takes seconds, so an installed dalib does only for who asks for the component mpi.
set(dalib_mpi_missing "")
if(dalib_part_prefix STREQUAL "dalib_" OR "mpi" IN_LIST dalib_FIND_COMPONENTS)
  find_package(MPI QUIET COMPONENTS CXX)
endif()
if(MPI_CXX_FOUND)
  dalib_add_part(mpi)
  target_link_libraries(${dalib_part_prefix}mpi INTERFACE ${dalib_core} MPI::MPI_CXX)
  target_compile_definitions(${dalib_part_prefix}mpi INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)
else()
  set(dalib_mpi_missing "dalib::mpi needs an MPI library, such as Open MPI (Debian: mpi-default-dev), which was not found")
endif()

# A word about slow builds, once.
include(${CMAKE_CURRENT_LIST_DIR}/dalib-advice.cmake)
