# Install rules and the package that find_package(dalib CONFIG) reads. Nothing of the machine that installs is in it: which parts there are
# is found out where a user's program is configured (dalib-parts.cmake).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(dalib_package_dir ${CMAKE_INSTALL_DATADIR}/cmake/dalib)

install(TARGETS dalib EXPORT dalib-targets FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT dalib-targets NAMESPACE dalib:: DESTINATION ${dalib_package_dir})

# The version file is independent of the architecture: there is nothing compiled in the package.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/dalib-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/dalib-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/dalib-config.cmake
  INSTALL_DESTINATION ${dalib_package_dir})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/dalib-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/dalib-config-version.cmake
  ${CMAKE_CURRENT_LIST_DIR}/dalib-parts.cmake ${CMAKE_CURRENT_LIST_DIR}/dalib-march.cmake ${CMAKE_CURRENT_LIST_DIR}/dalib-find-thrust.cmake
  ${CMAKE_CURRENT_LIST_DIR}/dalib-find-torch.cmake
  ${CMAKE_CURRENT_LIST_DIR}/dalib-advice.cmake DESTINATION ${dalib_package_dir})
configure_file(${CMAKE_CURRENT_LIST_DIR}/packages/dalib.pc.in ${CMAKE_CURRENT_BINARY_DIR}/dalib.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/dalib.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)

# The pages with the pictures and the numbered examples that they link, in folders as here so that their links hold.
foreach(pattern IN ITEMS "README.md" "LICENSE" "include/*.md" "examples/*.md" "examples/*.svg" "examples/[0-9][0-9]_*" "tests/*.md" "benchmarks/*.md" "benchmarks/*.svg")
  file(GLOB_RECURSE pages RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${pattern})
  list(FILTER pages EXCLUDE REGEX "/\\.venv/|^build") # GLOB_RECURSE looks below the pattern's folder
  foreach(page IN LISTS pages)
    cmake_path(GET page PARENT_PATH folder)
    install(FILES ${PROJECT_SOURCE_DIR}/${page} DESTINATION ${CMAKE_INSTALL_DOCDIR}/${folder})
  endforeach()
endforeach()
