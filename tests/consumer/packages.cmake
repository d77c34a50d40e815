# The same as packages of other systems: pkg-config, a vcpkg port and a Conan recipe. Included by CMakeLists.txt.
find_program(DALIB_PKG_CONFIG pkg-config)
if(DALIB_PKG_CONFIG)
  add_test(NAME consumer.pkg_config COMMAND ${CMAKE_COMMAND} -D pkg_config=${DALIB_PKG_CONFIG} -D prefix=${prefix} -D cxx=${CMAKE_CXX_COMPILER}
    -D version=${PROJECT_VERSION} -D source=${PROJECT_SOURCE_DIR}/cmake/packages/conan/test_package/test_package.cpp
    -D program=${CMAKE_CURRENT_BINARY_DIR}/pkg_config_user -P ${CMAKE_CURRENT_SOURCE_DIR}/pkg_config.cmake)
  dalib_test_properties(consumer.pkg_config package FIXTURES_REQUIRED installed_dalib)
endif()

# vcpkg itself is not on the machine: the port runs with stand-ins of vcpkg's functions, and what it installs is used.
add_test(NAME consumer.vcpkg_port COMMAND ${CMAKE_COMMAND} -D port=${PROJECT_SOURCE_DIR}/cmake/packages/vcpkg/dalib -D version=${PROJECT_VERSION}
  -D folder=${CMAKE_CURRENT_BINARY_DIR}/vcpkg -D generator=${CMAKE_GENERATOR} -D cxx=${CMAKE_CXX_COMPILER}
  -D user=${PROJECT_SOURCE_DIR}/cmake/packages/conan/test_package -P ${CMAKE_CURRENT_SOURCE_DIR}/vcpkg_port.cmake)
dalib_test_properties(consumer.vcpkg_port "package;slow")

# Conan gets Eigen from the machine: no package is downloaded.
find_program(DALIB_CONAN conan)
if(DALIB_CONAN)
  add_test(NAME consumer.conan COMMAND ${CMAKE_COMMAND} -E env CONAN_HOME=${CMAKE_CURRENT_BINARY_DIR}/conan_home ${DALIB_CONAN} create
    ${PROJECT_SOURCE_DIR}/cmake/packages/conan -pr:a ${PROJECT_SOURCE_DIR}/cmake/packages/conan/debian.profile -c tools.cmake.cmake_layout:test_folder=${CMAKE_CURRENT_BINARY_DIR}/conan_test)
  dalib_test_properties(consumer.conan "package;slow" PASS_REGULAR_EXPRESSION "dalib ${PROJECT_VERSION}: mmd [0-9]")
endif()
