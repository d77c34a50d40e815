# An overlay port of the tree that it lies in: vcpkg install dalib --overlay-ports=cmake/packages/vcpkg
set(VCPKG_BUILD_TYPE release) # headers alone
cmake_path(ABSOLUTE_PATH CURRENT_PORT_DIR NORMALIZE OUTPUT_VARIABLE port)
cmake_path(SET SOURCE_PATH NORMALIZE "${port}/../../../..")

vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS -DDALIB_BUILD_TESTS=OFF -DDALIB_BUILD_EXAMPLES=OFF -DDALIB_BUILD_BENCHMARKS=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME dalib CONFIG_PATH share/cmake/dalib)
vcpkg_fixup_pkgconfig()
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
