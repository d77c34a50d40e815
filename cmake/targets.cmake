# The library's targets: one INTERFACE target per opt-in part. Nothing here adds warnings or -march to a user's build.
include(GNUInstallDirs)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)

file(GLOB_RECURSE DALIB_HEADERS CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/include/dalib/*.hpp)

add_library(dalib INTERFACE)
add_library(dalib::dalib ALIAS dalib)
target_sources(dalib INTERFACE FILE_SET HEADERS BASE_DIRS include FILES ${DALIB_HEADERS})
target_compile_features(dalib INTERFACE cxx_std_20)
target_link_libraries(dalib INTERFACE Eigen3::Eigen)
if(DALIB_OPENMP)
  find_package(OpenMP)
  if(OpenMP_CXX_FOUND)
    target_link_libraries(dalib INTERFACE OpenMP::OpenMP_CXX)
  endif()
endif()

# dalib::xtensor exists only where xtensor is found: it is opt-in.
find_package(xtensor QUIET)
if(xtensor_FOUND)
  add_library(dalib_xtensor INTERFACE)
  add_library(dalib::xtensor ALIAS dalib_xtensor)
  set_target_properties(dalib_xtensor PROPERTIES EXPORT_NAME xtensor)
  target_link_libraries(dalib_xtensor INTERFACE dalib::dalib xtensor)
endif()
