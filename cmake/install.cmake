# Install rules and the package that find_package(dalib CONFIG) reads. Each opt-in part is its own component and export set, so that a
# user who does not ask for it does not need its dependencies.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(dalib_package_dir ${CMAKE_INSTALL_DATADIR}/cmake/dalib)

install(TARGETS dalib EXPORT dalib-targets FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT dalib-targets NAMESPACE dalib:: DESTINATION ${dalib_package_dir})
if(TARGET dalib_xtensor)
  install(TARGETS dalib_xtensor EXPORT dalib-xtensor-targets FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT dalib-xtensor-targets NAMESPACE dalib:: DESTINATION ${dalib_package_dir})
endif()

if(TARGET dalib_thrust)
  install(TARGETS dalib_thrust EXPORT dalib-thrust-targets FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT dalib-thrust-targets NAMESPACE dalib:: DESTINATION ${dalib_package_dir})
  install(FILES ${CMAKE_CURRENT_LIST_DIR}/dalib-find-thrust.cmake DESTINATION ${dalib_package_dir})
endif()

# The version file is independent of the architecture: there is nothing compiled in the package.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/dalib-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
set(DALIB_NEEDS_OPENMP ${OpenMP_CXX_FOUND})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/dalib-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/dalib-config.cmake
  INSTALL_DESTINATION ${dalib_package_dir})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/dalib-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/dalib-config-version.cmake
  DESTINATION ${dalib_package_dir})
