# The library's targets: the core, and one INTERFACE target for each part beside it. Only dalib::fast adds flags to a user's build.
find_package(Eigen3 3.4 REQUIRED NO_MODULE)

# A header belongs to the opt-in part whose name is in its path (tensor/xtensor.hpp), or else to the core.
set(dalib_include_dir ${CMAKE_CURRENT_SOURCE_DIR}/include)
file(GLOB_RECURSE dalib_headers CONFIGURE_DEPENDS ${dalib_include_dir}/dalib/*.hpp)
set(dalib_core_headers ${dalib_headers})
set(dalib_xtensor_headers ${dalib_headers})
set(dalib_thrust_headers ${dalib_headers})
set(dalib_torch_headers ${dalib_headers})
list(FILTER dalib_xtensor_headers INCLUDE REGEX "/include/dalib/.*xtensor")
list(FILTER dalib_thrust_headers INCLUDE REGEX "/include/dalib/.*thrust")
list(FILTER dalib_torch_headers INCLUDE REGEX "/include/dalib/.*torch")
list(FILTER dalib_core_headers EXCLUDE REGEX "/include/dalib/.*(xtensor|thrust|torch)")

add_library(dalib INTERFACE)
add_library(dalib::dalib ALIAS dalib)
target_sources(dalib INTERFACE FILE_SET HEADERS BASE_DIRS ${dalib_include_dir} FILES ${dalib_headers})
target_compile_features(dalib INTERFACE cxx_std_20)
target_link_libraries(dalib INTERFACE Eigen3::Eigen)

set(dalib_core dalib)
set(dalib_part_prefix dalib_)
include(${CMAKE_CURRENT_LIST_DIR}/dalib-parts.cmake)
foreach(part IN ITEMS xtensor thrust torch)
  if(dalib_${part}_missing)
    message(STATUS "dalib: ${dalib_${part}_missing}")
  endif()
endforeach()
