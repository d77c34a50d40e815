# The library's targets: one INTERFACE target per opt-in part. Nothing here adds warnings or -march to a user's build.
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(xtensor QUIET)
if(DALIB_OPENMP)
  find_package(OpenMP COMPONENTS CXX)
endif()

# A header belongs to the opt-in part whose name is in its path (tensor/xtensor.hpp), or else to the core.
set(dalib_include_dir ${CMAKE_CURRENT_SOURCE_DIR}/include)
file(GLOB_RECURSE dalib_core_headers CONFIGURE_DEPENDS ${dalib_include_dir}/dalib/*.hpp)
set(dalib_xtensor_headers ${dalib_core_headers})
list(FILTER dalib_xtensor_headers INCLUDE REGEX "/dalib/.*xtensor")
list(FILTER dalib_core_headers EXCLUDE REGEX "/dalib/.*(xtensor|thrust)")

add_library(dalib INTERFACE)
add_library(dalib::dalib ALIAS dalib)
target_sources(dalib INTERFACE FILE_SET HEADERS BASE_DIRS ${dalib_include_dir} FILES ${dalib_core_headers})
target_compile_features(dalib INTERFACE cxx_std_20)
target_link_libraries(dalib INTERFACE Eigen3::Eigen)
if(OpenMP_CXX_FOUND)
  target_link_libraries(dalib INTERFACE OpenMP::OpenMP_CXX)
endif()

# dalib::xtensor exists only where xtensor is found: it is opt-in.
if(xtensor_FOUND)
  add_library(dalib_xtensor INTERFACE)
  add_library(dalib::xtensor ALIAS dalib_xtensor)
  set_target_properties(dalib_xtensor PROPERTIES EXPORT_NAME xtensor)
  target_sources(dalib_xtensor INTERFACE FILE_SET HEADERS BASE_DIRS ${dalib_include_dir} FILES ${dalib_xtensor_headers})
  target_link_libraries(dalib_xtensor INTERFACE dalib xtensor)
else()
  message(STATUS "dalib: xtensor was not found, there will be no dalib::xtensor")
endif()
